"""Sending a card: a new message, a change in place, or an answer that one person alone sees.

A new message has its own id as nonce, by which Discord knows it again for some minutes, and in the
hidden numbers by which it is found after that. A change names all its pictures and may be made
twice without harm, and so may an answer.

**Answers whose acknowledgement failed.** What was asked is done all the same. The answer is tried
by the interaction's token first; where Discord knows that no more (nothing was acknowledged, or
fifteen minutes have passed), it goes to the person's direct messages; where those are closed, one
line without details goes to the channel.
"""

import logging
from collections import OrderedDict
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bot.chat.discord_chat.options import DiscordOptions
from bot.chat.discord_chat.outgoing.client import Upload
from bot.chat.discord_chat.outgoing.failing import (
    ARCHIVED,
    FORBIDDEN,
    NO_ACCESS,
    NO_DMS,
    NO_PERMISSION,
    NO_SHARED_GUILD,
    NOT_OURS,
    THREAD_LOCKED,
    TOKEN_OVER,
    TOO_MANY_OLD_EDITS,
    UNAUTHORISED,
    UNKNOWN_CHANNEL,
    UNKNOWN_INTERACTION,
    UNKNOWN_MESSAGE,
    UNKNOWN_USER,
    UNKNOWN_WEBHOOK,
)
from bot.chat.discord_chat.outgoing.pictures import Pictures
from bot.chat.discord_chat.outgoing.rest import DiscordRest
from bot.chat.discord_chat.places import PLATFORM, room_of
from bot.chat.discord_chat.rendering.cards import rendered
from bot.chat.discord_chat.rest import DiscordRefused
from bot.core.cards import error_card
from bot.core.drafts import Rooms
from bot.core.errors import ChatRejected
from bot.core.messages import Card, ChannelRef, MessageRef, PictureRef
from bot.core.ports import Clock, Outgoing

log = logging.getLogger(__name__)

GONE = frozenset({UNKNOWN_MESSAGE, UNKNOWN_CHANNEL, NOT_OURS, ARCHIVED, TOO_MANY_OLD_EDITS})
"""The message can't be changed (any more): a new one takes its place."""
STALE = frozenset({ARCHIVED, TOO_MANY_OLD_EDITS})
"""Then it stands there still, and would show what is past for ever: it is deleted."""
THREADLESS = frozenset({UNKNOWN_CHANNEL, ARCHIVED, THREAD_LOCKED, NO_ACCESS, NO_PERMISSION})
"""Nothing can be said in that thread."""
UNANSWERED = frozenset(
    {UNKNOWN_MESSAGE, UNKNOWN_CHANNEL, UNKNOWN_WEBHOOK, UNKNOWN_INTERACTION, TOKEN_OVER}
)
"""Nothing can be answered with that token."""
CLOSED = frozenset({NO_DMS, NO_SHARED_GUILD, UNKNOWN_USER})
"""Nothing can be said to that person alone."""

TOKEN_LIVES = timedelta(minutes=15)
FRESH_WAITS_S = (0.5, 1.5)
"""A token that is fresh is unknown for a moment now and then (discord-api-docs #6851)."""
FRESH = timedelta(seconds=2)
"""Longer after it was said it is not waited for: where Discord takes no acknowledgements, many
answers come, and each would hold up those behind it."""
SEEDS = ("✅", "❌")
"""Put on a review's card, so that one tap votes."""
NO_PINGS: dict[str, Any] = {"parse": []}
ANSWERED_ELSEWHERE = Card(
    kind="reply",
    title="I have a private answer",
    lines=("It can't be shown here, and your direct messages are closed to me.",),
    fix="Allow direct messages in this server's privacy settings and ask again.",
)
BARRED = 1000
"""Rooms remembered in which we may put no emoji."""
BARRED_FOR = timedelta(minutes=10)
"""So long; then somebody may have allowed it."""


def direct_user(place: ChannelRef) -> str:
    """Whose direct line it is; empty for a channel."""
    return place.channel[1:] if place.channel.startswith("@") else ""


