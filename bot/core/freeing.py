"""Free what budgets held, once the month or day has turned, a limit was raised or something was
given back: oldest first, and never beyond the limit."""

from dataclasses import replace
from datetime import datetime
from enum import Enum

from bot.core.budget import Account, Charge, day_of, month_of, spend_of
from bot.core.budget_words import held_why
from bot.core.counting import spends_at
from bot.core.errors import StaleState
from bot.core.house import House
from bot.core.jobs import Job
from bot.core.ledger import Event
from bot.core.lives import JobState
from bot.core.ports import Signal
from bot.core.spending import admit
from bot.core.telling import tell_job

PAGE = 100


class _Outcome(Enum):
    FREED = "freed"
    STUCK = "stuck"
    PASSED = "passed"
    """Moved on, held by another budget now, or too large for any month."""


async def free_held(house: House) -> int:
    """Let go what has room now; how many. Safe on several machines at once."""
    async with house.store.read() as tx:
        holds = await tx.jobs.holds()
    freed = 0
    for hold in holds:
        freed += await _free_account(house, hold)
    if freed:
        house.signals.publish(Signal(topic="queue", kind="added", data={}))
        house.signals.publish(Signal(topic="outbox", kind="added", data={}))
    return freed


async def _free_account(house: House, hold: str) -> int:
    freed, stuck, after = 0, False, None
    account = Account.named(hold)
    period = account.period(house.clock.now())
    while True:
        async with house.store.read() as tx:
            page = await tx.jobs.held(hold, after=after, limit=PAGE)
        for job in page:
            if not stuck:
                outcome = await _free(house, job)
                freed += outcome is _Outcome.FREED
                stuck = outcome is _Outcome.STUCK
            elif account.period(job.updated_at) != period:
                await _say_anew(house, job)
            else:
                return freed
        if len(page) < PAGE:
            return freed
        after = page[-1]


async def _free(house: House, job: Job) -> _Outcome:
    now = house.clock.now()
    try:
        async with house.store.write() as tx:
            stored = await tx.jobs.get(job.id)
            if stored.state is not JobState.QUEUED or stored.hold != job.hold:
                return _Outcome.PASSED
            kit = await tx.kits.get(stored.kit_hash)
            person = await tx.people.get(stored.requester)
            admission = await admit(house, tx, stored, person, kit)
            new = replace(admission.job, updated_at=now)
            same_time = _period(stored, stored.updated_at) == _period(stored, now)
            if new.hold == stored.hold and same_time:
                return _Outcome.PASSED if admission.too_large else _Outcome.STUCK
            new = await tx.jobs.update(new, was=stored)
            if not new.hold:
                await tx.ledger.append(_freed(new, stored.hold))
            await tell_job(tx, new, kit, now)
    except StaleState:
        return _Outcome.PASSED
    if not new.hold:
        return _Outcome.FREED
    same = new.hold == job.hold and not admission.too_large
    return _Outcome.STUCK if same else _Outcome.PASSED


async def _say_anew(house: House, job: Job) -> None:
    """The month or day has turned and it still waits: its card names the new one."""
    now = house.clock.now()
    account = Account.named(job.hold)
    try:
        async with house.store.write() as tx:
            stored = await tx.jobs.get(job.id)
            budgets = await tx.budgets.of([account])
            if stored.state is not JobState.QUEUED or stored.hold != job.hold or not budgets:
                return
            kit = await tx.kits.get(stored.kit_hash)
            charge = Charge(
                month=month_of(now), team="", pictures=len(stored.items), ms=1, day=day_of(now)
            )
            spends = await spends_at(tx, [account], now)
            spend = spend_of(account, account.period(now), spends)
            why = held_why(budgets[0], spend, charge, kit, house.tariff)
            new = await tx.jobs.update(replace(stored, held_why=why, updated_at=now), was=stored)
            await tell_job(tx, new, kit, now)
    except StaleState:
        return  # someone freed or cancelled it meanwhile


def _period(job: Job, moment: datetime) -> str:
    return Account.named(job.hold).period(moment)


def _freed(job: Job, hold: str) -> Event:
    return Event(
        action="job.freed",
        subject=f"job:{job.id}",
        at=job.updated_at,
        actor="system",
        brand=job.brand,
        facts={"account": hold, "pictures": len(job.items)},
    )
