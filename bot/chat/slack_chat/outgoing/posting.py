"""Posting an approved picture: exactly its bytes, once.

The file goes up first, which nobody sees; then one message shows it, with the publication's id as
metadata. Where Slack doesn't show files that way (WebP, a slow or refused file), the file itself is
posted, with the id as its name. Only the step that shows something can be in doubt.
"""

import logging
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.chat.slack_chat.methods import Method
from bot.chat.slack_chat.outgoing.files import GONE
from bot.chat.slack_chat.outgoing.looking import file_stem, metadata
from bot.chat.slack_chat.outgoing.places import ref_of
from bot.chat.slack_chat.outgoing.sending import LAYOUT, QUIET
from bot.chat.slack_chat.rendering.blocks import message_of
from bot.chat.slack_chat.rendering.text import said
from bot.chat.slack_chat.web import SlackRefused, Web
from bot.core.errors import ChatAmbiguous, ChatError, ChatUnavailable
from bot.core.messages import Card, MessageRef, PictureRef
from bot.core.ports import Clock
from bot.core.publications import Publication

log = logging.getLogger(__name__)

SHOWN_AS = {"image/png": "png", "image/jpeg": "jpg"}
"""What an image block can show, and the ending of its file."""
ENDINGS = {**SHOWN_AS, "image/webp": "webp"}
READY_S = 10.0
"""How long after its upload a file may become ready to be shown, and how long it is waited for a
posted file's message."""
AT_ONCE_S = 1.0
"""So long it is waited for in place; other posts go first while it takes longer."""
AGAIN_S = 2.0
"""Between two looks at a file whose post has come back."""
LOOK_S = 0.25
"""Before the first look at what Slack makes of a file; each later one waits twice as long."""
KEPT = 100
"""Uploaded files remembered whose message waits for its turn."""


@dataclass(frozen=True, kw_only=True)
class _Uploaded:
    """A file that nobody sees yet."""

    file: str
    at: datetime


