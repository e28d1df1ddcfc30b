"""A process of its own at the ledger: `python -m tests.contract.ledger_worker VERB ADDRESS COUNT`.

`append` appends so many events and prints each id once its transaction is committed; `chain` runs
the sequencer until it is killed.
"""

import asyncio
import sys

from bot.core.house import House
from bot.core.ids import new_id
from bot.core.ledger import Event
from bot.core.sequencing import Sequencer
from storage.database import OpenStore, open_store
from storage.memory_blobs import MemoryBlobs, MemoryInbox, MemorySignals
from tests.fakes.clock import DrivenClock
from tests.fakes.ledger_lines import START
from tests.fakes.renderer import FakeRenderer
from tests.fakes.studio import FakeStudio


def house_of(store: OpenStore) -> House:
    """A house around a store."""
    return House(
        store=store,
        blobs=MemoryBlobs(),
        renderer=FakeRenderer(),
        studio=FakeStudio(),
        signals=MemorySignals(),
        clock=DrivenClock(),
        inbox=MemoryInbox(),
        timeline=store.timeline,
    )


async def append(store: OpenStore, count: int) -> None:
    """Append events, each in a transaction of its own."""
    for _ in range(count):
        event = Event(id=new_id(), action="job.queued", subject="job:1", at=START)
        async with store.write() as tx:
            await tx.ledger.append(event)
        print(event.id, flush=True)  # noqa: T201  (the test reads it)


async def chain(store: OpenStore, _count: int) -> None:
    """Chain for ever, without pausing."""
    sequencer = Sequencer(house_of(store), "sequencer")
    while True:
        if not await sequencer.run_one():
            await asyncio.sleep(0)


async def main(verb: str, url: str, count: str) -> None:
    """Open the store and work."""
    store = await open_store(url)
    await {"append": append, "chain": chain}[verb](store, int(count))
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
