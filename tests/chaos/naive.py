"""The control: posts as one would without an outbox, a look-up or a repair.

A process claims a post with a lease, sends it, and marks it done. Whoever finds a lease run out,
or gets no answer, simply posts again. It must fail under the same kills, or the run proves nothing.
"""

import asyncio
import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import httpx

from tests.chaos.failpoints import Failpoints
from tests.chaos.plan import NAIVE, Plan

PACE_S = 1.0
"""Between two posts of a process, so that they last about as long as the run."""
POINT = "naive: between post and record"


def prepare(folder: Path, posts: int) -> None:
    """All posts that shall be made."""
    with closing(_open(folder)) as database:
        database.execute("CREATE TABLE posts (id INTEGER PRIMARY KEY, state TEXT, until REAL)")
        database.executemany(
            "INSERT INTO posts VALUES (?, 'pending', 0)", [(number,) for number in range(posts)]
        )


def left(folder: Path) -> int:
    """How many are not done."""
    with closing(_open(folder)) as database:
        query = "SELECT count(*) FROM posts WHERE state != 'done'"
        return int(database.execute(query).fetchone()[0])


async def main(plan: Plan) -> None:
    """Post until killed."""
    points = Failpoints(plan.folder)
    async with httpx.AsyncClient(base_url=plan.chat_url, timeout=5) as chat:
        with closing(_open(plan.folder)) as database:
            while True:
                number = _claimed(database, plan.lease_s)
                if number is not None:
                    try:
                        await _post(chat, number)
                    except httpx.HTTPError:
                        database.execute("UPDATE posts SET state='pending' WHERE id=?", [number])
                        continue
                    points.reached(POINT)
                    database.execute("UPDATE posts SET state='done' WHERE id=?", [number])
                await asyncio.sleep(PACE_S)


async def _post(chat: httpx.AsyncClient, number: int) -> None:
    body = {"channel": NAIVE, "outgoing": f"naive-{number}", "card": {"title": str(number)}}
    (await chat.post("/messages", json=body)).raise_for_status()


def _claimed(database: sqlite3.Connection, lease_s: float) -> int | None:
    now = time.time()
    query = (
        "UPDATE posts SET state='sending', until=? WHERE id = (SELECT id FROM posts WHERE "
        "state='pending' OR (state='sending' AND until < ?) ORDER BY id LIMIT 1) RETURNING id"
    )
    found = database.execute(query, [now + lease_s, now]).fetchone()
    return int(found[0]) if found else None


def _open(folder: Path) -> sqlite3.Connection:
    return sqlite3.connect(os.fspath(folder / "naive.db"), timeout=30, isolation_level=None)
