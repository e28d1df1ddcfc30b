"""A thousand submissions at once overrun no budget: tasks on SQLite, processes on PostgreSQL."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections import Counter

import pytest

from bot.core.budget import Budget, Spend, brand_account, month_of
from bot.core.jobs import JobItem
from bot.core.lives import JobState
from storage.database import OpenStore, SqlStore
from storage.engines import create_engine
from tests.contract.conftest import POSTGRESQL
from tests.contract.spender import TARIFF, ask_at_once
from tests.contract.values import NOW, make_job, make_spec
from tests.fakes.town import make_town

ACME = brand_account("acme")
PROCESSES = 4
COUNTS = pytest.mark.parametrize("count", [100, pytest.param(1000, marks=pytest.mark.deep)])


async def prepare(store: OpenStore, **limits: float) -> None:
    """People, a kit, a measured job of two pictures (half a second each), and Acme's budget."""
    await make_town(store=store)
    items = tuple(JobItem(index=n, spec=make_spec(), asset="a") for n in range(2))
    async with store.write() as tx:
        await tx.jobs.add(make_job(state=JobState.DONE, items=items, seconds=1.0))
        budget = Budget(scope="brand", key="acme", brand="acme", set_at=NOW, **limits)  # type: ignore[arg-type]
        await tx.budgets.put(budget)


async def counted(store: OpenStore) -> Spend:
    """What Acme's jobs have reserved."""
    async with store.read() as tx:
        (spend,) = await tx.budgets.spends(month_of(NOW), [ACME])
    return spend


@COUNTS
@pytest.mark.parametrize("store", ["memory", "sqlite"], indirect=True)
async def test_many_tasks_at_once_stay_within_the_pictures(store: OpenStore, count: int) -> None:
    room = count * 2 // 5
    await prepare(store, pictures=room)
    assert await ask_at_once(store, count) == {"free": room, "held": count - room}
    spend = await counted(store)
    assert (spend.reserved_pictures, spend.pictures) == (room, 0)


@pytest.mark.parametrize("store", ["memory", "sqlite"], indirect=True)
async def test_a_hundred_at_once_stay_within_the_money(store: OpenStore) -> None:
    await prepare(store, cost=0.203)  # room for 40.6 pictures
    answers = await ask_at_once(store, 100)
    assert answers == {"free": 40, "held": 60}
    assert TARIFF.cost((await counted(store)).reserved_ms / 1000) <= 0.203


@COUNTS
@pytest.mark.parametrize("url", [POSTGRESQL], indirect=True)
async def test_several_processes_at_once_stay_within_the_pictures(url: str, count: int) -> None:
    room = count * 2 // 5
    store = SqlStore(create_engine(url))
    await prepare(store, pictures=room)
    each = str(count // PROCESSES)
    command = (sys.executable, "-m", "tests.contract.spender", url, each)
    running = [
        await asyncio.create_subprocess_exec(*command, stdout=PIPE) for _ in range(PROCESSES)
    ]
    answers: Counter[str] = Counter()
    for process in running:
        out, _ = await process.communicate()
        for line in out.decode().splitlines():
            what, _, many = line.rpartition("=")
            answers[what] += int(many)
    assert answers == {"free": room, "held": count - room}
    assert (await counted(store)).reserved_pictures == room
    await store.close()
