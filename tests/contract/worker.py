"""A process of its own that works on a store: `python -m tests.contract.worker VERB ADDRESS NAME`.

`claim` claims jobs until none waits; `add` adds jobs until it is killed. It prints the id of each
job once its transaction is committed.
"""

import asyncio
import itertools
import sys

from storage.database import SqlStore
from storage.engines import create_engine
from tests.contract.values import LEASE, NOW, later, make_job


async def claim(store: SqlStore, name: str) -> None:
    """Claim everything."""
    while True:
        async with store.write() as tx:
            job = await tx.jobs.claim(name, now=NOW, lease=LEASE)
        if job is None:
            return
        print(job.id, flush=True)  # noqa: T201  (the test reads it)


async def add(store: SqlStore, name: str) -> None:
    """Add jobs for ever."""
    for number in itertools.count():
        job = make_job(requester=name, created_at=later(number))
        async with store.write() as tx:
            await tx.jobs.add(job)
        print(job.id, flush=True)  # noqa: T201  (the test reads it)


async def main(verb: str, url: str, name: str) -> None:
    """Open the store and work."""
    store = SqlStore(create_engine(url))
    await {"claim": claim, "add": add}[verb](store, name)
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
