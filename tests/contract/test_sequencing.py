"""The sequencer: one chain, however many chain it and whenever they are killed."""

import asyncio
import random
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process

import pytest

from bot.core.auditing import verify_ledger
from bot.core.sequencing import BATCH, Sequencer
from storage.database import OpenStore, open_store
from tests.contract.ledger_worker import house_of
from tests.fakes.ledger_lines import make_events

APPENDED, KILLS = 100, 4


async def start(verb: str, url: str, count: int = 0) -> Process:
    """A process at the ledger."""
    command = (sys.executable, "-m", "tests.contract.ledger_worker", verb, url, str(count))
    out = PIPE if verb == "append" else DEVNULL
    return await asyncio.create_subprocess_exec(*command, stdout=out)


async def finish(store: OpenStore) -> None:
    """Chain what is left."""
    while await Sequencer(house_of(store), "last").run_one():
        pass


async def test_all_that_waits_is_chained_in_batches(store: OpenStore) -> None:
    events = make_events(BATCH + 5)
    async with store.write() as tx:
        for event in events:
            await tx.ledger.append(event)
    sequencer = Sequencer(house_of(store), "s1")
    assert await sequencer.run_one()
    assert not await sequencer.run_one()
    assert not await sequencer.run_one()
    report = await verify_ledger(store)
    assert report.sound
    assert (report.lines, report.waiting) == (len(events), 0)


async def test_sequencers_side_by_side_make_one_chain(store: OpenStore) -> None:
    events = make_events(60)
    sequencers = [Sequencer(house_of(store), f"s{number}") for number in range(4)]
    for event in events:
        async with store.write() as tx:
            await tx.ledger.append(event)
        await asyncio.gather(*(sequencer.run_one() for sequencer in sequencers))
    await finish(store)
    report = await verify_ledger(store)
    assert report.sound
    assert report.lines == len(events)


@pytest.mark.parametrize(
    "url",
    ["sqlite", pytest.param("postgresql", marks=[pytest.mark.postgres, pytest.mark.deep])],
    indirect=True,
)
async def test_killed_sequencers_leave_one_whole_chain(url: str) -> None:
    rng = random.Random(5)
    writers = [await start("append", url, APPENDED) for _ in range(2)]
    chaining = [await start("chain", url) for _ in range(2)]
    committed: list[str] = []

    async def read(writer: Process) -> None:
        assert writer.stdout is not None
        async for line in writer.stdout:
            committed.append(line.decode().strip())
            if len(committed) % (2 * APPENDED // KILLS) == 0:
                place = rng.randrange(len(chaining))
                chaining[place].kill()
                await chaining[place].wait()
                chaining[place] = await start("chain", url)

    await asyncio.gather(*(read(writer) for writer in writers))
    for process in chaining:
        process.kill()
        await process.wait()
    store = await open_store(url)
    await finish(store)
    report = await verify_ledger(store)
    assert report.sound
    assert (report.lines, report.waiting) == (2 * APPENDED, 0)
    async with store.read() as tx:
        stored = {event.id for event in await tx.ledger.recent(limit=1000)}
    assert stored == set(committed)
    await store.close()
