"""The ledger in SQL: events, and beside them the personal texts that can be erased."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError

from bot.core.errors import HousestyleError
from bot.core.ledger import Event, EventQuery, Head, Personal, Unreadable
from storage.rows import Shape
from storage.sql_table import Query, Session
from storage.steps import chained, head_moved, missing, taken
from storage.tables import EventRow, PersonalRow

_EVENTS = Shape(Event, EventRow, apart=("personal",))
_PERSONAL = Shape(Personal, PersonalRow)
_LOCK = 4_839_201_178
"""Any fixed number: PostgreSQL's advisory lock of the sequencer."""
_LAST = 2**63 - 1
"""The largest number. On SQLite, where a column may hold anything, text is larger than this."""
_PLACE = ("seq", "previous", "hash")
"""The columns that chaining fills."""


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
        subjects = (subject,) if subject else ()
        return await self.find(EventQuery(subjects=subjects, brand=brand, limit=limit))

    async def find(self, query: EventQuery) -> Sequence[Event]:
        """See the port."""
        conditions = self._conditions(query)
        if query.before:
            row = select(self._c.row).where(self._c.id == query.before)
            found = await self._session.first(row)
            if found is None:
                raise missing("page after", query.before)
            conditions.append(self._c.row < found[0])
        newest = self._c.row.desc()
        wanted = select(_EVENTS.table).where(*conditions).order_by(newest).limit(query.limit)
        return await self._load(wanted)

    async def lead(self) -> bool:
        """See the port. On SQLite the writer is alone anyway."""
        if not self._session.postgresql:
            return True
        mine = select(func.pg_try_advisory_xact_lock(_LOCK))
        found = await self._session.first(mine)
        return found is not None and bool(found[0])

    async def unchained(self, limit: int) -> Sequence[Event]:
        """See the port."""
        waiting = select(_EVENTS.table).where(self._c.seq.is_(None))
        return await self._load(waiting.order_by(self._c.row).limit(limit))

    async def waiting(self) -> int:
        """See the port."""
        return await self._session.number(
            select(func.count()).select_from(_EVENTS.table).where(self._c.seq.is_(None))
        )

    async def head(self) -> Head:
        """See the port."""
        last = select(self._c.seq, self._c.hash).where(self._c.seq <= _LAST)
        found = await self._session.first(last.order_by(self._c.seq.desc()).limit(1))
        return Head(seq=found[0], hash=found[1]) if found is not None else Head()

    async def chain(self, events: Sequence[Event]) -> None:
        """See the port."""
        if not events:
            return
        if events[0].linked(await self.head()).head != events[0].head:
            raise head_moved()
        waits = (self._c.id == bindparam("event"), self._c.seq.is_(None))
        values: dict[str, Any] = {name: bindparam(f"as_{name}") for name in _PLACE}
        statement = update(_EVENTS.table).where(*waits).values(**values)
        places = [
            {"event": event.id, **{f"as_{name}": getattr(event, name) for name in _PLACE}}
            for event in events
        ]
        try:
            changed = await self._session.change(statement, places)
        except IntegrityError as exc:  # another one gave out the same number
            raise head_moved() from exc
        if changed.rowcount != len(events):
            raise chained(events[0].id)

    async def page(
        self, after: int | None = None, limit: int = 500
    ) -> Sequence[Event | Unreadable]:
        """See the port."""
        lines = self._c.seq <= _LAST
        if after is not None:
            lines = and_(lines, self._c.seq > after)
        numbers = select(self._c.seq).where(lines).order_by(self._c.seq).limit(limit)
        wanted = select(_EVENTS.table).where(lines).order_by(self._c.seq).limit(limit)
        try:
            return await self._load(wanted)
        except _UNREADABLE:
            found = await self._session.rows(numbers)
            return [await self._line(row["seq"]) for row in found]

    async def forget(self, person: str) -> int:
        """See the port."""
        own = or_(self._c.actor == person, self._c.subject == f"person:{person}")
        events = select(self._c.id).where(own)
        texts = delete(_PERSONAL.table).where(_PERSONAL.table.c.event.in_(events))
        return (await self._session.change(texts)).rowcount

    def _conditions(self, query: EventQuery) -> list[ColumnElement[bool]]:
        c = self._c
        found: list[ColumnElement[bool]] = []
        if query.subjects:
            found.append(c.subject.in_(query.subjects))
        if query.person:
            found.append(or_(c.actor == query.person, c.subject == f"person:{query.person}"))
        if query.brand:
            found.append(c.brand == query.brand)
        if "." in query.action:
            found.append(c.action == query.action)
        elif query.action:
            found.append(c.action.startswith(f"{query.action}.", autoescape=True))
        if query.since is not None:
            found.append(c.at >= query.since)
        return found

    async def _line(self, seq: int) -> Event | Unreadable:
        try:
            (event,) = await self._load(select(_EVENTS.table).where(self._c.seq == seq))
        except _UNREADABLE as exc:
            return Unreadable(seq=seq, reason=str(exc)[:200])
        return event

    async def _load(self, query: Query) -> list[Event]:
        rows = await self._session.rows(query)
        personal = await self._personal([row["id"] for row in rows])
        return [_EVENTS.value(row, personal=personal[row["id"]]) for row in rows]

    async def _personal(self, events: list[str]) -> dict[str, dict[str, Any]]:
        of: dict[str, dict[str, Any]] = defaultdict(dict)
        table = _PERSONAL.table
        for row in await self._session.rows(select(table).where(table.c.event.in_(events))):
            of[row["event"]][row["name"]] = _PERSONAL.value(row)
        return of


_UNREADABLE = (HousestyleError, ValueError, TypeError, AttributeError)
"""What reading a row raises whose columns no longer hold what this version writes."""
