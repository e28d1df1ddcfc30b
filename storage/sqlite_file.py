"""Rewriting a SQLite file, so that nothing of deleted rows is left in it.

A deleted row's bytes stay in free pages and in the write-ahead log until they are used again.
VACUUM writes the file anew from what lives (https://sqlite.org/lang_vacuum.html), and the
truncating checkpoint empties the log.
"""

import sqlite3
from contextlib import closing

WAIT_S = 30
"""How long other writers and readers are waited for."""


def rewrite(path: str) -> bool:
    """Write the file anew; False if someone else used it for too long. Blocks: run in a thread."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=WAIT_S)
    with closing(connection):
        try:
            connection.execute("VACUUM")
            busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.OperationalError as exc:
            if exc.sqlite_errorcode in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                return False
            raise
        return not busy
