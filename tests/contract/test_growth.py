"""What is asked every hour costs about the same in a small and in a big archive.

Not time is counted, which depends on who else uses the machine, but work: the instructions of
SQLite's virtual machine, and the blocks that PostgreSQL touches.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeAlias

import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.core.assets import AssetQuery
from bot.core.budget import Change, accounts_of
from bot.core.jobs import INTERACTIVE
from bot.core.ledger import Event
from bot.core.lives import AssetState, OutboxState
from bot.core.messages import MessageRef
from bot.core.ports import Transaction
from storage.database import SqlStore
from storage.engines import create_engine
from storage.tables import METADATA
from tests.contract.values import (
    DRAFTS,
    LEASE,
    NOW,
    later,
    make_asset,
    make_job,
    make_outgoing,
    make_publication,
    make_review,
)

SMALL, BIG = 500, 10_000
MOST = 2.0
"""How much more work the big archive may make."""
HOLD = "brand:acme:acme"
FEW_BLOCKS = 12
"""PostgreSQL's indexes grow a level deeper now and then; so many blocks more are no matter."""

Ask: TypeAlias = Callable[[Transaction], Awaitable[object]]


STANDING = MessageRef(platform="local", channel="drafts", message="m")


class Enough(Exception):
    """Rolls back, so that the next count starts from the same state."""


async def claim_job(tx: Transaction) -> object:
    """Take the one job that waits."""
    job = await tx.jobs.claim("w", now=NOW, lease=LEASE)
    assert job is not None
    return job


async def change_job(tx: Transaction) -> object:
    """Compare-and-set."""
    (job,) = await tx.jobs.unfinished()
    return await tx.jobs.update(replace(job, error="x"), was=job)


async def claim_message(tx: Transaction) -> object:
    """Take the one message that waits."""
    message = await tx.outbox.claim("w", now=NOW, lease=LEASE, platforms=["local", "slack"])
    assert message is not None
    return message


def search(**query: object) -> Ask:
    """The first and the second page of a search."""

    async def run(tx: Transaction) -> object:
        wanted = AssetQuery(limit=20, **query)  # type: ignore[arg-type]
        page = await tx.assets.find(wanted)
        assert page
        return await tx.assets.find(replace(wanted, before=page[-1].id))

    return run


ASKED: dict[str, Ask] = {
    "claim a job": claim_job,
    "change a job": change_job,
    "claim a message": claim_message,
    "release expired jobs": lambda tx: tx.jobs.release_expired(later(999)),
    "recent jobs of a person": lambda tx: tx.jobs.recent(requester="mia"),
    "open reviews": lambda tx: tx.reviews.open(brand="acme"),
    "overdue reviews": lambda tx: tx.reviews.overdue(later(10**7)),
    "claim a post": lambda tx: tx.publications.claim(
        "w", now=NOW, lease=LEASE, platforms=["local", "slack"]
    ),
    "lost posts": lambda tx: tx.publications.expired(later(999)),
    "doubtful posts": lambda tx: tx.publications.doubtful(later(999)),
    "doubtful messages": lambda tx: tx.outbox.doubtful(later(999)),
    "the ledger of a thing": lambda tx: tx.ledger.recent(subject="job:7"),
    "whose card this is": lambda tx: tx.outbox.subject_of(replace(STANDING, message="m7")),
    "where a card stands": lambda tx: tx.outbox.message_of("card:7", DRAFTS),
    "newest of all": search(),
    "newest of a brand": search(brand="acme"),
    "of a rare state": search(brand="acme", states=(AssetState.APPROVED,)),
    "of two states": search(states=(AssetState.APPROVED, AssetState.REJECTED)),
    "of a person": search(requester="mia"),
    "a common word": search(text="mug", brand="acme"),
    "a rare word": search(text="teapot"),
    "a common and a rare word": search(text="mug teapot"),
    "a common word and a state": search(text="mug", states=(AssetState.REJECTED,)),
}


async def test_no_question_grows_with_the_archive(url: str) -> None:
    engine = create_engine(url)
    store = SqlStore(engine)
    counter = _Blocks(engine) if engine.dialect.name == "postgresql" else _Steps(engine)
    async with store.write() as tx:
        await tx.jobs.add(make_job())
        await tx.outbox.add(make_outgoing("sent", state=OutboxState.SENT, sent=STANDING))
        await tx.outbox.add(make_outgoing("waiting"))
        await tx.assets.add(make_asset(state=AssetState.APPROVED, words="a blue teapot, a mug"))
        await tx.reviews.add(make_review())
        await tx.publications.add(make_publication())
        await tx.ledger.append(Event(action="job.queued", subject="job:0", at=NOW))
    await _fill(engine, 0, SMALL)
    small = {name: await counter.count(store, ask) for name, ask in ASKED.items()}
    await _fill(engine, SMALL, BIG)
    big = {name: await counter.count(store, ask) for name, ask in ASKED.items()}
    await store.close()
    assert all(small.values())
    grown = {
        name: (small[name], big[name])
        for name in ASKED
        if big[name] > MOST * small[name] + counter.more
    }
    assert grown == {}, (small, big)


SHORT_QUEUE, LONG_QUEUE = 200, 20_000
QUEUE: dict[str, Ask] = {
    "claim a job": claim_job,
    "take a turn": lambda tx: tx.jobs.take_turn("new", priority=INTERACTIVE, pictures=1),
    "which budgets hold jobs": lambda tx: tx.jobs.holds(),
    "the oldest of those held": lambda tx: tx.jobs.held(HOLD, limit=10),
    "count in a budget": lambda tx: tx.budgets.count(
        accounts_of("p7", "", "acme"), "2026-03", Change(reserved_pictures=1)
    ),
}


