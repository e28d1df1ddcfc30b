"""The counters behind budgets, of months and of days, asked and changed together."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from bot.core.budget import Account, Change, Charge, Spend, accounts_of, day_of, month_of
from bot.core.jobs import Job
from bot.core.ports import Transaction


def accounts_charged(job: Job, charge: Charge) -> tuple[Account, ...]:
    """Where the job counts: fixed when it was let through."""
    also = (Account.named(name) for name in charge.also)
    return (*accounts_of(job.requester, charge.team, job.brand), *also)


async def count(
    tx: Transaction, accounts: Iterable[Account], charge: Charge, change: Change
) -> Sequence[Spend]:
    """Add the change to the counters of all these accounts; what they are then. Months come before
    days in every use case, so that no two wait for each other."""
    months, days = _parted(accounts)
    spends = list(await tx.budgets.count(months, charge.month, change))
    if days:
        spends += await tx.budgets.count(days, charge.day, change)
    return spends


async def spends_in(
    tx: Transaction, accounts: Iterable[Account], charge: Charge
) -> Sequence[Spend]:
    """The counters of these accounts in the job's month and day."""
    return await _spends(tx, accounts, charge.month, charge.day)


async def spends_at(
    tx: Transaction, accounts: Iterable[Account], moment: datetime
) -> Sequence[Spend]:
    """The counters of these accounts in the month and on the day of this moment."""
    return await _spends(tx, accounts, month_of(moment), day_of(moment))


async def _spends(
    tx: Transaction, accounts: Iterable[Account], month: str, day: str
) -> Sequence[Spend]:
    months, days = _parted(accounts)
    spends = list(await tx.budgets.spends(month, months))
    if days:
        spends += await tx.budgets.spends(day, days)
    return spends


def _parted(accounts: Iterable[Account]) -> tuple[list[Account], list[Account]]:
    every = list(accounts)
    return [a for a in every if not a.daily], [a for a in every if a.daily]
