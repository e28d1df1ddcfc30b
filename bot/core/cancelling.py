"""Stop a job: in the queue at once, while rendering at the next step."""

import logging
from collections.abc import Sequence
from dataclasses import replace

from bot.core.caller import Caller
from bot.core.commands import Cancel
from bot.core.errors import Conflict, NotFound
from bot.core.house import House
from bot.core.jobs import Job
from bot.core.ledger import Event
from bot.core.lives import JobState
from bot.core.messages import Card
from bot.core.policy import may_handle
from bot.core.ports import Signal, Transaction
from bot.core.seeing import as_seen
from bot.core.spending import settle
from bot.core.telling import tell_job
from brand.spec import RenderError

log = logging.getLogger(__name__)


async def cancel(house: House, caller: Caller, command: Cancel) -> Card:
    """Cancel the named job, or the caller's newest that has not ended."""
    now = house.clock.now()
    async with house.store.write() as tx:
        job = await _wanted(tx, caller, command.job)
        kit = await tx.kits.current(job.brand)
        may_handle(kit, caller.person, job.requester)
        if job.state in (JobState.DONE, JobState.FAILED, JobState.CANCELLED):
            raise Conflict(f"This job is {job.state.value} already.")
        new = replace(job, state=JobState.CANCELLED, updated_at=now, lease_until=None)
        new = await tx.jobs.update(await settle(house, tx, new), was=job)
        await tx.ledger.append(
            Event(
                action="job.cancelled",
                subject=f"job:{job.id}",
                at=now,
                actor=caller.person.id,
                brand=job.brand,
            )
        )
        card = as_seen(kit, caller.person, new, await tell_job(tx, new, kit, now))
    for topic in (f"job:{job.id}", "outbox", "queue"):
        house.signals.publish(Signal(topic=topic, kind="changed", data={}))
    await stop_renders(house, [job])
    return card


async def stop_renders(house: House, jobs: Sequence[Job]) -> None:
    """Free the device of jobs that have ended. What can't be stopped now, because the generation
    service is away, is thrown away when it comes: nobody waits for it."""
    try:
        for job in jobs:
            for item in job.pending:
                await house.renderer.cancel(item.render_id)
    except RenderError as exc:
        log.warning("A render could not be stopped: %s", exc, extra={"action": "render.cancel"})


async def _wanted(tx: Transaction, caller: Caller, job_id: str) -> Job:
    if job_id:
        return await tx.jobs.get(job_id)
    mine = await tx.jobs.unfinished(requester=caller.person.id)
    if not mine:
        raise NotFound("You have no job in the queue.", fix="`/queue` shows what waits.")
    return max(mine, key=lambda job: job.created_at)
