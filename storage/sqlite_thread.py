"""A SQLite connection that asks its thread only where it may have to wait.

The driver hands every call to a thread and back, which costs more than most calls take: making a
cursor, taking the rows that a statement has found, closing it. Those are done at once; running a
statement, beginning and committing, which may wait for the disk or for another writer, are not.
"""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiosqlite

_AT_ONCE = frozenset({"cursor", "fetchall", "fetchone", "fetchmany"})
_ITER_CHUNK = 64


class QuickConnection(aiosqlite.Connection):
    """The driver's connection; sqlite3 lets several threads use it one after the other."""

    _stopped = False

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        name, owner = getattr(fn, "__name__", ""), getattr(fn, "__self__", None)
        closes = name == "close" and isinstance(owner, sqlite3.Cursor)
        if (name in _AT_ONCE or closes) and self._connection is not None:
            return fn(*args, **kwargs)
        return await super()._execute(fn, *args, **kwargs)  # type: ignore[no-untyped-call]

    def stop(self) -> Any:  # noqa: ANN401  (a future of the loop that runs, or None)
        """Roll back, then close; only the first time, as the thread ends with it.

        A connection that is closed while a cursor of it is still referenced, as by the traceback
        of a write that was cancelled, lives on until that is collected, and so would its lock
        (sqlite.org/c3ref/close.html, on sqlite3_close_v2)."""
        if self._stopped:
            return None
        self._stopped = True
        self._undo()
        return super().stop()

    async def close(self) -> None:
        """Roll back, then close, once what is queued has run."""
        self._undo()
        await super().close()

    def _undo(self) -> None:
        if self._connection is not None:
            self._tx.put_nowait((None, self._connection.rollback))


def connect(database: str | Path, **options: Any) -> QuickConnection:
    """A connection that is opened when it is awaited."""

    def open_it() -> sqlite3.Connection:
        opened: sqlite3.Connection = sqlite3.connect(
            database, **{**options, "check_same_thread": False}
        )
        return opened

    connection = QuickConnection(open_it, _ITER_CHUNK)
    connection._thread.daemon = True
    return connection
