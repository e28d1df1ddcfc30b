"""Outgoing messages and taken deliveries in SQL."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, select, update

from bot.core.lives import OUTBOX_STEPS, OutboxState
from bot.core.messages import ChannelRef, MessageRef
from bot.core.ports import Outgoing
from storage.codec import clean_text, decode
from storage.rows import Shape
from storage.sql_table import Session, SqlTable
from storage.steps import IN_HAND, WAITING, due, place_of, superseded
from storage.tables import DeliveryRow, OutgoingRow, table_of

_SHAPE = Shape(Outgoing, OutgoingRow)
_DELIVERIES = table_of(DeliveryRow)


class _OutgoingTable(SqlTable[Outgoing]):
    def columns(self, value: Outgoing) -> dict[str, Any]:
        platform, channel, thread = place_of(value.target)
        return {
            **super().columns(value),
            "platform": platform,
            "channel": channel,
            "thread": thread,
            "subject": value.card.subject,
            "due_at": due(value),
            "sent_platform": value.sent.platform if value.sent else None,
            "sent_channel": value.sent.channel if value.sent else None,
            "sent_message": value.sent.message if value.sent else None,
        }


class SqlOutbox:
    """The Outbox port."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._messages = _OutgoingTable(session, "message", _SHAPE)
        self._c = self._messages.c

    async def add(self, message: Outgoing) -> None:
        """See the port."""
        if message.card.subject:
            pending = self._c.state == OutboxState.PENDING
            older = (self._same(message.card.subject, message.target), pending)
            values = {"state": OutboxState.SUPERSEDED, "version": self._c.version + 1}
            await self._session.change(update(_SHAPE.table).where(*older).values(values))
        await self._messages.add(message)

    async def get(self, message_id: str) -> Outgoing:
        """See the port."""
        return await self._messages.need(message_id)

    async def claim(
        self,
        worker: str,
        *,
        now: datetime,
        lease: timedelta,
        platforms: Collection[str] | None = None,
    ) -> Outgoing | None:
        """See the port."""
        passed: list[str] = []
        while message := await self._next(now, passed, platforms):
            passed.append(message.id)
            if message.card.subject:
                if not await self._has_turn(message):
                    continue
                if await self._is_late(message):
                    # A later card waits or was sent while this one waited for its next try.
                    await self._messages.update(superseded(message), message, OUTBOX_STEPS)
                    continue
            standing = await self.message_of(message.card.subject, message.target)
            claimed = replace(
                message,
                state=OutboxState.SENDING,
                update=message.update or standing,
                fence=message.fence + 1,
                worker=worker,
                lease_until=now + lease,
            )
            return await self._messages.update(claimed, message, OUTBOX_STEPS)
        return None

    async def update(self, new: Outgoing, *, was: Outgoing) -> Outgoing:
        """See the port."""
        return await self._messages.update(new, was, OUTBOX_STEPS)

    async def expired(self, now: datetime) -> Sequence[Outgoing]:
        """See the port."""
        lost = (self._c.state == OutboxState.SENDING, self._c.lease_until <= now)
        return await self._messages.where(*lost, order=(self._c.due_at, self._c.row))

    async def doubtful(self, now: datetime) -> Sequence[Outgoing]:
        """See the port."""
        ended = self._c.state.not_in(WAITING)
        order = (self._c.check_at, self._c.row)
        return await self._messages.where(self._c.check_at <= now, ended, order=order)

    async def message_of(self, subject: str, target: ChannelRef) -> MessageRef | None:
        """See the port."""
        if not subject:
            return None
        standing = (self._same(subject, target), self._c.sent_message.is_not(None))
        query = select(self._c.sent).where(*standing).order_by(self._c.row.desc()).limit(1)
        found = await self._session.first(query)
        return decode(MessageRef, found[0]) if found is not None else None

    async def newest(self, subject: str, target: ChannelRef) -> str:
        """See the port."""
        if not subject:
            return ""
        same = self._same(subject, target)
        query = select(self._c.id).where(same).order_by(self._c.row.desc()).limit(1)
        found = await self._session.first(query)
        return str(found[0]) if found is not None else ""

    async def subject_of(self, ref: MessageRef) -> str:
        """See the port."""
        same = [
            self._c.sent_message == ref.message,
            self._c.sent_channel == ref.channel,
            self._c.sent_platform == ref.platform,
        ]
        if ref.team:
            same.append(self._c.sent["team"].as_string().in_(("", ref.team)))
        found = await self._session.first(select(self._c.subject).where(*same).limit(1))
        return str(found[0]) if found is not None else ""

    async def counts(self) -> dict[str, int]:
        """See the port."""
        query = select(self._c.state, func.count().label("n")).group_by(self._c.state)
        return {row["state"].value: row["n"] for row in await self._session.rows(query)}

    async def _next(
        self, now: datetime, passed: Sequence[str], platforms: Collection[str] | None
    ) -> Outgoing | None:
        """The oldest due message whose subject is not being sent in that place just now."""
        conditions = [self._c.state == OutboxState.PENDING, self._c.due_at <= now]
        conditions += [self._c.id.not_in(passed)] if passed else []
        conditions += [self._c.platform.in_(platforms)] if platforms is not None else []
        conditions += [(self._c.subject == "") | ~self._being_sent()]
        order = (self._c.due_at, self._c.row)
        found = await self._messages.where(*conditions, order=order, limit=1, lock=True)
        return found[0] if found else None

    async def _has_turn(self, message: Outgoing) -> bool:
        """Whether no other worker claims a message of this subject and place at this moment."""
        if not self._session.postgresql:
            return True
        name = "/".join((message.card.subject, *place_of(message.target)))
        lock = func.pg_try_advisory_xact_lock(func.hashtextextended(name, 0))
        if not (await self._session.rows(select(lock.label("mine"))))[0]["mine"]:
            return False
        # Another worker may have committed its claim since the message was chosen.
        query = select(self._c.row).where(self._c.id == message.id, ~self._being_sent())
        return await self._session.first(query) is not None

    async def _is_late(self, message: Outgoing) -> bool:
        own = select(self._c.row).where(self._c.id == message.id).scalar_subquery()
        same = self._same(message.card.subject, message.target)
        return await self._session.first(select(1).where(same, self._c.row > own)) is not None

    def _being_sent(self) -> ColumnElement[bool]:
        other = _SHAPE.table.alias()
        return exists().where(
            other.c.subject == self._c.subject,
            other.c.platform == self._c.platform,
            other.c.channel == self._c.channel,
            other.c.thread == self._c.thread,
            other.c.state.in_(IN_HAND),
        )

    def _same(self, subject: str, target: ChannelRef) -> ColumnElement[bool]:
        platform, channel, thread = place_of(target)
        return and_(
            self._c.subject == subject,
            self._c.platform == platform,
            self._c.channel == channel,
            self._c.thread == thread,
        )


class SqlDeliveries:
    """The Deliveries port."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def take(self, platform: str, delivery: str, at: datetime) -> bool:
        """See the port."""
        row = {"platform": clean_text(platform), "delivery": clean_text(delivery), "at": at}
        return await self._session.insert_new(_DELIVERIES, row)