class CardSender:
    """Puts cards up in Discord."""

    def __init__(
        self,
        rest: DiscordRest,
        pictures: Pictures,
        *,
        clock: Clock,
        rooms: Rooms | None,
        options: DiscordOptions,
    ) -> None:
        self._rest = rest
        self._pictures = pictures
        self._clock = clock
        self._rooms = rooms
        self._portal = options.base_url
        self._unseeded: OrderedDict[str, datetime] = OrderedDict()

    async def send(self, message: Outgoing) -> MessageRef:
        """See the Chat port."""
        if message.only_for and (message.reply_to or not direct_user(message.target)):
            return await self._private(message)
        if self._rooms is not None:
            card = await self._rooms.fit(message.card, message.target)
            message = replace(message, card=card)
        if message.update is None:
            return await self._new(message)
        return await self._changed(message, message.update)

    async def room(self, place: ChannelRef) -> str:
        """Discord's id of the channel, thread or direct conversation. Raises as a call."""
        user = direct_user(place)
        return await self._rest.direct(user) if user else room_of(place)

    async def ref(self, room: str, message: str) -> MessageRef:
        """A message in Discord's own ids, with the address that people open."""
        link = await self._rest.link(room, message)
        return MessageRef(platform=PLATFORM, channel=room, message=message, link=link)

    # ------------------------------------------------------------------ for everybody there

    async def _new(self, message: Outgoing, *, nonce: str = "") -> MessageRef:
        target = message.target
        room = await self.room(target)
        body, files = await self._view(message)
        body |= {"nonce": nonce or message.id, "enforce_nonce": True}
        try:
            sent = await self._rest.create(room, body, files)
        except DiscordRefused as exc:
            if not target.thread or exc.error not in THREADLESS:
                raise
            log.info("A thread takes nothing: %s", exc.message, extra={"id": message.id})
            outside = replace(message, target=replace(target, thread=""))
            return await self._new(outside, nonce=nonce)
        if message.card.kind == "review" and not message.card.stamp and not direct_user(target):
            self._rest.beside(self._seed(room, sent))
        return await self.ref(room, sent)

    async def _changed(self, message: Outgoing, ref: MessageRef) -> MessageRef:
        """Where it stands then: a new message where it can't be changed any more, unless it was
        to go."""
        body, files = await self._view(message)
        try:
            await self._rest.change(ref.channel, ref.message, body, files)
        except DiscordRefused as exc:
            if exc.error not in GONE:
                raise
            if exc.error == UNKNOWN_MESSAGE and self._rest.has_deleted(ref.message):
                return ref
            log.info("A card is put up anew: %s", exc.message, extra={"id": message.id})
            new = await self._new(message)
            if exc.error in STALE:
                self._rest.beside(self._rest.remove(ref.channel, ref.message))
            return new
        return ref

    async def _seed(self, room: str, message: str) -> None:
        """Best effort: people can put the emoji there themselves."""
        now = self._clock.now()
        if (since := self._unseeded.get(room)) is not None and now - since < BARRED_FOR:
            return
        try:
            for emoji in SEEDS:
                await self._rest.react(room, message, emoji)
        except DiscordRefused as exc:
            if exc.status == FORBIDDEN:
                self._unseeded[room] = now
                while len(self._unseeded) > BARRED:
                    self._unseeded.popitem(last=False)
            raise

    # ------------------------------------------------------------------ for one person

    async def _private(self, message: Outgoing) -> MessageRef:
        """By the interaction's token, else on the person's direct line, else one line in the
        channel."""
        if message.reply_to and self._may_answer(message):
            try:
                return await self._answer(message)
            except ChatRejected as exc:
                code, status = _numbers(exc)
                if status == UNAUTHORISED and code not in UNANSWERED:
                    raise
                if code not in UNANSWERED:  # whoever asked shall not wait for ever
                    return await self._answer(replace(message, card=error_card(exc)))
                self._rest.forget(message.reply_to)
                log.info("An answer goes elsewhere: %s", exc.message, extra={"id": message.id})
        line = ChannelRef(platform=PLATFORM, channel=f"@{message.only_for}")
        try:
            return await self._new(replace(message, target=line))
        except DiscordRefused as exc:
            if exc.error not in CLOSED:
                raise
            log.info("An answer can't be shown: %s", exc.message, extra={"id": message.id})
        # Not the same nonce: it names what may stand in the direct conversation.
        return await self._new(replace(message, card=ANSWERED_ELSEWHERE), nonce=f"{message.id}.c")

    def _may_answer(self, message: Outgoing) -> bool:
        return self._age(message) < TOKEN_LIVES

    def _age(self, message: Outgoing) -> timedelta:
        return self._clock.now() - message.created_at

    async def _answer(self, message: Outgoing) -> MessageRef:
        body, files = await self._view(message)
        room = await self._room_if_open(message.target)
        waits = list(FRESH_WAITS_S)
        while True:
            try:
                sent = await self._rest.answer(message.reply_to, body, files)
            except DiscordRefused as exc:
                is_unknown = exc.error in (UNKNOWN_WEBHOOK, UNKNOWN_MESSAGE)
                if not is_unknown or not waits or self._age(message) >= FRESH:
                    raise
                await self._clock.sleep(waits.pop(0))
            else:
                return await self.ref(room, sent)

    async def _room_if_open(self, place: ChannelRef) -> str:
        """As `room`; an answer by token needs no open direct conversation."""
        try:
            return await self.room(place)
        except ChatRejected:
            return room_of(place)

    # ------------------------------------------------------------------ what is shown

    async def _view(self, message: Outgoing) -> tuple[dict[str, Any], tuple[Upload, ...]]:
        """The request's body, and the files that it shows. What a message showed before goes."""
        shown, files = await self._pictures.of(message.card)
        drawn = rendered(message.card, marker=message.id, shown=shown, link=self._link)
        body: dict[str, Any] = {
            "components": list(drawn.components),
            "flags": drawn.flags,
            "allowed_mentions": NO_PINGS,
        }
        return body, files

    def _link(self, thing: Card | PictureRef) -> str:
        """Where the portal shows it."""
        if isinstance(thing, PictureRef):
            return f"{self._portal}/pictures/{thing.asset}" if thing.asset else self._portal
        kind, _, key = thing.subject.partition(":")
        return f"{self._portal}/review/{key}" if kind == "review" else f"{self._portal}/gallery"


def _numbers(exc: ChatRejected) -> tuple[int, int]:
    """Discord's own number and the HTTP status; zeros where it was not Discord that refused."""
    return (exc.error, exc.status) if isinstance(exc, DiscordRefused) else (0, 0)
