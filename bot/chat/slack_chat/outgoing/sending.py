"""Sending a card: a new message, a change in place, or a note that one person alone sees.

A new message carries its own id as metadata, so that it is found again after a lost answer; a
change may be made twice without harm. Pictures are files in Slack. No card waits for them: it is
sent with those that are ready and comes back for the others; those that Slack doesn't show in the
message in the end follow as plain files in its thread.
"""

import asyncio
import json
import logging
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeAlias

from bot.chat.slack_chat.methods import Method
from bot.chat.slack_chat.outgoing.looking import file_stems, metadata, page
from bot.chat.slack_chat.outgoing.places import Conversations, ref_of
from bot.chat.slack_chat.rendering.blocks import blobs_of, message_of
from bot.chat.slack_chat.rendering.text import said
from bot.chat.slack_chat.web import SlackRefused, Web
from bot.core.errors import (
    ChatAmbiguous,
    ChatIncomplete,
    ChatRejected,
    ChatUnavailable,
    CorruptBlob,
    HousestyleError,
    NotFound,
)
from bot.core.messages import Card, MessageRef, PictureRef
from bot.core.ports import BlobStore, Outgoing

log = logging.getLogger(__name__)

GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})
"""The message can't be changed: a new one takes its place."""
THREADLESS = frozenset(
    {
        "thread_not_found",
        "cannot_reply_to_message",
        "restricted_action_non_threadable_channel",
        "restricted_action_thread_locked",
    }
)
"""Nothing can be said in that thread."""
TOO_LONG = "msg_blocks_too_long"
"""All blocks together say more than Slack takes; it does not say how it counts."""
LAYOUT = frozenset({"invalid_blocks", "invalid_blocks_format", TOO_LONG})
WITH_FILES = frozenset({"job", "review", "file"})
"""Kinds of cards whose pictures matter so much that they follow as files."""
BRIEF_LINES = 2
"""Of a review: who asks for what, and the words that it will be posted with."""
BRIEF_ROWS = 5
"""Rows of a list that are left where Slack takes no more."""
ENDINGS = ((b"\x89PNG", "png"), (b"\xff\xd8", "jpg"), (b"RIFF", "webp"))
QUIET: dict[str, Any] = {"unfurl_links": False, "unfurl_media": False, "link_names": False}

ARRIVED_S = 5.0
"""Before it is looked whether a plain file has arrived."""
LONGEST_S = 300.0
"""Before a card comes back whose pictures can't be brought to Slack now."""
REMEMBERED = 1000
"""Cards that wait for pictures of which it is known what they show."""

Put: TypeAlias = Callable[[str, list[dict[str, Any]]], Awaitable[dict[str, Any]]]
"""Sends a text with blocks; Slack's answer."""


class PictureShelf(Protocol):
    """Pictures as files in Slack."""

    async def shown(self, team: str, blob: str, alt: str) -> str | None:
        """Slack's id of the file, once it is processed; None where Slack won't show it. Raises
        ChatUnavailable where that is not known yet, or can't be."""
        ...

    async def refused(self, team: str, blob: str) -> None:
        """Slack didn't take that file in a message: upload it anew next time."""
        ...

    async def follows(self, team: str, channel: str, thread: str, blob: str) -> bool:
        """Whether that picture stands in that thread as a plain file of ours."""
        ...

    async def followed(self, team: str, channel: str, thread: str, blob: str, file: str) -> None:
        """It does now, as that file."""
        ...


@dataclass(frozen=True, kw_only=True)
class _Standing:
    """A card that stands in Slack."""

    ref: MessageRef
    shown: Mapping[str, str]
    """Slack's files in it, by blob."""
    thread: str
    """Where what it doesn't show can follow."""
    again: bool
    """Whether something may have followed before."""


