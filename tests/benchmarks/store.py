"""What a large archive costs: `python -m tests.benchmarks.store`.

Fills one small and one big database of each kind and asks both the same, in turn, so that what
else the machine does falls on both. Prints JSON: for SQLite and PostgreSQL the median time at
200,000 rows over the median time at 1,000. Goal of each: at most 2.

- `claim_ratio`: claim the one job that waits.
- `transition_ratio`: move a job on by compare-and-set.
- `search_ratio`: find two words among the pictures, two pages.

Each is rolled back, so that every round finds the same. What a transaction needs to begin and to
end is part of the time, as it is for the product.
"""

import argparse
import asyncio
import gc
import json
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

from sqlalchemy import text

from bot.core.assets import AssetQuery
from bot.core.jobs import Job
from bot.core.lives import AssetState
from bot.core.ports import Transaction
from storage import upgrades
from storage.database import SqlStore
from storage.engines import create_engine
from storage.tables import METADATA
from tests.contract.postgres import postgres_server
from tests.contract.values import LEASE, NOW, make_asset, make_job

SMALL, BIG = 1_000, 200_000
ROUNDS = 60
COPIED: Mapping[str, Mapping[str, str]] = {
    "jobs": {"state": "'done'"},
    "assets": {"state": "'rejected'"},
}

Ask: TypeAlias = Callable[[Transaction], Awaitable[object]]
Times: TypeAlias = dict[str, list[float]]


class Enough(Exception):
    """Rolls back."""


async def claim(tx: Transaction) -> object:
    """Take the one job that waits."""
    job = await tx.jobs.claim("worker", now=NOW, lease=LEASE)
    assert job is not None
    return job


def transition(job: Job) -> Ask:
    """Compare-and-set of a job that was read before."""

    async def run(tx: Transaction) -> object:
        return await tx.jobs.update(replace(job, error="x"), was=job)

    return run


async def search(tx: Transaction) -> object:
    """Two pages of a search for a common and a rare word."""
    wanted = AssetQuery(text="mug", brand="acme", limit=20)
    page = await tx.assets.find(wanted)
    return await tx.assets.find(replace(wanted, before=page[-1].id)), await tx.assets.find(
        AssetQuery(text="mug teapot", limit=20)
    )


async def measure(backend: str, rounds: int, big: int) -> dict[str, float]:
    """The three ratios of one kind of database."""
    async with _pair(backend, big) as stores:
        times: dict[int, Times] = {size: {} for size in stores}
        asks = {size: await _asks(store) for size, store in stores.items()}
        for number in range(rounds + 1):
            for name in ("claim", "transition", "search"):
                for size, store in stores.items():
                    seconds = await _once(store, asks[size][name])
                    if number:  # the first round opens and warms
                        times[size].setdefault(name, []).append(seconds)
    return {f"{name}_ratio": _ratio(times, name, big) for name in times[SMALL]}


def _ratio(times: dict[int, Times], name: str, big: int) -> float:
    small, large = (statistics.median(times[size][name]) for size in (SMALL, big))
    print(f"{name}: {small * 1000:.2f} ms and {large * 1000:.2f} ms", file=sys.stderr)
    return round(large / small, 2)


async def _asks(store: SqlStore) -> dict[str, Ask]:
    async with store.read() as tx:
        (job,) = await tx.jobs.unfinished()
    return {"claim": claim, "transition": transition(job), "search": search}


async def _once(store: SqlStore, ask: Ask) -> float:
    gc.disable()
    began = time.perf_counter()
    with suppress(Enough):
        async with store.write() as tx:
            await ask(tx)
            raise Enough
    seconds = time.perf_counter() - began
    gc.enable()
    return seconds


@asynccontextmanager
async def _pair(backend: str, big: int) -> AsyncIterator[dict[int, SqlStore]]:
    """A small and a big store beside each other."""
    if backend == "sqlite":
        with tempfile.TemporaryDirectory(prefix="housestyle-store-") as folder:
            urls = {size: f"sqlite:///{Path(folder) / f'{size}.db'}" for size in (SMALL, big)}
            async with _filled(urls) as stores:
                yield stores
        return
    with postgres_server() as url:
        urls = {size: url.replace("/postgres?", f"/rows{size}?") for size in (SMALL, big)}
        await _create(url, urls)
        async with _filled(urls) as stores:
            yield stores


async def _create(url: str, urls: Mapping[int, str]) -> None:
    engine = create_engine(url).execution_options(isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        for size in urls:
            await connection.execute(text(f"CREATE DATABASE rows{size}"))
    await engine.dispose()


@asynccontextmanager
async def _filled(urls: Mapping[int, str]) -> AsyncIterator[dict[int, SqlStore]]:
    stores = {}
    for size, url in urls.items():
        engine = create_engine(url)
        await upgrades.upgrade(engine)
        stores[size] = store = SqlStore(engine)
        async with store.write() as tx:
            await tx.jobs.add(make_job())
            await tx.assets.add(make_asset(state=AssetState.APPROVED, words="a blue teapot, a mug"))
        async with engine.begin() as connection:
            for table, changed in COPIED.items():
                await connection.execute(text(_copies(table, changed)), {"last": size})
            await connection.execute(
                text(
                    "INSERT INTO asset_words SELECT 'mug', created_at, \"row\" FROM assets "
                    "WHERE state = 'rejected' ON CONFLICT DO NOTHING"
                )
            )
            await connection.execute(text("ANALYZE"))
        print(f"{size:,} rows in {engine.dialect.name}", file=sys.stderr)
    try:
        yield stores
    finally:
        for store in stores.values():
            await store.close()


def _copies(table: str, changed: Mapping[str, str]) -> str:
    """Copy the first row of a table, ended, with an id of its own."""
    names = [column.name for column in METADATA.tables[table].columns if column.name != "row"]
    values: dict[str, Any] = {"id": "'copy-' || n", **changed}
    chosen = ", ".join(values.get(name, f'"{name}"') for name in names)
    columns = ", ".join(f'"{name}"' for name in names)
    return (  # the names are our own tables' and columns'
        "WITH RECURSIVE numbers(n) AS "  # noqa: S608
        "(SELECT CAST(1 AS INTEGER) UNION ALL SELECT n + 1 FROM numbers WHERE n < :last) "
        f"INSERT INTO {table} ({columns}) SELECT {chosen} FROM {table}, numbers "
        f'WHERE "row" = (SELECT min("row") FROM {table})'
    )


async def all_of(backends: list[str], rounds: int, big: int) -> dict[str, Any]:
    """The ratios of these kinds of databases."""
    return {"backends": {name: await measure(name, rounds, big) for name in backends}}


def main() -> None:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--backend", choices=("sqlite", "postgresql"), action="append")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--rows", type=int, default=BIG, help="of the big archive")
    chosen = parser.parse_args()
    backends = chosen.backend or ["sqlite", "postgresql"]
    print(json.dumps(asyncio.run(all_of(backends, chosen.rounds, chosen.rows))))


if __name__ == "__main__":
    main()
