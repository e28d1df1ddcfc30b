"""Device time counts however a job ends: what was rendered of one that failed or was cancelled
was used, and nobody else pays for it."""

import logging
from collections.abc import Mapping
from dataclasses import replace

from bot.core.errors import Conflict, NotFound
from bot.core.house import House
from bot.core.jobs import Job
from bot.core.ledger import Event
from bot.core.lives import JobState
from bot.core.ports import Transaction
from bot.core.spending import cost_facts, measured
from brand.kit import BrandKit

log = logging.getLogger(__name__)

Used = Mapping[int, float]
"""Device seconds of the render in force, by the item's index."""


async def charged(house: House, tx: Transaction, job: Job, used: Used, kit: BrandKit) -> Job:
    """The job after these renders, its budgets charged with what was not counted of them yet (a
    worker may have died over them); the caller stores it."""
    more = 0.0
    for index, seconds in used.items():
        item = next(i for i in job.items if i.index == index)
        more += max(0.0, seconds - item.counted)
        job = job.with_item(replace(item, counted=max(item.counted, seconds)))
    return await measured(house, tx, job, more, kit)


async def charge_cancelled(house: House, job: Job, used: Used, kit: BrandKit) -> None:
    """Count what a job had used when somebody cancelled it: its end is stored already."""
    if not any(used.values()):
        return
    try:
        async with house.store.write() as tx:
            stored = await tx.jobs.get(job.id)
            if stored.state is not JobState.CANCELLED or stored.fence != job.fence:
                return  # another worker has it, and finds the renders again under their ids
            new = await charged(house, tx, stored, used, kit)
            new = await tx.jobs.update(replace(new, charge=None), was=stored)
            await tx.ledger.append(_event(house, new, new.seconds - stored.seconds))
    except (Conflict, NotFound):
        log.info("A cancelled job had moved on before it was charged", extra={"job": job.id})


def _event(house: House, job: Job, seconds: float) -> Event:
    return Event(
        action="job.charged",
        subject=f"job:{job.id}",
        at=house.clock.now(),
        actor="system",
        brand=job.brand,
        facts={"seconds": seconds, **cost_facts(house, seconds)},
    )
