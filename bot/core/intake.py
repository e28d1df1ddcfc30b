"""A brief becomes a job: asked for anew, asked for once more, or due in the calendar."""

from dataclasses import replace

from bot.core.caller import Caller, kit_for
from bot.core.commands import Imagine, Reroll
from bot.core.errors import NotFound
from bot.core.house import House
from bot.core.ids import new_id
from bot.core.jobs import OVERNIGHT, Job, JobItem
from bot.core.lives import JobState
from bot.core.messages import Card
from bot.core.people import Person
from bot.core.policy import MANAGERS, may_handle, may_request
from bot.core.ports import Transaction
from bot.core.queueing import compile_all, queue, wake
from bot.core.references import referenced
from bot.core.restricting import may_ask
from bot.core.seeing import Sight, not_there
from bot.core.staging import taken_up
from brand.kit import BrandKit
from brand.templates import Brief


async def imagine(house: House, caller: Caller, command: Imagine) -> Card:
    """Queue a brief. Raises Mistake, Refused or NotFound; then nothing was queued."""
    brief = await referenced(house, caller, command.brief, command.brand)
    async with house.store.write() as tx:
        kit = await kit_for(tx, command.brand, caller.actor)
        may_ask(kit, caller)
        specs = compile_all(brief, kit)
        card = await queue(house, tx, caller, kit, brief, specs, job_id=command.as_job)
    wake(house)
    return card


async def reroll(house: House, caller: Caller, command: Reroll) -> Card:
    """The same brief again, under today's kit, with a new seed."""
    async with house.store.write() as tx:
        job = await _job_behind(tx, command.target)
        kit = await tx.kits.current(job.brand)
        may_ask(kit, caller)
        may_handle(kit, caller.person, job.requester)
        await _check_sight(tx, caller.person, job, command.target)
        if job.state in (JobState.FAILED, JobState.CANCELLED) and (left := taken_up(job)):
            card = await _take_up(house, tx, caller, job, left)
        else:
            brief = replace(job.brief, seed=None)
            card = await queue(house, tx, caller, kit, brief, compile_all(brief, kit))
    wake(house)
    return card


async def _take_up(
    house: House, tx: Transaction, caller: Caller, job: Job, left: tuple[JobItem, ...]
) -> Card:
    """Go on with a job in stages from the last one that was stored, under the kit it began with.

    Raises NotFound if a picture that it would go on from was erased."""
    kit = await tx.kits.get(job.kit_hash)
    for item in left:
        if (await tx.assets.get(item.parent)).is_erased:
            raise NotFound("A picture that it begins from was erased.", fix="Ask for it anew.")
    specs = tuple(item.spec for item in left)
    return await queue(
        house, tx, caller, kit, job.brief, specs, source=job.source_asset, items=left
    )


async def queue_for_slot(
    house: House, tx: Transaction, caller: Caller, kit: BrandKit, brief: Brief, slot: str
) -> str:
    """Queue the brief of a calendar slot behind what people wait for; the job's id. No card goes
    out: the slot has its own. Raises as `imagine`."""
    if not caller.person.roles_in(kit.id) & MANAGERS:  # who may plan needs no further right
        may_request(kit, caller.person)
    job_id, specs = new_id(), compile_all(brief, kit)
    await queue(house, tx, caller, kit, brief, specs, job_id=job_id, slot=slot, priority=OVERNIGHT)
    return job_id


async def _check_sight(tx: Transaction, person: Person, job: Job, target: str) -> None:
    """Raises NotFound unless the person may see the job, or its picture that they name."""
    sight = Sight(tx, person)
    if await sight.job(job):
        return
    if target == job.id or not await sight.asset(await tx.assets.get(target)):
        raise not_there(target)


async def _job_behind(tx: Transaction, target: str) -> Job:
    try:
        return await tx.jobs.get(target)
    except NotFound:
        return await tx.jobs.get((await tx.assets.get(target)).job)
