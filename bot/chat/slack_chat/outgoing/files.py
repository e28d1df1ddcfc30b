"""Shelf: our pictures as files of a workspace, uploaded once and shown when they are ready.

Slack takes a file at once and looks at it later; a message that shows it before is refused as
`invalid_blocks`. It shows PNG, JPEG and GIF (docs.slack.dev/reference/block-kit/composition-objects
/slack-file-object): another format gets a PNG made for display, the published file stays as it is.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from bot.chat.slack_chat.methods import Method
from bot.chat.slack_chat.places import PLATFORM
from bot.chat.slack_chat.web import SlackRefused, Web, Webs
from bot.core.errors import ChatRejected, ChatUnavailable, CorruptBlob, NotFound, Unavailable
from bot.core.ports import PASSING, BlobStore, Clock, SentFile, Store
from brand.pictures import OWN_MAX_PIXELS, open_untrusted, to_png

log = logging.getLogger(__name__)

READY_S = 10.0
"""How long a picture is waited for."""
PREVIEW_READY_S = 5.0
LEFT = timedelta(hours=1)
"""A preview that stands for so long was left by a process that died."""
SWEPT = 100
"""The most of them that are taken away at a time."""
FIRST_LOOK_S = 0.25
SLOWER = 1.6
"""Each wait between two looks is so many times the one before."""
TITLE = 120
GONE = ("file_not_found", "file_deleted")
_SHOWN = ((b"\x89PNG\r\n\x1a\n", "png"), (b"\xff\xd8\xff", "jpg"), (b"GIF8", "gif"))


class Shelf:
    """Which of our pictures stands in which workspace as which file."""

    def __init__(self, *, store: Store, blobs: BlobStore, clock: Clock, webs: Webs) -> None:
        self._store = store
        self._blobs = blobs
        self._clock = clock
        self._webs = webs
        self._at_it: dict[tuple[str, str], _Turn] = defaultdict(_Turn)

    async def shown(self, team: str, blob: str, alt: str) -> str | None:
        """The file of a stored picture, to be shown in blocks. None where it isn't processed
        after READY_S, where Slack takes no files of ours, or where the picture is gone.

        Raises ChatUnavailable where Slack can't be asked now, ChatRejected where we are not in
        that workspace."""
        web = await self._webs.web(team)
        async with self._turn(web.team, blob):
            sent = await self._sent(web.team, blob)
            if sent is not None and sent.ready:
                return sent.file
            if sent is not None and (found := await self._waited(web, sent)) is not None:
                return found or None
            try:
                return await self._uploaded(web, blob, alt)
            except (NotFound, CorruptBlob) as exc:
                log.warning(
                    "A picture can't be shown in Slack: %s",
                    exc,
                    extra={"action": "slack.file", "blob": blob, "team": web.team},
                )
                return None

    async def refused(self, team: str, blob: str) -> None:
        """Slack would not show it: the next `shown` uploads it anew."""
        web = await self._webs.web(team)
        async with self._store.write() as tx:
            await tx.sent_files.drop(PLATFORM, web.team, blob)

    async def temporary(self, team: str, data: bytes, alt: str) -> str | None:
        """A file for a while, as a preview; None where it isn't processed after PREVIEW_READY_S.
        Whoever wants it discards it; what nobody could is swept. Raises as `shown`."""
        web = await self._webs.web(team)
        file = await _upload(web, *await asyncio.to_thread(_showable, data), "preview", alt)
        if file is None:
            return None
        await self._note(_passing(web.team, file, self._clock.now()))
        if await self._processed(web, file, PREVIEW_READY_S):
            return file
        await self.discard(team, file)
        return None

    async def discard(self, team: str, file: str) -> None:
        """Delete a file; no error if it is gone. Raises ChatUnavailable."""
        web = await self._webs.web(team)
        try:
            await web.call(Method.FILES_DELETE, file=file)
        except SlackRefused as exc:
            if exc.error not in GONE:
                log.warning(
                    "A preview stays in Slack: %s",
                    exc,
                    extra={"action": "slack.file", "file": file, "team": web.team},
                )
        await self._forget(web.team, file)

    async def sweep(self) -> None:
        """Discard what was left. Raises Unavailable."""
        before = self._clock.now() - LEFT
        async with self._store.read() as tx:
            left = await tx.sent_files.passing(PLATFORM, before=before, limit=SWEPT)
        for sent in left:
            try:
                await self.discard(sent.team, sent.file)
            except ChatRejected:  # the workspace has left, and so did its files' owner
                await self._forget(sent.team, sent.file)
            except ChatUnavailable as exc:
                log.info("A preview that was left is taken away later: %s", exc.message)

    async def _note(self, sent: SentFile) -> None:
        try:
            await self._keep(sent)
        except Unavailable:
            log.warning("A preview would stay in Slack if this process died now", exc_info=True)

    async def _forget(self, team: str, file: str) -> None:
        try:
            async with self._store.write() as tx:
                await tx.sent_files.drop(PLATFORM, team, f"{PASSING}{file}")
        except Unavailable:
            log.info("A preview that is gone is looked for once more later", exc_info=True)

    async def _sent(self, team: str, blob: str) -> SentFile | None:
        async with self._store.read() as tx:
            return await tx.sent_files.get(PLATFORM, team, blob)

    async def _uploaded(self, web: Web, blob: str, alt: str) -> str | None:
        data, kind = await asyncio.to_thread(_showable, await self._blobs.get(blob))
        file = await _upload(web, data, kind, f"hs-{blob[:16]}", alt)
        if file is None:
            return None
        sent = SentFile(
            platform=PLATFORM,
            team=web.team,
            key=blob,
            file=file,
            ready=False,
            at=self._clock.now(),
        )
        await self._keep(sent)
        return await self._waited(web, sent) or None

    async def _waited(self, web: Web, sent: SentFile) -> str | None:
        """The file's id once it is processed; empty where it isn't yet; None where it is gone."""
        ready = await self._processed(web, sent.file, READY_S)
        if ready is None:
            return None
        if not ready:
            return ""
        await self._keep(
            SentFile(
                platform=sent.platform,
                team=sent.team,
                key=sent.key,
                file=sent.file,
                ready=True,
                at=sent.at,
            )
        )
        return sent.file

    async def _processed(self, web: Web, file: str, within_s: float) -> bool | None:
        """Whether Slack has looked at it; None where it is gone. Raises ChatUnavailable where
        that can't be asked in time."""
        pause, end = FIRST_LOOK_S, self._clock.now() + timedelta(seconds=within_s)
        while True:
            unasked: ChatUnavailable | None = None
            try:
                answer = await web.call(Method.FILES_INFO, file=file)
                if (answer.get("file") or {}).get("mimetype"):
                    return True
            except SlackRefused as exc:
                if exc.error not in GONE:
                    raise
                return None
            except ChatUnavailable as exc:
                if exc.retry_after_s >= (end - self._clock.now()).total_seconds():
                    raise
                unasked, pause = exc, max(pause, exc.retry_after_s)
            if self._clock.now() + timedelta(seconds=pause) > end:
                if unasked is not None:
                    raise unasked  # nobody knows whether it is ready
                return False
            await self._clock.sleep(pause)
            pause *= SLOWER

    async def _keep(self, sent: SentFile) -> None:
        async with self._store.write() as tx:
            await tx.sent_files.put(sent)

    @asynccontextmanager
    async def _turn(self, team: str, blob: str) -> AsyncIterator[None]:
        """One at a time for each picture and workspace, so that it is uploaded once."""
        key = (team, blob)
        turn = self._at_it[key]
        turn.waiting += 1
        try:
            async with turn.lock:
                yield
        finally:
            turn.waiting -= 1
            if not turn.waiting:
                del self._at_it[key]


class _Turn:
    """Who is at a picture."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.waiting = 0


async def _upload(web: Web, data: bytes, kind: str, name: str, alt: str) -> str | None:
    """None where Slack refuses files of ours: the message is sent without them."""
    try:
        return await web.upload(data, name=f"{name}.{kind}", title=alt[:TITLE], alt=alt)
    except SlackRefused as exc:
        log.warning(
            "Slack takes no picture: %s",
            exc,
            extra={"action": "slack.file", "error": exc.error, "team": web.team},
        )
        return None


def _passing(team: str, file: str, at: datetime) -> SentFile:
    key = f"{PASSING}{file}"
    return SentFile(platform=PLATFORM, team=team, key=key, file=file, ready=True, at=at)


def _showable(data: bytes) -> tuple[bytes, str]:
    """The bytes as Slack can show them, and their file extension."""
    for magic, kind in _SHOWN:
        if data.startswith(magic):
            return data, kind
    image = open_untrusted(data, max_bytes=len(data), max_pixels=OWN_MAX_PIXELS)
    return to_png(image), "png"
