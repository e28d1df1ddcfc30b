"""Let a job wait, and let it go on: in the queue at once, while rendering from the next step on.

A paused job keeps its state and whoever has it in hand; `paused_at` says since when. It is not
claimed, and one that is being rendered gives the device to others (see `heeding`).
"""

import logging
from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.caller import Caller
from bot.core.cancelling import stop_renders
from bot.core.commands import PauseJob, ResumeJob
from bot.core.errors import Conflict, NotFound, StaleState
from bot.core.house import House
from bot.core.jobs import PAUSED_AT_MOST, Job
from bot.core.ledger import Event
from bot.core.lives import JobState
from bot.core.messages import Card
from bot.core.policy import may_handle
from bot.core.ports import Signal, Transaction
from bot.core.seeing import as_seen
from bot.core.spending import settle
from bot.core.telling import current_job_card, tell_job

log = logging.getLogger(__name__)

PAGE = 100
_HOURS = PAUSED_AT_MOST // timedelta(hours=1)
TOO_LONG = f"It was paused for {_HOURS} hours."
"""What a job that was given up says."""


async def pause(house: House, caller: Caller, command: PauseJob) -> Card:
    """Let the named job wait, or the caller's newest that runs or waits for its turn."""
    return await _set(house, caller, command.job, house.clock.now())


async def resume(house: House, caller: Caller, command: ResumeJob) -> Card:
    """Let the named job go on, or the caller's newest that is paused."""
    return await _set(house, caller, command.job, None)


async def _set(house: House, caller: Caller, job_id: str, paused_at: datetime | None) -> Card:
    now = house.clock.now()
    async with house.store.write() as tx:
        job = await _wanted(tx, caller, job_id, paused=paused_at is None)
        kit = await tx.kits.current(job.brand)
        may_handle(kit, caller.person, job.requester)
        if job.has_ended:
            raise Conflict(f"This job is {job.state.value} already.")
        if job.is_paused == (paused_at is not None):
            return as_seen(kit, caller.person, job, await current_job_card(tx, job, kit))
        new = replace(job, paused_at=paused_at, updated_at=now)
        new = await tx.jobs.update(new, was=job)
        action = "job.paused" if new.is_paused else "job.resumed"
        await tx.ledger.append(_event(action, new, now, caller.person.id))
        card = as_seen(kit, caller.person, new, await tell_job(tx, new, kit, now))
    _tell(house, new)
    return card


async def give_up_paused(house: House) -> int:
    """Cancel what has been paused for too long: it keeps its place in budgets from others. How
    many were. Safe on several machines at once."""
    now = house.clock.now()
    async with house.store.read() as tx:
        overdue = await tx.jobs.paused_before(now - PAUSED_AT_MOST, limit=PAGE)
    given_up = 0
    for job in overdue:
        try:
            given_up += await _give_up(house, job, now)
        except StaleState:
            log.info("Job went on before it was given up", extra={"job": job.id})
    return given_up


async def _give_up(house: House, job: Job, now: datetime) -> bool:
    async with house.store.write() as tx:
        stored = await tx.jobs.get(job.id)
        if stored.has_ended or stored.paused_at != job.paused_at:
            return False
        kit = await tx.kits.get(stored.kit_hash)
        new = replace(
            stored, state=JobState.CANCELLED, error=TOO_LONG, updated_at=now, lease_until=None
        )
        new = await tx.jobs.update(await settle(house, tx, new), was=stored)
        await tx.ledger.append(_event("job.cancelled", new, now, "system"))
        await tell_job(tx, new, kit, now)
    _tell(house, new)
    await stop_renders(house, [stored])
    return True


def _event(action: str, job: Job, now: datetime, actor: str) -> Event:
    return Event(action=action, subject=f"job:{job.id}", at=now, actor=actor, brand=job.brand)


def _tell(house: House, job: Job) -> None:
    for topic in (f"job:{job.id}", "outbox", "queue"):
        house.signals.publish(Signal(topic=topic, kind="changed", data={}))


async def _wanted(tx: Transaction, caller: Caller, job_id: str, *, paused: bool) -> Job:
    if job_id:
        return await tx.jobs.get(job_id)
    unfinished = await tx.jobs.unfinished(requester=caller.person.id)
    mine = [job for job in unfinished if job.is_paused == paused]
    if not mine:
        which = "paused job" if paused else "job that runs or waits for its turn"
        raise NotFound(f"You have no {which}.", fix="`/queue` shows what there is.")
    return max(mine, key=lambda job: job.created_at)
