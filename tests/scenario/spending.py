"""Budgets in scenarios: set, used, and what stands in their counters."""

from dataclasses import replace
from datetime import UTC, datetime

from bot.core.budget import Account, brand_account
from bot.core.commands import Imagine, SetBudget
from bot.core.dispatch import Dispatch
from bot.core.jobs import Job
from bot.core.ledger import Event
from bot.core.messages import Card
from bot.core.tariff import Tariff
from brand.templates import Brief
from tests.fakes.town import Town

MARCH = "2026-03"
APRIL = datetime(2026, 4, 1, 0, 0, tzinfo=UTC)
TARIFF = Tariff(per_hour=36.0)
"""A cent a second; the renderer of these tests takes half a second a picture."""


def priced(town: Town, tariff: Tariff | None = TARIFF) -> Town:
    """The town with a tariff."""
    house = replace(town.house, tariff=tariff)
    return replace(town, house=replace(house, door=Dispatch(house)))


async def limit(
    town: Town, pictures: int | None = None, cost: float | None = None, **change: str
) -> Card:
    """An admin sets the budget of Acme, or another."""
    plain = {"scope": "brand", "key": "acme", **change}
    return await town.say(SetBudget(**plain, pictures=pictures, cost=cost), "ida")  # type: ignore[arg-type]


async def ask(town: Town, pictures: int = 1, who: str = "mia") -> Card:
    """Ask for pictures."""
    return await town.say(Imagine(brief=Brief(words="a red mug", n=pictures)), who)


async def jobs(town: Town) -> list[Job]:
    """All, oldest first."""
    async with town.house.store.read() as tx:
        return list(await tx.jobs.recent(limit=5000))[::-1]


async def counters(
    town: Town, account: Account | None = None, month: str = MARCH
) -> tuple[int, ...]:
    """Pictures, reserved pictures, ms, reserved ms of Acme or another account."""
    async with town.house.store.read() as tx:
        spends = await tx.budgets.spends(month, [account or brand_account("acme")])
    return next(
        ((s.pictures, s.reserved_pictures, s.ms, s.reserved_ms) for s in spends), (0, 0, 0, 0)
    )


async def events(town: Town, action: str) -> list[Event]:
    """Of one kind, oldest first."""
    async with town.house.store.read() as tx:
        return [e for e in await tx.ledger.recent(limit=1000) if e.action == action][::-1]
