"""All tables as text and back: one JSON list a row, the same for SQLite and PostgreSQL.

Why not each database's own copy: SQLite's online backup starts anew whenever another process
writes, and pg_dump must fit the server and can't be read back into SQLite. One read transaction
sees one consistent picture on both, holds no writer up, and its text restores into either.
"""

import hashlib
import json
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import Enum
from itertools import islice
from typing import Any, BinaryIO, cast

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    Float,
    Integer,
    MetaData,
    String,
    Table,
    Time,
    func,
    insert,
    inspect,
    select,
    text,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel.sql.sqltypes import UTCDateTime

from storage.engines import WRITES
from storage.errors import BackupDamaged
from storage.tables import METADATA
from storage.tables.base import BIG, PLAIN

ROWS_AT_ONCE = 500
_KINDS: tuple[tuple[type, str], ...] = (
    (UTCDateTime, "datetime"),
    (Boolean, "bool"),
    (Date, "date"),
    (Time, "time"),
    (JSON, "json"),
    (Float, "float"),
    (Integer, "int"),
)
_TYPES: dict[str, Any] = {
    "datetime": UTCDateTime,
    "bool": Boolean,
    "date": Date,
    "time": Time,
    "json": PLAIN,
    "float": Float,
    "int": BIG,
    "text": String,
}
_READERS = {
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
}


@dataclass(frozen=True, kw_only=True)
class TableDump:
    """What was written of a table."""

    name: str
    rows: int
    sha256: str
    """Of the whole text, its first line with the columns included."""


@asynccontextmanager
async def snapshot(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """One consistent picture of all tables, on a connection that only reads."""
    async with engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            await connection.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        async with connection.begin():
            yield connection


async def dump_table(connection: AsyncConnection, table: Table, file: BinaryIO) -> TableDump:
    """Write a table's columns and rows, in the order of its primary key."""
    digest, rows = hashlib.sha256(), 0
    columns = [[column.name, _kind(column)] for column in table.columns]

    def write(value: object) -> None:
        line = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        data = line.encode() + b"\n"
        digest.update(data)
        file.write(data)

    write({"columns": columns})
    query = select(*table.columns).order_by(*table.primary_key)
    async with connection.stream(query) as found:
        async for row in found:
            write([_plain(value) for value in row])
            rows += 1
    return TableDump(name=table.name, rows=rows, sha256=digest.hexdigest())


def tables() -> list[Table]:
    """All of them; those that others refer to come first."""
    return METADATA.sorted_tables


async def filled(engine: AsyncEngine) -> str:
    """A table that has rows already, or an empty text."""
    async with engine.connect() as connection:
        there = await connection.run_sync(lambda sync: set(inspect(sync).get_table_names()))
        for table in tables():
            if table.name in there:
                query = select(text("1")).select_from(table).limit(1)
                if (await connection.execute(query)).first() is not None:
                    return table.name
    return ""


async def load_tables(
    engine: AsyncEngine, dumps: Iterable[tuple[TableDump, Iterable[bytes]]]
) -> None:
    """Fill empty tables, all or none. Raises BackupDamaged."""
    async with engine.connect() as connection:
        await connection.execution_options(**{WRITES: True})
        async with connection.begin():
            for dump, lines in dumps:
                await _load_table(connection, dump, lines)


async def _load_table(connection: AsyncConnection, dump: TableDump, lines: Iterable[bytes]) -> None:
    digest, rows = hashlib.sha256(), 0
    lines = iter(lines)
    head = next(lines, b"")
    digest.update(head)
    columns = _columns(dump.name, head)
    table = Table(dump.name, MetaData(), *(Column(name, _TYPES[kind]) for name, kind in columns))
    while batch := list(islice(lines, ROWS_AT_ONCE)):
        values = []
        for line in batch:
            digest.update(line)
            values.append(_row(dump.name, columns, line))
        await connection.execute(insert(table), values)
        rows += len(values)
    if (rows, digest.hexdigest()) != (dump.rows, dump.sha256):
        raise BackupDamaged(f"The backup's table {dump.name} is not as it was written.")
    if connection.dialect.name == "postgresql" and columns[0][0] == "row":
        await _set_counter(connection, table)


async def _set_counter(connection: AsyncConnection, table: Table) -> None:
    """PostgreSQL counts rows by a sequence, which given numbers do not move."""
    last = (await connection.execute(select(func.max(table.c.row)))).scalar()
    if last is not None:
        sequence = func.pg_get_serial_sequence(table.name, "row")
        await connection.execute(select(func.setval(sequence, last)))


def _kind(column: Column[Any]) -> str:
    return next((kind for type_, kind in _KINDS if isinstance(column.type, type_)), "text")


def _plain(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return value


def _columns(table: str, line: bytes) -> Sequence[tuple[str, str]]:
    try:
        columns = [(str(name), str(kind)) for name, kind in json.loads(line)["columns"]]
        if not columns or any(kind not in _TYPES for _, kind in columns):
            raise ValueError("a kind of column is not known")
    except (ValueError, KeyError, TypeError) as exc:
        raise BackupDamaged(f"The backup's table {table} has no columns: {exc}.") from exc
    return columns


def _row(table: str, columns: Sequence[tuple[str, str]], line: bytes) -> dict[str, Any]:
    try:
        values = cast("list[Any]", json.loads(line))
        return {
            name: _READERS[kind](value) if kind in _READERS and value is not None else value
            for (name, kind), value in zip(columns, values, strict=True)
        }
    except (ValueError, TypeError) as exc:
        raise BackupDamaged(f"The backup's table {table} has a damaged row: {exc}.") from exc
