"""What a worker holds: a lease with a fencing token, renewed while it works, given back in order.

Whatever is stored after the lease was lost is refused by the store.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from bot.core.errors import Conflict, LeaseLost, NotFound, Unavailable
from bot.core.house import House
from bot.core.jobs import Job
from bot.core.lives import JobState
from bot.core.ports import Signal
from bot.core.telling import tell_job
from bot.core.waking import RENEWALS

log = logging.getLogger(__name__)


def still_ours(stored: Job, ours: Job) -> Job:
    """The stored job if it is this worker's yet. Raises LeaseLost."""
    if stored.fence != ours.fence or stored.state not in (JobState.RENDERING, JobState.CHECKING):
        raise LeaseLost("The job was cancelled or taken over by another worker.")
    return stored


def changed(house: House, job: Job) -> None:
    """Tell whoever watches the job, and who sends cards."""
    house.signals.publish(Signal(topic=f"job:{job.id}", kind="changed", data={}))
    house.signals.publish(Signal(topic="outbox", kind="added", data={}))


async def give_back(house: House, job: Job, *, begun: bool) -> None:
    """Put it back into the queue. Unless its rendering had begun, it counts as never started."""
    try:
        async with house.store.write() as tx:
            stored = still_ours(await tx.jobs.get(job.id), job)
            starts = stored.starts if begun else max(0, stored.starts - 1)
            new = replace(stored, state=JobState.QUEUED, worker="", lease_until=None, starts=starts)
            new = await tx.jobs.update(new, was=stored)
            await tell_job(tx, new, await tx.kits.get(new.kit_hash), house.clock.now())
    except (Conflict, NotFound):
        log.info("Job had moved on before it was given back", extra={"job": job.id})


@asynccontextmanager
async def renewed(house: House, job: Job) -> AsyncIterator[None]:
    """Renew the lease in the background; losing it stops the work and its renders."""
    work = asyncio.current_task()
    lost: list[Exception] = []

    async def renew() -> None:
        while True:
            await house.clock.sleep(house.lease.total_seconds() / RENEWALS)
            try:
                async with house.store.write() as tx:
                    stored = still_ours(await tx.jobs.get(job.id), job)
                    await tx.jobs.renew(stored, until=house.clock.now() + house.lease)
            except Unavailable:
                log.exception("The lease could not be renewed", extra={"job": job.id})
            except (Conflict, NotFound) as exc:
                lost.append(exc)
                if work is not None:
                    work.cancel()
                return

    task = asyncio.create_task(renew())
    try:
        yield
    except asyncio.CancelledError:
        if lost:
            if work is not None:
                work.uncancel()
            for item in job.pending:
                await house.renderer.cancel(item.render_id)
            raise LeaseLost("The job was cancelled or taken over.") from lost[0]
        raise
    finally:
        task.cancel()
