"""Rows for every table of any version, made from what the tables say of themselves."""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    Date,
    DateTime,
    Float,
    Integer,
    MetaData,
    Table,
    Time,
    func,
    insert,
    inspect,
    select,
)
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel.sql.sqltypes import UTCDateTime

from storage.engines import WRITES

ROWS = 4
NOW = datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=UTC)
Rows = dict[str, list[dict[str, Any]]]
Words = dict[str, list[str]]


async def fill(engine: AsyncEngine) -> Rows:
    """Put ROWS rows into every table that is there; what was put."""
    async with engine.connect() as connection:
        await connection.execution_options(**{WRITES: True})
        async with connection.begin():
            return await connection.run_sync(_fill)


async def rows_of(engine: AsyncEngine, columns: dict[str, list[str]]) -> Rows:
    """These columns of these tables, in the order of insertion."""
    async with engine.connect() as connection:
        return await connection.run_sync(_rows, columns)


def _fill(connection: Connection) -> Rows:
    made: Rows = {}
    for table in reflected(connection).sorted_tables:
        if table.name == "alembic_version":
            continue
        words = _words(connection, table)
        rows = [_row(table, number, made, words) for number in range(ROWS)]
        connection.execute(insert(table), rows)
        if connection.dialect.name == "postgresql" and "row" in table.c:
            counter = func.pg_get_serial_sequence(table.name, "row")
            connection.execute(select(func.setval(counter, ROWS)))
        made[table.name] = rows
    return made


def _rows(connection: Connection, columns: dict[str, list[str]]) -> Rows:
    tables = reflected(connection).tables
    return {
        name: [
            dict(row)
            for row in connection.execute(
                select(*(tables[name].c[column] for column in wanted)).order_by(
                    *tables[name].primary_key
                )
            ).mappings()
        ]
        for name, wanted in columns.items()
    }


def reflected(connection: Connection) -> MetaData:
    """The tables as this database knows them."""
    found = MetaData()
    found.reflect(connection)
    for table in found.tables.values():
        for column in table.columns:
            if isinstance(column.type, DateTime):
                column.type = UTCDateTime()
    return found


def _row(table: Table, number: int, made: Rows, words: Words) -> dict[str, Any]:
    return {column.name: _value(column, number, made, words) for column in table.columns}


def _value(column: Column[Any], number: int, made: Rows, words: Words) -> Any:  # noqa: ANN401
    for key in column.foreign_keys:
        return made[key.column.table.name][number][key.column.name]
    if column.nullable and number == 1:
        return None
    word = _word(column, number, words)
    makers: tuple[tuple[type, Any], ...] = (
        (UTCDateTime, NOW + timedelta(minutes=number)),
        (Date, date(2026, 3, 2) + timedelta(days=number)),
        (Time, time(9, number)),
        (JSON, {"n": number, "text": '🫖 " \\ \n', "list": [1.5, None, True, 2**62]}),
        (Boolean, bool(number % 2)),
        (Float, number / 8),
        (Integer, number + 1),
    )
    return next((value for kind, value in makers if isinstance(column.type, kind)), word)


def _word(column: Column[Any], number: int, words: Words) -> str:
    """A text; one of its words where the column takes only certain ones."""
    allowed = words.get(column.name)
    if allowed:
        return allowed[number % len(allowed)]
    return f"{column.name} {number} 🫖 ' \" \\"


def _words(connection: Connection, table: Table) -> Words:
    """The words that each column's CHECK allows."""
    found: Words = {}
    for check in inspect(connection).get_check_constraints(table.name):
        for column in table.columns:
            if re.search(rf"\b{column.name}\b", check["sqltext"].partition("'")[0]):
                found[column.name] = re.findall(r"'([^']*)'", check["sqltext"])
    return found
