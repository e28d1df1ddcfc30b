"""What jobs take from budgets: reserved when queued, measured when rendered, the rest given back.

The counters change in the transaction of the job, before the job's own row does: every use case
takes them in that order, so that no two wait for each other. A job counts in the month in which
it was let through; a job without room is held, not refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.core.budget import (
    WARN_AT,
    Budget,
    Change,
    Charge,
    Spend,
    accounts_of,
    day_of,
    first_refusing,
    is_over,
    levels,
    limited_accounts,
    month_of,
    spend_of,
    too_large,
)
from bot.core.budget_words import held_why
from bot.core.counting import accounts_charged, count, spends_in
from bot.core.house import House
from bot.core.jobs import Job
from bot.core.ledger import Event
from bot.core.lives import JobState
from bot.core.people import Person
from bot.core.ports import Transaction
from bot.core.spending_news import tell_hold, warn_about
from bot.core.staging import pictures_wanted
from brand.kit import BrandKit

ROOM = 5
"""Jobs of one account render side by side as long as so many times what they reserved is left of
its money: a picture may take longer than the recent ones did."""
RECENT_JOBS = 20  # enough for a stable mean of what a picture takes


@dataclass(frozen=True, kw_only=True)
class Admission:
    """The job as it is to be stored: reserved and with its turn, or held by a budget."""

    job: Job
    too_large: bool = False
    """No month has room for it: it waits for a higher limit, and nobody waits behind it."""


async def admit(
    house: House, tx: Transaction, job: Job, person: Person, kit: BrandKit
) -> Admission:
    """Reserve what the job will take, or hold it. `person` is who asked for it.

    The caller stores the job, and says with `note_hold` if it is held.
    """
    now = house.clock.now()
    asked = (person.id, person.team, job.brand)
    limited = limited_accounts(*asked, job.place, job.groups)
    budgets = await tx.budgets.of((*accounts_of(*asked), *limited))
    priced = house.tariff is not None and any(budget.cost is not None for budget in budgets)
    charge = Charge(
        month=month_of(now),
        team=person.team,
        pictures=pictures_wanted(job, kit),
        ms=await _expected_ms(tx, job, pictures_wanted(job, kit)) if priced else 0,
        day=day_of(now),
        also=tuple(each.account.name for each in budgets if each.account in set(limited)),
    )
    accounts = accounts_charged(job, charge)
    spends = await count(tx, accounts, charge, charge.reserve)
    refusing = first_refusing(budgets, spends, charge, house.tariff)
    if refusing is not None:
        spends = await count(tx, accounts, charge, -charge.reserve)
        spend = spend_of(refusing.account, charge.period(refusing.account), spends)
        why = held_why(refusing, spend, charge, kit, house.tariff)
        never = too_large(refusing, charge, house.tariff)
        return Admission(job=_held(job, refusing, why), too_large=never)
    await _warn(house, tx, job, budgets, spends, kit)
    turn = await tx.jobs.take_turn(
        job.requester, priority=job.priority, pictures=max(charge.pictures, 1)
    )
    return Admission(job=replace(job, hold="", held_why="", charge=charge, turn=turn))


async def note_hold(house: House, tx: Transaction, job: Job, kit: BrandKit) -> None:
    """Write down that a budget holds the job, and tell a slot's owner; nothing if it is free."""
    if not job.hold:
        return
    await tx.ledger.append(
        Event(
            action="job.held",
            subject=f"job:{job.id}",
            at=house.clock.now(),
            actor="system",
            brand=job.brand,
            facts={"account": job.hold, "pictures": len(job.items)},
        )
    )
    if job.slot:
        await tell_hold(tx, job, kit, house.clock.now())


async def measured(house: House, tx: Transaction, job: Job, seconds: float, kit: BrandKit) -> Job:
    """The job after this much device time; the reservation shrinks by it."""
    charge = await _charge_of(house, tx, job)
    ms = round(seconds * 1000)
    returned = min(charge.ms, ms)
    accounts = accounts_charged(job, charge)
    change = Change(ms=ms, reserved_ms=-returned)
    spends = await count(tx, accounts, charge, change)
    await _warn(house, tx, job, await tx.budgets.of(accounts), spends, kit)
    return replace(
        job, seconds=job.seconds + seconds, charge=replace(charge, ms=charge.ms - returned)
    )


async def settle(house: House, tx: Transaction, job: Job) -> Job:
    """The job at its end: pictures that were made count, what is left reserved is given back."""
    charge = await _charge_of(house, tx, job)
    made = sum(bool(item.asset) and not item.inherited for item in job.items)
    change = Change(pictures=made) + -charge.reserve
    if change != Change():
        await count(tx, accounts_charged(job, charge), charge, change)
    return replace(job, charge=None, hold="", held_why="")


