"""Several real processes on one database."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process

from storage.database import SqlStore
from storage.engines import create_engine
from tests.contract.values import LEASE, later, make_job


async def start(verb: str, url: str, name: str) -> Process:
    """A worker process."""
    command = (sys.executable, "-m", "tests.contract.worker", verb, url, name)
    return await asyncio.create_subprocess_exec(*command, stdout=PIPE)


async def lines(process: Process, count: int = -1) -> list[str]:
    """What a worker prints: `count` lines, or all until its end."""
    assert process.stdout is not None
    if count < 0:
        return (await process.stdout.read()).decode().split()
    return [(await process.stdout.readline()).decode().strip() for _ in range(count)]


async def test_claiming_processes_never_share_a_job(url: str) -> None:
    jobs = [make_job(created_at=later(number)) for number in range(60)]
    store = SqlStore(create_engine(url))
    async with store.write() as tx:
        for job in jobs:
            await tx.jobs.add(job)
    workers = [await start("claim", url, f"worker-{number}") for number in range(2)]
    taken = await asyncio.gather(*(lines(worker) for worker in workers))
    assert [await worker.wait() for worker in workers] == [0, 0]
    everything = [job_id for mine in taken for job_id in mine]
    assert sorted(everything) == sorted(job.id for job in jobs)
    async with store.read() as tx:
        stored = await tx.jobs.recent(limit=100)
    owners = {job.id: job.worker for job in stored}
    for number, mine in enumerate(taken):
        assert all(owners[job_id] == f"worker-{number}" for job_id in mine)
    await store.close()


async def test_what_a_killed_process_has_committed_is_there(url: str) -> None:
    process = await start("add", url, "victim")
    committed = await lines(process, 15)
    process.kill()
    committed += await lines(process)
    await process.wait()
    store = SqlStore(create_engine(url))
    async with store.write() as tx:  # its lock died with it
        stored = {job.id for job in await tx.jobs.recent(limit=10_000)}
        assert await tx.jobs.claim("next", now=later(0), lease=LEASE) is not None
    # The last line may have been cut off, and the last commit not been printed yet.
    known = {job_id for job_id in committed if len(job_id) == 22}
    assert known <= stored
    assert len(stored - known) <= 1
    await store.close()
