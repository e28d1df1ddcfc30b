"""The local chat's timeline in memory."""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime

from bot.core.messages import Card
from bot.core.ports import TimelineMessage
from bot.core.redacting import GONE, SOMEONE, scrubbed
from storage.codec import encode
from storage.steps import missing, taken


class MemoryTimeline:
    """The Timeline port."""

    def __init__(self) -> None:
        self._messages: dict[str, TimelineMessage] = {}
        self._outgoing: dict[str, str] = {}

    async def add(self, message: TimelineMessage) -> TimelineMessage:
        """See the port."""
        if message.outgoing and (known := await self.by_outgoing(message.outgoing)):
            return known
        if message.id in self._messages:
            raise taken("message", message.id)
        encode(message)  # what a database could not keep is refused here too
        self._messages[message.id] = message
        if message.outgoing:
            self._outgoing[message.outgoing] = message.id
        return message

    async def replace(self, message_id: str, card: Card, at: datetime) -> TimelineMessage:
        """See the port."""
        return self._change(replace(await self.get(message_id), card=card, edited_at=at))

    def count(self) -> int:
        """How many messages stand in it."""
        return len(self._messages)

    async def remove(self, message_id: str) -> None:
        """See the port."""
        message = self._messages.pop(message_id, None)
        if message is not None:
            self._outgoing.pop(message.outgoing, None)

    async def get(self, message_id: str) -> TimelineMessage:
        """See the port."""
        if message_id not in self._messages:
            raise missing("message", message_id)
        return self._messages[message_id]

    async def react(self, message_id: str, emoji: str, user: str, *, on: bool) -> TimelineMessage:
        """See the port."""
        message = await self.get(message_id)
        others = tuple(mark for mark in message.reactions if mark != (emoji, user))
        if on is ((emoji, user) in message.reactions):
            return message
        reactions = (*others, (emoji, user)) if on else others
        return self._change(replace(message, reactions=reactions))

    async def by_outgoing(self, outgoing_id: str) -> TimelineMessage | None:
        """See the port."""
        return self._messages.get(self._outgoing.get(outgoing_id, ""))

    async def page(
        self, channel: str, *, user: str, before: str = "", limit: int = 50
    ) -> Sequence[TimelineMessage]:
        """See the port."""
        messages = list(self._messages.values())
        if before:
            messages = messages[: messages.index(await self.get(before))]
        seen = [m for m in messages if m.channel == channel and m.only_for in ("", user)]
        return seen[-limit:]

    def blobs(self, users: Collection[str] | None = None) -> set[str]:
        """Files that messages hold: of these accounts, or of all."""
        held = (m.blob for m in self._messages.values() if users is None or m.user in users)
        return set(held) - {""}

    def erase(
        self,
        users: Collection[str],
        found: re.Pattern[str],
        card_of: Callable[[Card], Card],
    ) -> int:
        """Take a person out, who has these accounts here and the names that `found` finds; how
        many messages changed."""
        touched = 0
        for message in list(self._messages.values()):
            line = message.channel.partition("/")[0].removeprefix("@")
            if message.only_for in users or (message.channel.startswith("@") and line in users):
                del self._messages[message.id]
                self._outgoing.pop(message.outgoing, None)
                touched += 1
                continue
            new = _without(message, users, found, card_of)
            if new != message:
                self._change(new)
                touched += 1
        return touched

    def _change(self, message: TimelineMessage) -> TimelineMessage:
        encode(message)
        changed = replace(message, version=message.version + 1)
        self._messages[message.id] = changed
        return changed


def _without(
    message: TimelineMessage,
    users: Collection[str],
    found: re.Pattern[str],
    card_of: Callable[[Card], Card],
) -> TimelineMessage:
    if message.user in users:
        message = replace(message, author=SOMEONE, user="", text=GONE, blob="")
    return replace(
        message,
        text=scrubbed(message.text, found),
        author=scrubbed(message.author, found),
        card=card_of(message.card) if message.card else None,
        reactions=tuple(mark for mark in message.reactions if mark[1] not in users),
    )
