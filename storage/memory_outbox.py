"""Outgoing messages and taken deliveries in memory."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.lives import OUTBOX_STEPS, OutboxState
from bot.core.messages import ChannelRef, MessageRef
from bot.core.ports import Outgoing
from storage.memory_tables import Table, Tables
from storage.steps import IN_HAND, WAITING, due, place_of, superseded


class MemoryOutbox:
    """The Outbox port."""

    def __init__(self, tables: Tables) -> None:
        self._messages: Table[Outgoing] = Table(tables, "message")

    async def add(self, message: Outgoing) -> None:
        """See the port."""
        self._messages.add(message.id, message)
        for older in self._same(message.card.subject, message.target):
            if older.id != message.id and older.state is OutboxState.PENDING:
                self._messages.update(superseded(older), older, OUTBOX_STEPS)

    async def get(self, message_id: str) -> Outgoing:
        """See the port."""
        return self._messages.need(message_id)

    async def claim(
        self,
        worker: str,
        *,
        now: datetime,
        lease: timedelta,
        platforms: Collection[str] | None = None,
    ) -> Outgoing | None:
        """See the port."""
        for message in self._messages.oldest(due):
            if message.state is not OutboxState.PENDING or due(message) > now:
                continue
            if platforms is not None and message.target.platform not in platforms:
                continue
            others = self._same(message.card.subject, message.target)
            if any(other.state in IN_HAND for other in others):
                continue
            if others and others[-1].id != message.id:
                # A later card waits or was sent while this one waited for its next try.
                self._messages.update(superseded(message), message, OUTBOX_STEPS)
                continue
            claimed = replace(
                message,
                state=OutboxState.SENDING,
                update=message.update or _last_sent(others),
                fence=message.fence + 1,
                worker=worker,
                lease_until=now + lease,
            )
            return self._messages.update(claimed, message, OUTBOX_STEPS)
        return None

    async def update(self, new: Outgoing, *, was: Outgoing) -> Outgoing:
        """See the port."""
        return self._messages.update(new, was, OUTBOX_STEPS)

    async def expired(self, now: datetime) -> Sequence[Outgoing]:
        """See the port."""
        return [
            message
            for message in self._messages.oldest(due)
            if message.state is OutboxState.SENDING
            and message.lease_until is not None
            and message.lease_until <= now
        ]

    async def doubtful(self, now: datetime) -> Sequence[Outgoing]:
        """See the port."""
        ended = (m for m in self._messages if m.state not in WAITING)
        due = [(m.check_at, m) for m in ended if m.check_at is not None and m.check_at <= now]
        return [message for _, message in sorted(due, key=lambda pair: pair[0])]

    async def message_of(self, subject: str, target: ChannelRef) -> MessageRef | None:
        """See the port."""
        return _last_sent(self._same(subject, target))

    async def newest(self, subject: str, target: ChannelRef) -> str:
        """See the port."""
        return next((message.id for message in reversed(self._same(subject, target))), "")

    async def subject_of(self, ref: MessageRef) -> str:
        """See the port."""
        wanted = (ref.platform, ref.channel, ref.message)
        for message in self._messages:
            sent = message.sent
            if sent is None or (sent.platform, sent.channel, sent.message) != wanted:
                continue
            if not ref.team or sent.team in ("", ref.team):
                return message.card.subject
        return ""

    async def counts(self) -> dict[str, int]:
        """See the port."""
        return dict(Counter(message.state.value for message in self._messages))

    def _same(self, subject: str, target: ChannelRef) -> list[Outgoing]:
        """The messages about this subject in this place, as they were added."""
        if not subject:
            return []
        place = place_of(target)
        return [
            message
            for message in self._messages
            if message.card.subject == subject and place_of(message.target) == place
        ]


def _last_sent(messages: list[Outgoing]) -> MessageRef | None:
    return next((message.sent for message in reversed(messages) if message.sent), None)


class MemoryDeliveries:
    """The Deliveries port."""

    def __init__(self, tables: Tables) -> None:
        self._taken: Table[datetime] = Table(tables, "delivery")

    async def take(self, platform: str, delivery: str, at: datetime) -> bool:
        """See the port."""
        if self._taken.get((platform, delivery)) is not None:
            return False
        self._taken.put((platform, delivery), at)
        return True
