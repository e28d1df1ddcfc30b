"""A write that is cancelled in the middle leaves SQLite to the next one at once."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from storage.engines import WRITES, create_engine

LONG = (
    "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 300000) "
    "SELECT sum(x) FROM n"
)


@pytest.mark.parametrize("times", [1, 2])
async def test_a_write_that_is_cancelled_gives_its_lock_back(tmp_path: Path, times: int) -> None:
    file = tmp_path / "house.db"
    engine = create_engine(f"sqlite:///{file}")
    begun = asyncio.Event()

    async def write() -> None:
        async with engine.connect() as connection:
            await connection.execution_options(**{WRITES: True})
            async with connection.begin():
                begun.set()
                await connection.execute(text(LONG))

    task = asyncio.create_task(write())
    await begun.wait()
    for _ in range(times):
        task.cancel()
    # The error is kept, and with it everything that its traceback refers to, as in a log.
    (error,) = await asyncio.gather(task, return_exceptions=True)
    assert isinstance(error, asyncio.CancelledError)
    with closing(sqlite3.connect(file, isolation_level=None, timeout=1)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("ROLLBACK")
    await engine.dispose()
