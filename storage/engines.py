"""Database engines: from an address to connections that are set up right.

SQLite: write-ahead log, every commit on the disk (synchronous=FULL), foreign keys, and writers
that take the write lock when they begin. PostgreSQL: psycopg; readers see one consistent picture.
"""

import json
from functools import partial
from pathlib import Path
from sqlite3 import SQLITE_BUSY, OperationalError
from typing import Any

from sqlalchemy import Connection, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bot.core.errors import Mistake
from storage.sqlite_thread import connect

BUSY_S = 30
"""How long a SQLite writer waits for one in another process."""
IDLE_MS = 60_000
"""A PostgreSQL transaction left open this long by a frozen process is ended."""
WRITES = "housestyle_writes"
"""Execution option of connections that begin a writing transaction."""

_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
}
_PRAGMAS = (
    f"PRAGMA busy_timeout={BUSY_S * 1000}",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
)
_WAL_TRIES = 20


def create_engine(url: str) -> AsyncEngine:
    """An engine for `sqlite:///FOLDER/FILE` or `postgresql://USER@HOST/NAME`. Raises Mistake."""
    address = _address(url)
    as_json = partial(json.dumps, ensure_ascii=False, allow_nan=False)
    if address.get_backend_name() == "postgresql":
        return create_async_engine(
            address,
            json_serializer=as_json,
            hide_parameters=True,  # an error's text may reach a log; what people wrote may not
            pool_size=5,
            max_overflow=15,
            pool_pre_ping=True,
            connect_args={"options": f"-c idle_in_transaction_session_timeout={IDLE_MS}"},
        )
    engine = create_async_engine(
        address,
        json_serializer=as_json,
        hide_parameters=True,
        pool_size=4,
        max_overflow=12,
        connect_args={"async_creator_fn": connect},
    )
    event.listen(engine.sync_engine, "connect", _set_up_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _address(url: str) -> URL:
    try:
        address = make_url(url)
    except ArgumentError as exc:
        raise _unknown(url) from exc
    driver = _DRIVERS.get(address.get_backend_name())
    if driver is None:
        raise _unknown(url)
    if driver == "sqlite+aiosqlite":
        if not address.database or address.database == ":memory:":
            raise _unknown(url)
        Path(address.database).parent.mkdir(parents=True, exist_ok=True)
    return address.set(drivername=driver)


def _unknown(url: str) -> Mistake:
    scheme = url.partition("://")[0]
    return Mistake(
        f"No database is known by an address that starts with {scheme!r}.",
        fix="Write sqlite:///FOLDER/FILE.db, postgresql://USER@HOST/NAME, or memory:.",
        field="database",
    )


def _set_up_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401  (a DBAPI connection)
    # The driver would begin transactions by itself, and only before the first change.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    _write_ahead(cursor)
    cursor.close()


def _write_ahead(cursor: Any) -> None:  # noqa: ANN401  (a DBAPI cursor)
    """Keep a write-ahead log; a file remembers it, so only its first connections switch.

    Two that switch at once both hold the read lock that the other has to wait for, so SQLite
    refuses one of them without waiting (sqlite.org/c3ref/busy_handler.html, on deadlocks).
    """
    for _ in range(_WAL_TRIES):
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except OperationalError as exc:
            if exc.sqlite_errorcode != SQLITE_BUSY:
                raise
            # A writer's turn is waited for, so this comes back when the other has switched.
            cursor.execute("BEGIN IMMEDIATE")
            cursor.execute("COMMIT")
        else:
            return
    cursor.execute("PRAGMA journal_mode=WAL")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
