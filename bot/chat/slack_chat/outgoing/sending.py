"""Sending a card: a new message, a change in place, or a note that one person alone sees.

A new message carries its own id as metadata, so that it is found again after a lost answer; a
change may be made twice without harm. Pictures are files in Slack; those that Slack doesn't show
in the message follow as plain files in its thread.
"""

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol, TypeAlias

from bot.chat.slack_chat.methods import Method
from bot.chat.slack_chat.outgoing.looking import file_stems, metadata, page
from bot.chat.slack_chat.outgoing.places import Conversations, ref_of
from bot.chat.slack_chat.rendering.blocks import blobs_of, message_of
from bot.chat.slack_chat.rendering.text import said
from bot.chat.slack_chat.web import SlackRefused, Web
from bot.core.errors import ChatRejected, CorruptBlob, HousestyleError, NotFound
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
NOT_THERE = THREADLESS | {
    "not_in_channel",
    "channel_not_found",
    "user_not_in_channel",
    "is_archived",
}
"""A note can't be left for this person in that channel."""
TOO_LONG = "msg_blocks_too_long"
"""All blocks together say more than Slack takes; it does not say how it counts."""
LAYOUT = frozenset({"invalid_blocks", "invalid_blocks_format", TOO_LONG})
WITH_FILES = frozenset({"job", "review", "file"})
"""Kinds of cards whose pictures matter so much that they follow as files."""
BRIEF_ROWS = 5
"""Rows of a list that are left where Slack takes no more."""
ENDINGS = ((b"\x89PNG", "png"), (b"\xff\xd8", "jpg"), (b"RIFF", "webp"))
QUIET: dict[str, Any] = {"unfurl_links": False, "unfurl_media": False, "link_names": False}

Put: TypeAlias = Callable[[str, list[dict[str, Any]]], Awaitable[dict[str, Any]]]
"""Sends a text with blocks; Slack's answer."""


class PictureShelf(Protocol):
    """Pictures as files in Slack."""

    async def shown(self, team: str, blob: str, alt: str) -> str | None:
        """Slack's id of the file, once it is processed; None where that takes too long."""
        ...

    async def refused(self, team: str, blob: str) -> None:
        """Slack didn't take that file in a message: upload it anew next time."""
        ...


class CardSender:
    """Puts cards up in Slack."""

    def __init__(self, shelf: PictureShelf, blobs: BlobStore, conversations: Conversations) -> None:
        self._shelf = shelf
        self._blobs = blobs
        self._conversations = conversations

    async def send(self, web: Web, message: Outgoing) -> MessageRef:
        """See the Chat port."""
        target = message.target
        if message.only_for and not target.channel.startswith(("@", "D")):
            return await self._note(web, message)
        channel = await self._conversations.of(web, target.channel)
        files = await self._files(web, message.card)
        if message.update is not None:
            changed = await self._change(web, message, message.update, files)
            if changed is not None:
                return changed
        return await self._new(web, message, channel, target.thread, files)

    async def _new(
        self, web: Web, message: Outgoing, channel: str, thread: str, files: Mapping[str, str]
    ) -> MessageRef:
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
        await self._follow(web, message.card, shown, channel, thread or ts, again=False)
        return ref_of(web, str(answer.get("channel") or channel), ts, thread=thread)

    async def _change(
        self, web: Web, message: Outgoing, ref: MessageRef, files: Mapping[str, str]
    ) -> MessageRef | None:
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
        await self._follow(web, message.card, shown, channel, thread, again=True)
        return replace(ref, channel=channel, team=ref.team or web.team)

    async def _note(self, web: Web, message: Outgoing) -> MessageRef:
        """For one person alone: no picture may be in it. Where it can't stand, it goes to that
        person's direct line."""
        channel, thread = message.target.channel, message.target.thread
        where: dict[str, Any] = {"channel": channel, "user": message.only_for, "link_names": False}
        if thread:
            where["thread_ts"] = thread

        async def put(text: str, blocks: list[dict[str, Any]]) -> dict[str, Any]:
            says: dict[str, Any] = {"text": text, "blocks": blocks}
            return await web.call(Method.CHAT_POST_EPHEMERAL, **where, **says)

        card = replace(message.card, preview=None)
        try:
            answer, _ = await self._put(web, card, {}, put)
        except SlackRefused as exc:
            if exc.error not in NOT_THERE and not exc.error.startswith("restricted_action"):
                raise
            line = await self._conversations.of(web, f"@{message.only_for}")
            return await self._new(web, message, line, "", await self._files(web, message.card))
        return ref_of(web, channel, str(answer.get("message_ts", "")), thread=thread)

    async def _put(
        self, web: Web, card: Card, files: Mapping[str, str], put: Put
    ) -> tuple[dict[str, Any], Mapping[str, str]]:
        """Slack's answer, and the files that it shows. Where it takes a picture not, or the whole
        layout not, the card is said with less."""
        message = message_of(card, files=files)
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

    async def _files(self, web: Web, card: Card) -> dict[str, str]:
        """Slack's files of the card's pictures, as far as they are ready."""
        wanted = blobs_of(card)
        shown = await asyncio.gather(
            *(self._shelf.shown(web.team, blob, alt) for blob, alt in wanted),
            return_exceptions=True,
        )
        files: dict[str, str] = {}
        for (blob, _), file in zip(wanted, shown, strict=True):
            if isinstance(file, NotFound | CorruptBlob | ChatRejected):
                log.warning("A picture can't be shown: %s", file.message)
            elif isinstance(file, BaseException):
                raise file
            elif file is not None:
                files[blob] = file
        return files

    async def _follow(
        self,
        web: Web,
        card: Card,
        shown: Mapping[str, str],
        channel: str,
        thread: str,
        *,
        again: bool,
    ) -> None:
        """Post as plain files what the message doesn't show, once per thread. The card stands
        whatever becomes of that: it has the picture's facts, and the portal has the picture."""
        missing = [ref for ref in card.pictures if ref.blob not in shown]
        if not missing or card.kind not in WITH_FILES:
            return
        try:
            there = await page(web, channel, thread, oldest="0") if again else []
            stems = {stem for message in there for stem in file_stems(message)}
            for ref in missing:
                if _stem(ref) not in stems:
                    await self._post_plain(web, ref, channel, thread)
        except HousestyleError as exc:
            log.warning("A picture can't follow its card: %s", exc.message)

    async def _post_plain(self, web: Web, ref: PictureRef, channel: str, thread: str) -> None:
        data = await self._blobs.get(ref.blob)
        ending = next((end for magic, end in ENDINGS if data.startswith(magic)), "bin")
        draft = " · draft" if ref.draft else ""
        await web.post_file(
            data,
            name=f"{_stem(ref)}.{ending}",
            alt=ref.alt,
            channel=channel,
            thread=thread,
            text=said(f"Picture {ref.number}{draft}"),
            key=f"file {channel} {thread} {ref.blob}",
        )


def _stem(ref: PictureRef) -> str:
    return f"hs-{ref.blob[:22]}"


def _brief(card: Card) -> Card:
    """The card with its pictures and buttons, and with few words."""
    pictures = tuple(replace(ref, caption="", fields=()) for ref in card.pictures)
    return replace(
        card,
        pictures=pictures,
        preview=None,
        lines=card.lines[:1],
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