class PicturePoster:
    """Posts publications."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._uploaded: OrderedDict[str, _Uploaded] = OrderedDict()

    async def post(
        self, web: Web, publication: Publication, channel: str, data: bytes, mime: str, alt: str
    ) -> MessageRef:
        """See the Chat port."""
        name = f"{file_stem(publication.id)}.{ENDINGS.get(mime, 'bin')}"
        if mime in SHOWN_AS:
            ref = await self._shown(web, publication, channel, data, name, alt)
            if ref is not None:
                return ref
        return await self._plain(web, publication, channel, data, name, alt)

    async def _shown(
        self, web: Web, publication: Publication, channel: str, data: bytes, name: str, alt: str
    ) -> MessageRef | None:
        """The message with the picture; None where Slack can't show it. What somebody has deleted
        meanwhile is uploaded once more."""
        known = publication.id in self._uploaded
        file = await self._upload(web, publication, data, name, alt)
        try:
            return await self._show(web, publication, channel, file, alt)
        except SlackRefused as exc:
            if exc.error not in GONE:
                raise
            self._uploaded.pop(publication.id, None)
            if not known:
                return None
        file = await self._upload(web, publication, data, name, alt)
        return await self._show(web, publication, channel, file, alt)

    async def _upload(
        self, web: Web, publication: Publication, data: bytes, name: str, alt: str
    ) -> _Uploaded:
        """A message that comes back for its turn finds its file uploaded."""
        uploaded = self._uploaded.get(publication.id)
        if uploaded is None:
            title = publication.caption or name
            file = await web.upload(data, name=name, title=title, alt=alt)
            uploaded = _Uploaded(file=file, at=self._clock.now())
            self._uploaded[publication.id] = uploaded
            if len(self._uploaded) > KEPT:
                self._uploaded.popitem(last=False)
        return uploaded

    async def _show(
        self, web: Web, publication: Publication, channel: str, uploaded: _Uploaded, alt: str
    ) -> MessageRef | None:
        """The message with the picture; None where Slack can't show it, with the file gone.
        Raises ChatUnavailable (queued) where Slack still looks at it."""
        file = uploaded.file
        if await processed(web, file, clock=self._clock, within_s=AT_ONCE_S) is not None:
            try:
                ref = await self._message(web, publication, channel, file, alt)
            except SlackRefused as exc:
                if exc.error not in LAYOUT:
                    raise
                log.warning("Slack doesn't show a file: %s", "; ".join(exc.details))
            else:
                self._uploaded.pop(publication.id, None)
                return ref
        elif (self._clock.now() - uploaded.at).total_seconds() < READY_S:
            raise ChatUnavailable(
                "Slack still looks at the picture.", retry_after_s=AGAIN_S, queued=True
            )
        self._uploaded.pop(publication.id, None)
        try:
            await web.call(Method.FILES_DELETE, file=file)
        except ChatError as exc:
            log.info("A file that nobody sees stays in Slack: %s", exc.message)
        return None

    async def _message(
        self, web: Web, publication: Publication, channel: str, file: str, alt: str
    ) -> MessageRef:
        picture = PictureRef(
            asset=publication.asset,
            blob=publication.file_hash,
            alt=alt,
            width=0,
            height=0,
            draft=False,
        )
        card = Card(kind="post", title=publication.caption, pictures=(picture,))
        message = message_of(card, files={publication.file_hash: file})
        thread = publication.target.thread
        where: dict[str, Any] = {"thread_ts": thread} if thread else {}
        answer = await web.call(
            Method.CHAT_POST_MESSAGE,
            place=channel,
            key=f"post {publication.id}",
            channel=channel,
            text=message.text,
            blocks=[block.to_dict() for block in message.blocks],
            metadata=metadata(publication.id),
            **where,
            **QUIET,
        )
        return ref_of(web, channel, str(answer["ts"]), thread=thread)

    async def _plain(
        self,
        web: Web,
        publication: Publication,
        channel: str,
        data: bytes,
        name: str,
        alt: str,
    ) -> MessageRef:
        """The file itself. Slack tells later in which message it stands: until then its end is
        in doubt, and the look-up finds it by its name."""
        thread = publication.target.thread
        file = await web.post_file(
            data,
            name=name,
            alt=alt,
            channel=channel,
            thread=thread,
            text=said(publication.caption) if publication.caption else "",
            key=f"post {publication.id}",
        )
        try:
            about = await processed(web, file, clock=self._clock, shared_in=channel)
        except ChatError as exc:
            raise ChatAmbiguous("Slack has not said where the file stands.") from exc
        ts = share_of(about or {}, channel)
        if not ts:
            raise ChatAmbiguous("Slack has not said where the file stands.")
        return ref_of(web, channel, ts, thread=thread)


async def processed(
    web: Web, file: str, *, clock: Clock, shared_in: str = "", within_s: float = READY_S
) -> dict[str, Any] | None:
    """Slack's facts about a file once it knows its type (and where it stands in `shared_in`);
    None where that takes longer. Raises as a call."""
    waited, step = 0.0, LOOK_S
    while True:
        answer = await web.call(Method.FILES_INFO, key=f"info {file}", file=file)
        about: dict[str, Any] = answer.get("file") or {}
        if share_of(about, shared_in) if shared_in else about.get("mimetype"):
            return about
        if waited >= within_s:
            return None
        step = min(step, within_s - waited)
        await clock.sleep(step)
        waited += step
        step *= 2


def share_of(about: dict[str, Any], channel: str) -> str:
    """`ts` of the message in which a file stands in that channel; empty while there is none."""
    for kind in ("public", "private"):
        shares = (about.get("shares") or {}).get(kind) or {}
        for share in shares.get(channel) or ():
            return str(share.get("ts", ""))
    return ""