async def overdrawn(house: House, tx: Transaction, job: Job) -> Budget | None:
    """The budget that was used up while the job waited: pictures took longer than expected, or
    the limit was lowered. A job that has rendered something already goes to its end."""
    if job.charge is None or job.seconds > 0:
        return None
    accounts = accounts_charged(job, job.charge)
    budgets = await tx.budgets.of(accounts)
    if not budgets:
        return None
    spends = await spends_in(tx, accounts, job.charge)
    for budget in budgets:
        spend = spend_of(budget.account, job.charge.period(budget.account), spends)
        # What others have reserved is left out: they come later than this one.
        alone = replace(spend, reserved_pictures=job.charge.pictures, reserved_ms=job.charge.ms)
        if is_over(budget, alone, house.tariff):
            return budget
    return None


async def must_wait(house: House, tx: Transaction, job: Job) -> bool:
    """Whether the job waits until one of the same account that renders has ended: nobody knows
    what those will have taken, and the money that is left is no large multiple of what they
    reserved. So an account goes beyond its limit by one job at most, however many go at once,
    unless pictures take more than ROOM times as long as the recent ones."""
    if job.charge is None or house.tariff is None:
        return False
    accounts = accounts_charged(job, job.charge)
    budgets = [budget for budget in await tx.budgets.of(accounts) if budget.cost is not None]
    if not budgets:
        return False
    spends = await spends_in(tx, accounts, job.charge)
    others = [each for each in await tx.jobs.running() if each.id != job.id]
    charge = job.charge
    return any(
        _is_crowded(
            budget,
            spend_of(budget.account, charge.period(budget.account), spends),
            job,
            others,
            house,
        )
        for budget in budgets
    )


def _is_crowded(
    budget: Budget, spend: Spend, job: Job, others: Sequence[Job], house: House
) -> bool:
    beside = [each for each in others if _counts_for(each, budget)]
    reserved = sum(each.charge.ms for each in (job, *beside) if each.charge)
    return bool(beside) and any(
        level.kind == "cost" and level.used + level.reserved * ROOM > level.limit
        for level in levels(budget, replace(spend, reserved_ms=reserved), house.tariff)
    )


def _counts_for(job: Job, budget: Budget) -> bool:
    charge = job.charge or Charge(month="", team="", pictures=0, ms=0)
    return budget.account in accounts_charged(job, charge)


async def hold_back(house: House, tx: Transaction, job: Job, budget: Budget, kit: BrandKit) -> Job:
    """The claimed job as it goes back to the queue, held by this budget; the caller stores it."""
    charge = await _charge_of(house, tx, job)
    spends = await count(tx, accounts_charged(job, charge), charge, -charge.reserve)
    spend = spend_of(budget.account, charge.period(budget.account), spends)
    why = held_why(budget, spend, charge, kit, house.tariff)
    back = replace(
        _held(job, budget, why),
        state=JobState.QUEUED,
        worker="",
        lease_until=None,
        updated_at=house.clock.now(),
    )
    await note_hold(house, tx, back, kit)
    return back


def cost_facts(house: House, seconds: float) -> dict[str, object]:
    """What device time cost, for the ledger; nothing where no tariff is set."""
    if house.tariff is None:
        return {}
    return {
        "cost": round(house.tariff.cost(seconds), 9),
        "currency": house.tariff.currency,
    }


def _held(job: Job, budget: Budget, why: str) -> Job:
    return replace(job, hold=budget.account.name, held_why=why, charge=None, turn=0)


async def _expected_ms(tx: Transaction, job: Job, pictures: int) -> int:
    """By the mean of the brand's recent pictures, retries included; 0 before the first."""
    pace = await tx.jobs.pace(job.brand, of=RECENT_JOBS)
    if not pace.pictures:
        return 0
    each = pace.seconds / pace.pictures
    return max(round(each * pictures * 1000), 1)


async def _charge_of(house: House, tx: Transaction, job: Job) -> Charge:
    """What the job has reserved; nothing for one that was queued before there were budgets."""
    if job.charge is not None:
        return job.charge
    team = (await tx.people.get(job.requester)).team
    now = house.clock.now()
    return Charge(month=month_of(now), team=team, pictures=0, ms=0, day=day_of(now))


async def _warn(
    house: House,
    tx: Transaction,
    job: Job,
    budgets: Sequence[Budget],
    spends: Sequence[Spend],
    kit: BrandKit,
) -> None:
    """Say once a month (once a day of a daily one) that most of a budget is used."""
    for budget in budgets:
        spend = next((s for s in spends if s.account == budget.account), None)
        if spend is None or spend.warned:
            continue
        share = max((level.share for level in levels(budget, spend, house.tariff)), default=0)
        if share < WARN_AT or not await tx.budgets.mark_warned(budget.account, spend.month):
            continue
        facts = {
            "month": spend.month,
            "pictures": spend.pictures + spend.reserved_pictures,
            "ms": spend.ms + spend.reserved_ms,
            "limits": {"pictures": budget.pictures, "cost": budget.cost},
        }
        await tx.ledger.append(
            Event(
                action="budget.warned",
                subject=f"budget:{budget.account.name}",
                at=house.clock.now(),
                actor="system",
                brand=budget.brand,
                facts=facts,
            )
        )
        await warn_about(house, tx, job, budget, spend, kit)
