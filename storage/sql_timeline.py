"""The local chat's timeline in SQL. Each call is a transaction of its own."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import delete, select, update
from sqlalchemy.engine import RowMapping

from bot.core.messages import Card
from bot.core.ports import TimelineMessage
from storage.codec import clean_text, encode
from storage.rows import Shape
from storage.sql_table import Session, SqlTable
from storage.steps import missing, taken
from storage.tables import ReactionRow, TimelineRow, table_of

_SHAPE = Shape(TimelineMessage, TimelineRow, apart=("reactions",))
_REACTIONS = table_of(ReactionRow)

Begin: TypeAlias = Callable[[], AbstractAsyncContextManager[Session]]


class _MessageTable(SqlTable[TimelineMessage]):
    def columns(self, value: TimelineMessage) -> dict[str, Any]:
        return {**super().columns(value), "outgoing": value.outgoing or None}

    async def load(self, rows: Sequence[RowMapping]) -> list[TimelineMessage]:
        if not rows:
            return []
        ids = [row["id"] for row in rows]
        query = select(_REACTIONS).where(_REACTIONS.c.message.in_(ids)).order_by(_REACTIONS.c.row)
        of: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for found in await self.session.rows(query):
            of[found["message"]].append((found["emoji"], found["user"]))
        return [
            _SHAPE.value({**row, "outgoing": row["outgoing"] or ""}, reactions=tuple(of[key]))
            for key, row in zip(ids, rows, strict=True)
        ]


class SqlTimeline:
    """The Timeline port."""

    def __init__(self, reading: Begin, writing: Begin) -> None:
        self._reading = reading
        self._writing = writing

    async def add(self, message: TimelineMessage) -> TimelineMessage:
        """See the port."""
        async with self._writing() as session:
            table = _table(session)
            is_new = await session.insert_new(_SHAPE.table, table.columns(message))
            if is_new:
                await _mark(session, message)
                return message
            known = table.c.outgoing == (message.outgoing or None)
            found = await table.where(known) if message.outgoing else []
        if not found:
            raise taken("message", message.id)
        return found[0]

    async def replace(self, message_id: str, card: Card, at: datetime) -> TimelineMessage:
        """See the port."""
        async with self._writing() as session:
            await _touch(session, message_id, card=encode(card), edited_at=at)
            return await _table(session).need(message_id)

    async def remove(self, message_id: str) -> None:
        """See the port."""
        async with self._writing() as session:
            await session.change(delete(_REACTIONS).where(_REACTIONS.c.message == message_id))
            await session.change(delete(_SHAPE.table).where(_SHAPE.table.c.id == message_id))

    async def get(self, message_id: str) -> TimelineMessage:
        """See the port."""
        async with self._reading() as session:
            return await _table(session).need(message_id)

    async def react(self, message_id: str, emoji: str, user: str, *, on: bool) -> TimelineMessage:
        """See the port."""
        mark = {"message": message_id, "emoji": clean_text(emoji), "user": clean_text(user)}
        async with self._writing() as session:
            message = await _table(session).need(message_id)
            if on is ((emoji, user) in message.reactions):
                return message
            if on:
                await session.insert_new(_REACTIONS, mark)
            else:
                same = (_REACTIONS.c[name] == value for name, value in mark.items())
                await session.change(delete(_REACTIONS).where(*same))
            await _touch(session, message_id)
            return await _table(session).need(message_id)

    async def by_outgoing(self, outgoing_id: str) -> TimelineMessage | None:
        """See the port."""
        if not outgoing_id:
            return None
        async with self._reading() as session:
            table = _table(session)
            found = await table.where(table.c.outgoing == outgoing_id)
        return found[0] if found else None

    async def page(
        self, channel: str, *, user: str, before: str = "", limit: int = 50
    ) -> Sequence[TimelineMessage]:
        """See the port."""
        async with self._reading() as session:
            table = _table(session)
            conditions = [table.c.channel == channel, table.c.only_for.in_(("", user))]
            if before:
                _, row = await table.position(before, "at")
                conditions.append(table.c.row < row)
            newest = await table.where(*conditions, order=(table.c.row.desc(),), limit=limit)
        return newest[::-1]


def _table(session: Session) -> _MessageTable:
    return _MessageTable(session, "message", _SHAPE)


async def _mark(session: Session, message: TimelineMessage) -> None:
    marks = [
        {"message": message.id, "emoji": emoji, "user": user} for emoji, user in message.reactions
    ]
    await session.add_rows(_REACTIONS, marks)


async def _touch(session: Session, message_id: str, **values: object) -> None:
    c = _SHAPE.table.c
    statement = update(_SHAPE.table).where(c.id == message_id)
    changed = await session.change(statement.values(version=c.version + 1, **values))
    if changed.rowcount != 1:
        raise missing("message", message_id)