async def test_a_long_queue_costs_no_more_to_claim_from(url: str) -> None:
    engine = create_engine(url)
    store = SqlStore(engine)
    counter = _Blocks(engine) if engine.dialect.name == "postgresql" else _Steps(engine)
    async with store.write() as tx:
        await tx.jobs.add(make_job())
    await _fill_queue(engine, 0, SHORT_QUEUE)
    short = {name: await counter.count(store, ask) for name, ask in QUEUE.items()}
    await _fill_queue(engine, SHORT_QUEUE, LONG_QUEUE)
    long = {name: await counter.count(store, ask) for name, ask in QUEUE.items()}
    await store.close()
    assert all(short[name] for name in QUEUE if name != "count in a budget")
    grown = [name for name in QUEUE if long[name] > MOST * short[name] + counter.more]
    assert grown == [], (short, long)


async def _fill_queue(engine: AsyncEngine, start: int, end: int) -> None:
    """Jobs of fifty people that wait for their turn, as many that a budget holds, and turns."""
    waiting = {"state": "'queued'", "requester": "'p' || (n % 50)", "turn": "n"}
    held = {**waiting, "id": "'held-' || n", "hold": f"'{HOLD}'", "turn": "0"}
    turns = "INSERT INTO turns (priority, requester, finish) SELECT 10, id, turn FROM jobs"
    async with engine.begin() as connection:
        for changed in (waiting, held):
            await connection.execute(
                text(_copies("jobs", changed)), {"first": start + 1, "last": end}
            )
        await connection.execute(text("DELETE FROM turns"))
        await connection.execute(text(turns))
        await connection.execute(text("ANALYZE"))


async def _roll_back(store: SqlStore, ask: Ask) -> None:
    async def run() -> None:
        async with store.write() as tx:
            await ask(tx)
            raise Enough

    with pytest.raises(Enough):
        await run()


class _Steps:
    """Instructions of SQLite's virtual machine, in tens."""

    more = 0

    def __init__(self, engine: AsyncEngine) -> None:
        self._steps = 0
        event.listen(engine.sync_engine, "connect", self._watch)

    def _watch(self, connection: Any, _record: object) -> None:  # noqa: ANN401
        connection.run_async(lambda driver: driver.set_progress_handler(self._step, 10))

    def _step(self) -> int:
        self._steps += 1
        return 0

    async def count(self, store: SqlStore, ask: Ask) -> int:
        """The work of one question."""
        await _roll_back(store, ask)  # the first one opens and warms
        self._steps = 0
        await _roll_back(store, ask)
        return self._steps


class _Blocks:
    """Blocks that PostgreSQL touches."""

    more = FEW_BLOCKS

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._asked: list[tuple[str, Any]] = []
        event.listen(engine.sync_engine, "before_cursor_execute", self._note)

    def _note(self, _connection: object, _cursor: object, sql: str, given: Any, *_: Any) -> None:  # noqa: ANN401
        self._asked.append((sql, given))

    async def count(self, store: SqlStore, ask: Ask) -> int:
        """The work of one question."""
        self._asked.clear()
        await _roll_back(store, ask)
        asked = [(sql, given) for sql, given in self._asked if sql.startswith(("SELECT", "UPDATE"))]
        blocks = 0
        async with self._engine.connect() as connection:
            for sql, given in asked:
                explain = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}"
                plan = (await connection.exec_driver_sql(explain, given)).scalar_one()[0]["Plan"]
                blocks += plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
            await connection.rollback()
        return blocks


async def _fill(engine: AsyncEngine, start: int, end: int) -> None:
    """Copy the first row of each table, ended, with an id of its own."""
    changes = {
        "jobs": {"state": "'done'"},
        "outbox": {"state": "'sent'", "subject": "'card:' || n", "sent_message": "'m' || n"},
        "assets": {"state": "'rejected'"},
        "reviews": {"state": "'decided'", "asset": "'asset-' || n"},
        "publications": {"state": "'sent'", "review": "'review-' || n"},
        "ledger": {"subject": "'job:' || n"},
    }
    async with engine.begin() as connection:
        for table, changed in changes.items():
            await connection.execute(
                text(_copies(table, changed)), {"first": start + 1, "last": end}
            )
        words = (
            "INSERT INTO asset_words SELECT 'mug', created_at, \"row\" FROM assets "
            "WHERE state = 'rejected' ON CONFLICT DO NOTHING"
        )
        await connection.execute(text(words))
        await connection.execute(text("ANALYZE"))


def _copies(table: str, changed: dict[str, str]) -> str:
    names = [column.name for column in METADATA.tables[table].columns if column.name != "row"]
    values = {"id": "'copy-' || n", **changed}
    chosen = ", ".join(values.get(name, f'"{name}"') for name in names)
    columns = ", ".join(f'"{name}"' for name in names)
    return (  # the names are our own tables' and columns'
        "WITH RECURSIVE numbers(n) AS "  # noqa: S608
        "(SELECT CAST(:first AS INTEGER) UNION ALL SELECT n + 1 FROM numbers WHERE n < :last) "
        f"INSERT INTO {table} ({columns}) SELECT {chosen} FROM {table}, numbers "
        f'WHERE "row" = (SELECT min("row") FROM {table})'
    )
