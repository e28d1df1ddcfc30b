"""Reading and writing values of one SQL table inside a transaction."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import fields
from typing import Any, Generic, TypeAlias, TypeVar

from sqlalchemy import (
    ColumnElement,
    Executable,
    Row,
    Select,
    Table,
    case,
    insert,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import CursorResult, RowMapping
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.errors import Conflict
from bot.core.lives import Steps
from storage.rows import Shape
from storage.steps import check_move, grown, missing, stale, taken

V = TypeVar("V")
Values: TypeAlias = Mapping[str, Any]
Query: TypeAlias = Select[*tuple[Any, ...]]
AnyRow: TypeAlias = Row[*tuple[Any, ...]]


class Session:
    """One transaction on one connection."""

    def __init__(self, connection: AsyncConnection, *, writable: bool) -> None:
        self._connection = connection
        self.writable = writable
        self.postgresql = connection.dialect.name == "postgresql"
        self._dialect = postgresql if self.postgresql else sqlite

    async def rows(self, statement: Query) -> Sequence[RowMapping]:
        """All rows of a query, by column name."""
        return (await self._connection.execute(statement)).mappings().all()

    async def first(self, statement: Query) -> AnyRow | None:
        """The first row of a query, or None."""
        return (await self._connection.execute(statement)).first()

    async def stream(self, statement: Query) -> AsyncIterator[AnyRow]:
        """The rows of a query one after the other, for tables that do not fit into memory."""
        async with self._connection.stream(statement) as found:
            async for row in found:
                yield row

    async def number(self, statement: Query) -> int:
        """The one number that a query gives."""
        return int((await self._connection.execute(statement)).scalar_one())

    async def change(
        self, statement: Executable, values: Sequence[Values] | None = None
    ) -> CursorResult[Any]:
        """Run a statement that writes."""
        if not self.writable:
            raise RuntimeError("A read transaction can't change anything: use Store.write().")
        return await self._connection.execute(statement, values)

    def upsert(self, table: Table) -> postgresql.Insert | sqlite.Insert:
        """An INSERT of this database that knows ON CONFLICT."""
        return postgresql.insert(table) if self.postgresql else sqlite.insert(table)

    def step(self) -> AbstractAsyncContextManager[object]:
        """Do all of a block or nothing; the transaction stays usable either way.

        (On PostgreSQL a failed statement alone would spoil the whole transaction.)
        """
        return self._connection.begin_nested()

    async def insert(
        self, rows: Iterable[tuple[Table, Sequence[Values]]], *, refused: Conflict
    ) -> None:
        """Insert the rows of one thing, all or none; raises `refused` if a key is taken."""
        filled = [(table, values) for table, values in rows if values]
        alone = sum(len(values) for _, values in filled) == 1
        try:
            # SQLite takes a refused statement back by itself: one row needs no savepoint.
            async with nullcontext() if alone and not self.postgresql else self.step():
                for table, values in filled:
                    await self.add_rows(table, values)
        except IntegrityError as exc:
            raise refused from exc

    async def add_rows(self, table: Table, values: Sequence[Values]) -> None:
        """Insert rows that nothing can stand against."""
        if values:
            await self.change(insert(table), values)

    async def insert_new(self, table: Table, row: Values) -> bool:
        """Insert a row; False if one with the same key is there."""
        statement = self._dialect.insert(table).values(row).on_conflict_do_nothing()
        # PostgreSQL's driver counts no rows here, but it returns them.
        return (await self.change(statement.returning(*table.primary_key))).first() is not None

    async def put(self, table: Table, row: Values) -> None:
        """Insert a row, or replace the one with the same primary key."""
        key = [column.name for column in table.primary_key]
        others = {name: value for name, value in row.items() if name not in key}
        statement = self._dialect.insert(table).values(row)
        await self.change(statement.on_conflict_do_update(index_elements=key, set_=others))

    async def add_up(
        self, table: Table, rows: Sequence[Values], sums: Iterable[str]
    ) -> Sequence[RowMapping]:
        """Insert the rows, or add their `sums` columns to those that have the same primary key;
        the rows as they stand then."""
        key = [column.name for column in table.primary_key]
        statement = self._dialect.insert(table).values(rows)
        added = {name: table.c[name] + statement.excluded[name] for name in sums}
        statement = statement.on_conflict_do_update(index_elements=key, set_=added)
        return (await self.change(statement.returning(table))).mappings().all()

    async def put_later(self, table: Table, row: Values, column: str, least: int, step: int) -> int:
        """Insert the row, or move the number in `column` of the one with the same primary key on
        by `step` from at least `least`; the number then."""
        key = [name.name for name in table.primary_key]
        stored = table.c[column]
        moved = case((stored > least, stored), else_=least) + step
        statement = self._dialect.insert(table).values(row)
        statement = statement.on_conflict_do_update(index_elements=key, set_={column: moved})
        return int((await self.change(statement.returning(stored))).scalar_one())


class SqlTable(Generic[V]):
    """One table of values with an `id`."""

    def __init__(self, session: Session, kind: str, shape: Shape[V]) -> None:
        self.session = session
        self.kind = kind
        self.shape = shape
        self.c = shape.table.c

    def columns(self, value: V) -> dict[str, Any]:
        """What is stored of a value; tables with derived columns add theirs."""
        return self.shape.row(value)

    async def load(self, rows: Sequence[RowMapping]) -> list[V]:
        """The values of these rows; tables with parts elsewhere fetch them here."""
        return [self.shape.value(row) for row in rows]

    def conflict(self, value: V) -> Conflict:
        """The error for adding what is there already."""
        return taken(self.kind, value.id)  # type: ignore[attr-defined]

    async def add(self, value: V) -> None:
        """Raises Conflict if it is there."""
        rows = [(self.shape.table, [self.columns(value)])]
        await self.session.insert(rows, refused=self.conflict(value))

    async def find(self, key: str) -> V | None:
        """The value with this id, or None."""
        found = await self.where(self.c.id == key)
        return found[0] if found else None

    async def need(self, key: str) -> V:
        """The value with this id. Raises NotFound."""
        value = await self.find(key)
        if value is None:
            raise missing(self.kind, key)
        return value

    async def where(
        self,
        *conditions: ColumnElement[bool],
        order: Sequence[Any] = (),
        limit: int | None = None,
        lock: bool = False,
    ) -> list[V]:
        """The values that meet all conditions. `lock` skips rows that another claims now."""
        query = select(self.shape.table).where(*conditions).order_by(*order).limit(limit)
        if lock:
            # SQLite drops this silently; there the writer is alone anyway (BEGIN IMMEDIATE).
            query = query.with_for_update(skip_locked=True)
        return await self.load(await self.session.rows(query))

    async def update(self, new: V, was: V, steps: Steps[Any] | None, keep: Iterable[str] = ()) -> V:
        """Compare-and-set; columns in `keep` stay as they are stored. Raises StaleState."""
        check_move(new, was, steps)
        result = grown(new, was)
        values = self.columns(result)
        for name in keep:
            del values[name]
        statement = update(self.shape.table).where(*self._same(was)).values(values)
        if (await self.session.change(statement)).rowcount != 1:
            raise stale(await self.need(was.id))  # type: ignore[attr-defined]
        return result

    async def position(self, cursor: str, time: str) -> tuple[Any, int]:
        """Time and row number of the value with the id `cursor`. Raises NotFound."""
        query = select(self.c[time], self.c.row).where(self.c.id == cursor)
        found = await self.session.first(query)
        if found is None:
            raise missing("page after", cursor)
        return found[0], found[1]

    def _same(self, was: V) -> list[ColumnElement[bool]]:
        names = {f.name for f in fields(was)} & {"id", "version", "state", "fence"}  # type: ignore[arg-type]
        return [self.c[name] == getattr(was, name) for name in sorted(names)]


def before(table: Table, time: str, position: tuple[Any, int]) -> ColumnElement[bool]:
    """Older than a position, in a form that an index on (time, row) serves."""
    at, row = position
    older: ColumnElement[bool] = (table.c[time] <= at) & (
        (table.c[time] < at) | (table.c.row < row)
    )
    return older
