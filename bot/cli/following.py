"""Follow a job to its end, wherever it is rendered."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.cli.owner import AtTerminal
from bot.cli.progress import Bar
from bot.core.assets import Asset
from bot.core.cards import job_status
from bot.core.commands import Cancel
from bot.core.house import House
from bot.core.ids import new_id
from bot.core.jobs import Job
from bot.core.lives import JobState
from bot.core.rendering import RenderingWorker

ENDED = frozenset({JobState.DONE, JobState.FAILED, JobState.CANCELLED})
LOOK_S = 0.5
"""How often the job's row is read: another process may be the one that renders it."""
CANCEL_GRACE_S = 5.0


@asynccontextmanager
async def working(house: House) -> AsyncIterator[None]:
    """A worker of our own while the block runs, so that nothing has to serve."""
    stop = asyncio.Event()
    worker = asyncio.create_task(RenderingWorker(house, f"terminal-{new_id()[:8]}").run(stop))
    try:
        yield
    finally:
        stop.set()
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)


async def followed(here: AtTerminal, job_id: str, bar: Bar) -> Job:
    """The job once it has ended, or a budget holds it. When this is cancelled, so is the job."""
    try:
        while True:
            job = await _job(here.house, job_id)
            if job.state in ENDED or job.hold:
                return job
            await _show(here.house, job, bar)
            await asyncio.sleep(LOOK_S)
    except asyncio.CancelledError:
        await asyncio.wait_for(asyncio.shield(_cancelled(here, job_id)), CANCEL_GRACE_S)
        raise


async def pictures_of(house: House, job: Job) -> list[Asset]:
    """The job's pictures, one for each of its items."""
    async with house.store.read() as tx:
        return [await tx.assets.get(item.asset) for item in job.items if item.asset]


async def _job(house: House, job_id: str) -> Job:
    async with house.store.read() as tx:
        return await tx.jobs.get(job_id)


async def _show(house: House, job: Job, bar: Bar) -> None:
    live = house.live.get(job.id)
    if live is not None:
        many = f" {live.picture} of {live.pictures}" if live.pictures > 1 else ""
        doing = "Paused" if live.paused else "Rendering"
        bar.show(live.fraction, eta_s=live.eta_s, title=f"{doing}{many}")
        return
    place = None
    if job.state is JobState.QUEUED:
        async with house.store.read() as tx:
            place = await tx.jobs.place(job.id)
    bar.show(0.0, title=job_status(job, place).removesuffix(" I'll update this message."))


async def _cancelled(here: AtTerminal, job_id: str) -> None:
    await here.say(Cancel(job=job_id))