class CardSender:
    """Puts cards up in Slack."""

    def __init__(
        self,
        shelf: PictureShelf,
        blobs: BlobStore,
        conversations: Conversations,
        *,
        portal: str = "",
    ) -> None:
        self._shelf = shelf
        self._portal = portal
        self._blobs = blobs
        self._conversations = conversations
        self._shown: OrderedDict[str, frozenset[str]] = OrderedDict()
        """Message id -> blobs that it shows, while it waits for more."""

    async def send(self, web: Web, message: Outgoing) -> MessageRef:
        """See the Chat port."""
        target, before = message.target, _before(message)
        if before is None and message.only_for and not target.channel.startswith(("@", "D")):
            return await self._note(web, message)
        channel = await self._conversations.of(web, target.channel)
        files, late = await self._files(web, message.card)
        if before is not None and self._has_no_more(message.id, files, late):
            thread = target.thread or before.message
            return await self._completed(
                web, message, _Standing(ref=before, shown=files, thread=thread, again=True), late
            )
        standing = None
        if message.update is not None:
            standing = await self._change(web, message, message.update, files)
        if standing is None:
            standing = await self._new(web, message, channel, target.thread, files)
        return await self._completed(web, message, standing, late)

    async def _completed(
        self, web: Web, message: Outgoing, standing: _Standing, late: ChatUnavailable | None
    ) -> MessageRef:
        """Where it stands, with all that belongs to it. Raises ChatIncomplete."""
        if late is None:
            late = await self._follow(web, message.card, standing)
        if late is None:
            self._shown.pop(message.id, None)
            return standing.ref
        self._shown[message.id] = frozenset(standing.shown)
        while len(self._shown) > REMEMBERED:
            self._shown.popitem(last=False)
        wait = late.retry_after_s
        if not late.queued:
            wait = max(wait, min(2.0 ** min(message.attempts, 9), LONGEST_S))
        raise ChatIncomplete(
            late.message, sent=standing.ref, retry_after_s=wait, queued=late.queued
        ) from late

    def _has_no_more(
        self, message_id: str, files: Mapping[str, str], late: ChatUnavailable | None
    ) -> bool:
        """Whether there is nothing to show that the card doesn't; or soon there will be more."""
        return frozenset(files) == self._shown.get(message_id) or (late is not None and late.queued)

    async def _new(
        self, web: Web, message: Outgoing, channel: str, thread: str, files: Mapping[str, str]
    ) -> _Standing:
        subject = message.card.subject or message.id
        where: dict[str, Any] = {"channel": channel, "metadata": metadata(message.id), **QUIET}
        if thread:
            where["thread_ts"] = thread

        async def put(text: str, blocks: list[dict[str, Any]]) -> dict[str, Any]:
            key = f"new {channel} {thread} {subject}"
            says: dict[str, Any] = {"text": text, "blocks": blocks}
            return await web.call(Method.CHAT_POST_MESSAGE, place=channel, key=key, **where, **says)

        try:
            answer, shown = await self._put(web, message.card, files, put)
        except SlackRefused as exc:
            if not thread or exc.error not in THREADLESS:
                raise
            return await self._new(web, message, channel, "", files)
        ts = str(answer["ts"])
        ref = ref_of(web, str(answer.get("channel") or channel), ts, thread=thread)
        return _Standing(ref=ref, shown=shown, thread=thread or ts, again=False)

    async def _change(
        self, web: Web, message: Outgoing, ref: MessageRef, files: Mapping[str, str]
    ) -> _Standing | None:
        """The message, changed; None where it can't be. A text goes with its blocks: without
        them Slack would take them away."""
        channel = await self._conversations.of(web, ref.channel)

        async def put(text: str, blocks: list[dict[str, Any]]) -> dict[str, Any]:
            key = f"change {channel} {ref.message}"
            says: dict[str, Any] = {"text": text, "blocks": blocks, "link_names": False}
            where = {"channel": channel, "ts": ref.message}
            return await web.call(Method.CHAT_UPDATE, key=key, **where, **says)

        try:
            _, shown = await self._put(web, message.card, files, put)
        except SlackRefused as exc:
            if exc.error not in GONE:
                raise
            log.info("A card is put up anew: %s", exc.error, extra={"id": message.id})
            return None
        thread = message.target.thread or ref.message
        ref = replace(ref, channel=channel, team=ref.team or web.team)
        return _Standing(ref=ref, shown=shown, thread=thread, again=True)

    async def _note(self, web: Web, message: Outgoing) -> MessageRef:
        """For one person alone: no picture may be in it. Where it can't stand, it goes to that
        person's direct line."""
        channel, thread = message.target.channel, message.target.thread
        where: dict[str, Any] = {"channel": channel, "user": message.only_for, "link_names": False}
        if thread:
            where["thread_ts"] = thread

        async def put(text: str, blocks: list[dict[str, Any]]) -> dict[str, Any]:
            says: dict[str, Any] = {"text": text, "blocks": blocks}
            key = f"note {message.id}"
            return await web.call(Method.CHAT_POST_EPHEMERAL, key=key, **where, **says)

        card = replace(message.card, preview=None)
        try:
            answer, _ = await self._put(web, card, {}, put)
        except SlackRefused as exc:
            log.info("A note goes to a direct line: %s", exc.message, extra={"id": message.id})
            line = await self._conversations.of(web, f"@{message.only_for}")
            files, late = await self._files(web, message.card)
            standing = await self._new(web, message, line, "", files)
            return await self._completed(web, message, standing, late)
        return ref_of(web, channel, str(answer.get("message_ts", "")), thread=thread)

    async def _put(
        self, web: Web, card: Card, files: Mapping[str, str], put: Put
    ) -> tuple[dict[str, Any], Mapping[str, str]]:
        """Slack's answer, and the files that it shows. Where it takes a picture not, or the whole
        layout not, the card is said with less."""
        message = message_of(card, files=files, portal=self._portal)
        blocks = [block.to_dict() for block in message.blocks]
        try:
            return await put(message.text, blocks), files
        except SlackRefused as exc:
            if exc.error not in LAYOUT:
                raise
            log.warning("Slack refuses a layout: %s", "; ".join(exc.details) or exc.message)
            if exc.error == TOO_LONG and (brief := _brief(card)) != card:
                return await self._put(web, brief, files, put)
            wrong = set() if exc.error == TOO_LONG else _named(exc.details, blocks, files)
        if not wrong and card.preview is None:
            log.error("A card is said without its layout", extra={"subject": card.subject})
            return await put(message.text, []), {}
        for blob in wrong:
            await self._shelf.refused(web.team, blob)
        kept = {blob: file for blob, file in files.items() if blob not in wrong}
        return await self._put(web, replace(card, preview=None), kept, put)

    async def _files(self, web: Web, card: Card) -> tuple[dict[str, str], ChatUnavailable | None]:
        """Slack's files of the card's pictures, as far as they are ready; and why others may come
        later."""
        wanted = blobs_of(card)
        shown = await asyncio.gather(
            *(self._shelf.shown(web.team, blob, alt) for blob, alt in wanted),
            return_exceptions=True,
        )
        files: dict[str, str] = {}
        late: list[ChatUnavailable] = []
        for (blob, _), file in zip(wanted, shown, strict=True):
            if isinstance(file, NotFound | CorruptBlob | ChatRejected):
                log.warning("A picture can't be shown: %s", file.message)
            elif isinstance(file, ChatUnavailable):
                late.append(file)
            elif isinstance(file, BaseException):
                raise file
            elif file is not None:
                files[blob] = file
        # What is out of order is told before what only takes its time.
        return files, max(late, key=lambda exc: (not exc.queued, exc.retry_after_s), default=None)

    async def _follow(self, web: Web, card: Card, standing: _Standing) -> ChatUnavailable | None:
        """Post as plain files what the message doesn't show, once per thread; why some of them
        have to come later. The card stands whatever becomes of that: it has the picture's facts,
        and the portal has the picture."""
        if card.kind not in WITH_FILES:
            return None
        channel, thread = standing.ref.channel, standing.thread
        try:
            missing = [
                ref
                for ref in card.pictures
                if ref.blob not in standing.shown
                and not await self._shelf.follows(web.team, channel, thread, ref.blob)
            ]
            if not missing:
                return None
            oldest = standing.ref.message if standing.again else ""
            there = await page(web, channel, thread, oldest=oldest) if oldest else []
            stems = {stem for message in there for stem in file_stems(message)}
            for ref in missing:
                if _stem(ref) not in stems:
                    file = await self._post_plain(web, ref, channel, thread)
                    await self._shelf.followed(web.team, channel, thread, ref.blob, file)
        except ChatUnavailable as exc:
            return exc
        except ChatAmbiguous as exc:
            return ChatUnavailable(exc.message, retry_after_s=ARRIVED_S)
        except HousestyleError as exc:
            log.warning("A picture can't follow its card: %s", exc.message)
        return None

    async def _post_plain(self, web: Web, ref: PictureRef, channel: str, thread: str) -> str:
        data = await self._blobs.get(ref.blob)
        ending = next((end for magic, end in ENDINGS if data.startswith(magic)), "bin")
        draft = " · draft" if ref.draft else ""
        return await web.post_file(
            data,
            name=f"{_stem(ref)}.{ending}",
            alt=ref.alt,
            channel=channel,
            thread=thread,
            text=said(f"Picture {ref.number}{draft}"),
            key=f"file {channel} {thread} {ref.blob}",
        )


def _before(message: Outgoing) -> MessageRef | None:
    """Where it stands already, if it comes back for what was missing."""
    return message.sent if message.sent == message.update else None


def _stem(ref: PictureRef) -> str:
    return f"hs-{ref.blob[:22]}"


def _brief(card: Card) -> Card:
    """The card with its pictures and buttons, and with few words."""
    pictures = tuple(replace(ref, caption="", fields=()) for ref in card.pictures)
    return replace(
        card,
        pictures=pictures,
        preview=None,
        lines=card.lines[:BRIEF_LINES],
        fields=(),
        rows=card.rows[:BRIEF_ROWS],
        hint="",
    )


def _named(
    details: tuple[str, ...], blocks: list[dict[str, Any]], files: Mapping[str, str]
) -> set[str]:
    """Blobs in the blocks that Slack points at; all of them where it points at none with a
    picture but speaks of files."""
    numbers = {int(at) for one in details for at in re.findall(r"/blocks/(\d+)", one)}
    pointed = json.dumps([block for at, block in enumerate(blocks) if at in numbers])
    wrong = {blob for blob, file in files.items() if f'"{file}"' in pointed}
    return wrong or set(files)
