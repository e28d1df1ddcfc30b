"""Shelf: our pictures as files of a workspace, uploaded once and shown when they are ready.

Slack takes a file at once and looks at it later; a message that shows it before is refused as
`invalid_blocks`. Nobody waits for that here: who asks too early is told to come back, and what was
begun goes on meanwhile. Slack shows PNG, JPEG and GIF (docs.slack.dev/reference/block-kit
/composition-objects/slack-file-object): another format gets a PNG made for display, the published
file stays as it is.
"""

import asyncio
import logging
from collections import OrderedDict
from dataclasses import replace
from datetime import datetime, timedelta

from bot.chat.slack_chat.methods import Method
from bot.chat.slack_chat.places import PLATFORM
from bot.chat.slack_chat.web import SlackRefused, Web, Webs
from bot.core.errors import ChatRejected, ChatUnavailable, CorruptBlob, NotFound, Unavailable
from bot.core.ports import PASSING, BlobStore, Clock, SentFile, Store
from bot.core.waking import first_of
from brand.pictures import OWN_MAX_PIXELS, open_untrusted, to_png

log = logging.getLogger(__name__)

READY_S = 10.0
"""How long after its upload a picture may become ready."""
AT_ONCE_S = 1.0
"""So long who asks for a picture is kept waiting; for longer they come back."""
PREVIEW_READY_S = 5.0
LEFT = timedelta(hours=1)
"""A preview that stands for so long was left by a process that died."""
SWEPT = 100
"""The most of them that are taken away at a time."""
FIRST_LOOK_S = 0.25
SLOWER = 1.6
"""Each wait between two looks is so many times the one before."""
PACE = 0.6
"""Who comes back waits so many times the time since the upload."""
KEPT = 200
"""Uploads remembered that have ended and whose end nobody has asked for."""
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
        self._at_it: OrderedDict[tuple[str, str], asyncio.Task[str | None]] = OrderedDict()

    async def shown(self, team: str, blob: str, alt: str) -> str | None:
        """The file of a stored picture, to be shown in blocks. None where it isn't processed
        READY_S after its upload, where Slack takes no files of ours, or where the picture is gone.

        Raises ChatUnavailable where that isn't known after AT_ONCE_S (`queued` while it only takes
        its time), ChatRejected where we are not in that workspace."""
        web = await self._webs.web(team)
        sent = await self._sent(web.team, blob)
        if sent is not None and sent.ready:
            return sent.file
        work = self._working(web, blob, alt)
        await first_of(asyncio.wait({work}), self._clock.sleep(AT_ONCE_S))
        if not work.done():
            raise ChatUnavailable("A picture is being uploaded.", retry_after_s=1.0, queued=True)
        if self._at_it.get((web.team, blob)) is work:
            del self._at_it[web.team, blob]
        return work.result()

    async def awaited(self, team: str, blob: str, alt: str) -> str | None:
        """As `shown`, in place: for who has time. Raises ChatUnavailable where more is in the way
        than the time that Slack takes."""
        end = self._clock.now() + timedelta(seconds=2 * READY_S)
        while True:
            try:
                return await self.shown(team, blob, alt)
            except ChatUnavailable as exc:
                wait = timedelta(seconds=exc.retry_after_s)
                if not exc.queued or self._clock.now() + wait > end:
                    raise
                await self._clock.sleep(exc.retry_after_s)

    async def finish(self) -> None:
        """Break off what is under way; it is begun anew when it is asked for."""
        works = list(self._at_it.values())
        for work in works:
            work.cancel()
        await asyncio.gather(*works, return_exceptions=True)
        self._at_it.clear()

    async def refused(self, team: str, blob: str) -> None:
        """Slack would not show it: the next `shown` uploads it anew."""
        web = await self._webs.web(team)
        async with self._store.write() as tx:
            await tx.sent_files.drop(PLATFORM, web.team, blob)

    async def follows(self, team: str, channel: str, thread: str, blob: str) -> bool:
        """Whether that picture stands in that thread as a plain file of ours."""
        web = await self._webs.web(team)
        return await self._sent(web.team, _plain(channel, thread, blob)) is not None

    async def followed(self, team: str, channel: str, thread: str, blob: str, file: str) -> None:
        """It does now, as that file."""
        web = await self._webs.web(team)
        key, now = _plain(channel, thread, blob), self._clock.now()
        await self._keep(
            SentFile(platform=PLATFORM, team=web.team, key=key, file=file, ready=True, at=now)
        )

    async def temporary(self, team: str, data: bytes, alt: str) -> str | None:
        """A file for a while, as a preview; None where it isn't processed after PREVIEW_READY_S.
        Whoever wants it discards it; what nobody could is swept. Raises as `shown`."""
        web = await self._webs.web(team)
        file = await _upload(web, *await asyncio.to_thread(_showable, data), "preview", alt)
        if file is None:
            return None
        await self._note(_passing(web.team, file, self._clock.now()))
        ready: bool | None = False
        try:
            ready = await self._processed(web, file, PREVIEW_READY_S)
        finally:
            if not ready:
                await self.discard(team, file)
        return file if ready else None

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

    def _working(self, web: Web, blob: str, alt: str) -> asyncio.Task[str | None]:
        """One for each picture and workspace, so that it is uploaded once. It stays known after
        its end, until somebody has asked how it ended."""
        key = (web.team, blob)
        if (work := self._at_it.get(key)) is None:
            for ended in [known for known, one in self._at_it.items() if one.done()][:-KEPT]:
                del self._at_it[ended]
            work = self._at_it[key] = asyncio.create_task(self._brought(web, blob, alt))
            work.add_done_callback(lambda done: done.cancelled() or done.exception())
        return work

    async def _brought(self, web: Web, blob: str, alt: str) -> str | None:
        """As `shown`."""
        sent = await self._sent(web.team, blob)
        ready = await self._looked_at(web, sent) if sent is not None else None
        if sent is None or ready is None:
            sent = await self._uploaded(web, blob, alt)
            if sent is None:
                return None
            ready = await self._looked_at(web, sent)
        if ready:
            return sent.file
        age = self._age(sent)
        if ready is None or age >= READY_S:
            return None
        wait = min(max(age * PACE, AT_ONCE_S), READY_S - age)
        raise ChatUnavailable("Slack still looks at a picture.", retry_after_s=wait, queued=True)

    async def _uploaded(self, web: Web, blob: str, alt: str) -> SentFile | None:
        """None where Slack takes no files of ours, or where the picture is gone."""
        try:
            data, kind = await asyncio.to_thread(_showable, await self._blobs.get(blob))
        except (NotFound, CorruptBlob) as exc:
            log.warning(
                "A picture can't be shown in Slack: %s",
                exc,
                extra={"action": "slack.file", "blob": blob, "team": web.team},
            )
            return None
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
        return sent

    async def _looked_at(self, web: Web, sent: SentFile) -> bool | None:
        """Whether it is processed; None where it is gone. A new one is looked at for a while."""
        ready = await self._processed(web, sent.file, max(AT_ONCE_S - self._age(sent), 0.0))
        if ready:
            await self._keep(replace(sent, ready=True))
        return ready

    def _age(self, sent: SentFile) -> float:
        return (self._clock.now() - sent.at).total_seconds()

    async def _processed(self, web: Web, file: str, within_s: float) -> bool | None:
        """Whether Slack has looked at it; None where it is gone. Raises ChatUnavailable where
        that can't be asked in time."""
        pause, end = FIRST_LOOK_S, self._clock.now() + timedelta(seconds=within_s)
        while True:
            unasked: ChatUnavailable | None = None
            try:
                answer = await web.call(Method.FILES_INFO, key=f"info {file}", file=file)
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
            left = (end - self._clock.now()).total_seconds()
            if left <= 0:
                if unasked is not None:
                    raise unasked  # nobody knows whether it is ready
                return False
            await self._clock.sleep(min(pause, left))
            pause *= SLOWER

    async def _keep(self, sent: SentFile) -> None:
        async with self._store.write() as tx:
            await tx.sent_files.put(sent)


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


def _plain(channel: str, thread: str, blob: str) -> str:
    return f"plain:{channel}:{thread}:{blob}"


def _showable(data: bytes) -> tuple[bytes, str]:
    """The bytes as Slack can show them, and their file extension."""
    for magic, kind in _SHOWN:
        if data.startswith(magic):
            return data, kind
    image = open_untrusted(data, max_bytes=len(data), max_pixels=OWN_MAX_PIXELS)
    return to_png(image), "png"
