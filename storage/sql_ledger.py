"""The ledger in SQL: events, and beside them the personal texts that can be erased."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from bot.core.ledger import Event, Personal
from storage.rows import Shape
from storage.sql_table import Session
from storage.steps import taken
from storage.tables import EventRow, PersonalRow

_EVENTS = Shape(Event, EventRow, apart=("personal",))
_PERSONAL = Shape(Personal, PersonalRow)


class SqlLedger:
    """The Ledger port."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._c = _EVENTS.table.c

    async def append(self, event: Event) -> None:
        """See the port."""
        personal = [
            {"event": event.id, "name": name, **_PERSONAL.row(text)}
            for name, text in event.personal.items()
        ]
        tables = [(_EVENTS.table, [_EVENTS.row(event)]), (_PERSONAL.table, personal)]
        await self._session.insert(tables, refused=taken("event", event.id))

    async def recent(
        self, *, subject: str = "", brand: str = "", limit: int = 100
    ) -> Sequence[Event]:
        """See the port."""
        wanted = ((self._c.subject, subject), (self._c.brand, brand))
        conditions = [column == value for column, value in wanted if value]
        query = select(_EVENTS.table).where(*conditions).order_by(self._c.row.desc()).limit(limit)
        rows = await self._session.rows(query)
        personal = await self._personal([row["id"] for row in rows])
        return [_EVENTS.value(row, personal=personal[row["id"]]) for row in rows]

    async def _personal(self, events: list[str]) -> dict[str, dict[str, Any]]:
        of: dict[str, dict[str, Any]] = defaultdict(dict)
        table = _PERSONAL.table
        for row in await self._session.rows(select(table).where(table.c.event.in_(events))):
            of[row["event"]][row["name"]] = _PERSONAL.value(row)
        return of
