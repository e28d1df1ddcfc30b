"""What was used in a month: pictures, device time, cost, and how much of the budgets that is.

Everything is counted from the records and shown with its number of pictures. Per person and
brand it is what was rendered, drafts that were thrown away too; a budget counts what was asked
for. Cost is device time at today's tariff; without one it is not shown at all.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.core.budget import (
    Account,
    Budget,
    Level,
    Spend,
    accounts_of,
    levels,
    manages,
    month_bounds,
    month_of,
    spend_of,
)
from bot.core.budget_words import limit_words, month_words, percent_words, whose
from bot.core.caller import Caller, kit_for
from bot.core.cards import duration
from bot.core.commands import Usage
from bot.core.counting import spends_at
from bot.core.house import House
from bot.core.messages import Card, Field
from bot.core.people import ANY_BRAND, Person, Role
from bot.core.policy import MANAGERS
from bot.core.ports import Transaction, UsageRow
from bot.core.tariff import NO_TARIFF, Money, Tariff
from brand.kit import BrandKit

SEES_ALL = MANAGERS | {Role.AUDITOR.value}
COLUMNS = ("who", "pictures", "approved", "device time")
COST_COLUMNS = ("cost", "per approved picture")


@dataclass(frozen=True, kw_only=True)
class Use:
    """What one person, team or brand rendered in a month."""

    key: str
    """Person id, team name or brand id."""
    name: str
    pictures: int
    approved: int
    seconds: float
    tariff: Tariff | None = None

    @property
    def rate(self) -> float | None:
        """Approved pictures per rendered one; None before the first."""
        return self.approved / self.pictures if self.pictures else None

    @property
    def cost(self) -> Money | None:
        """None without a tariff."""
        return self.tariff.money(self.seconds) if self.tariff else None

    @property
    def per_picture(self) -> Money | None:
        """None without a tariff, or before the first picture."""
        return self._shared(self.pictures)

    @property
    def per_approved(self) -> Money | None:
        """All that was spent, over the pictures that were approved; None where none was."""
        return self._shared(self.approved)

    def _shared(self, count: int) -> Money | None:
        return self.tariff.money(self.seconds / count) if self.tariff and count else None


@dataclass(frozen=True, kw_only=True)
class Gauge:
    """One budget with what is used of it."""

    budget: Budget
    spend: Spend
    name: str
    """Whose it is: "Acme's", "team Design's"."""
    levels: tuple[Level, ...]
    settable: bool
    """Whether the viewer may change it."""

    @property
    def share(self) -> float:
        """Of the limit that is nearest to its end."""
        return max((level.share for level in self.levels), default=0.0)


@dataclass(frozen=True, kw_only=True)
class MonthOfUse:
    """A month of one brand, as far as the viewer may see it."""

    month: str
    people: tuple[Use, ...]
    teams: tuple[Use, ...]
    """By the teams that people are in today."""
    total: Use
    """Of the people shown."""
    gauges: tuple[Gauge, ...]
    """The budgets that limit this brand's pictures; of the present month alone."""
    wide: bool
    """Whether all people are shown, or the viewer alone."""


async def month_of_use(
    tx: Transaction, house: House, kit: BrandKit, viewer: Person, month: str
) -> MonthOfUse:
    """The month, gathered."""
    start, end = month_bounds(month)
    rows = await tx.assets.usage(kit.id, since=start, until=end)
    known = {person.id: person for person in await tx.people.all()}
    wide = bool(viewer.roles_in(kit.id) & SEES_ALL)
    seen = [row for row in rows if wide or row.person == viewer.id]
    people = [_use(row.person, _name(row.person, known), [row], house.tariff) for row in seen]
    people.sort(key=lambda use: (-use.pictures, use.name))
    of_team: dict[str, list[UsageRow]] = defaultdict(list)
    for row in seen:
        if row.person in known and known[row.person].team:
            of_team[known[row.person].team].append(row)
    teams = [_use(team, team, of_team[team], house.tariff) for team in sorted(of_team)]
    gauges: tuple[Gauge, ...] = ()
    if month == month_of(house.clock.now()):
        gauges = await _gauges(tx, house, kit, viewer, known, wide=wide)
    return MonthOfUse(
        month=month,
        people=tuple(people),
        teams=tuple(teams) if wide else (),
        total=_use(kit.id, kit.name, seen, house.tariff),
        gauges=gauges,
        wide=wide,
    )


async def _gauges(
    tx: Transaction,
    house: House,
    kit: BrandKit,
    viewer: Person,
    known: dict[str, Person],
    *,
    wide: bool,
) -> tuple[Gauge, ...]:
    months = accounts_of(viewer.id, viewer.team, kit.id)
    own = {*months, *(account.each_day for account in months)}
    everywhere = bool(viewer.roles_in(ANY_BRAND) & SEES_ALL)

    def shown(account: Account) -> bool:
        if account in own:
            return True
        return (wide and account.brand == kit.id) or (everywhere and not account.brand)

    budgets = [budget for budget in await tx.budgets.all() if shown(budget.account)]
    now = house.clock.now()
    spends = await spends_at(tx, [budget.account for budget in budgets], now)
    return tuple(
        gauge_of(
            budget,
            spend_of(budget.account, budget.account.period(now), spends),
            kit,
            viewer,
            known,
            house.tariff,
        )
        for budget in budgets
    )


def gauge_of(
    budget: Budget,
    spend: Spend,
    kit: BrandKit,
    viewer: Person,
    known: dict[str, Person],
    tariff: Tariff | None,
) -> Gauge:
    """A budget with what is used of it."""
    name = "your" if budget.key == viewer.id else f"{_name(budget.key, known)}'s"
    return Gauge(
        budget=budget,
        spend=spend,
        name=whose(budget.account, kit, name),
        levels=levels(budget, spend, tariff),
        settable=manages(viewer, budget.account),
    )


def _use(key: str, name: str, rows: Sequence[UsageRow], tariff: Tariff | None) -> Use:
    return Use(
        key=key,
        name=name,
        pictures=sum(row.pictures for row in rows),
        approved=sum(row.approved for row in rows),
        seconds=sum(row.seconds for row in rows),
        tariff=tariff,
    )


def _name(person: str, known: dict[str, Person]) -> str:
    return (known[person].name if person in known else "") or "someone"


async def usage(house: House, caller: Caller, command: Usage) -> Card:
    """This calendar month (UTC) per person and team, and how far the budgets are used."""
    month = month_of(house.clock.now())
    async with house.store.read() as tx:
        kit = await kit_for(tx, command.brand, caller.actor)
        use = await month_of_use(tx, house, kit, caller.person, month)
    shown = [*use.people, *(_as_team(team) for team in use.teams)]
    if len(use.people) > 1:
        shown.append(use.total)
    priced = house.tariff is not None
    lines = () if shown else ("Nothing was rendered this month.",)
    return Card(
        kind="list",
        title=f"Use of {kit.name} in {month_words(month)} (UTC)",
        columns=(*COLUMNS, *COST_COLUMNS) if priced else COLUMNS,
        rows=tuple(_row(line) for line in shown),
        fields=tuple(gauge_field(gauge, house.tariff) for gauge in use.gauges),
        lines=lines if priced else (*lines, f"Cost: {NO_TARIFF}."),
        private=True,
    )


def _as_team(use: Use) -> Use:
    return Use(
        key=use.key,
        name=f"team {use.name}",
        pictures=use.pictures,
        approved=use.approved,
        seconds=use.seconds,
        tariff=use.tariff,
    )


def _row(use: Use) -> tuple[str, ...]:
    counted = (use.name, str(use.pictures), str(use.approved), duration(use.seconds))
    return (*counted, str(use.cost), per_approved_words(use)) if use.tariff else counted


def per_approved_words(use: Use) -> str:
    """ "1.4 ct (n = 12)"; why not, where it can't be said."""
    if use.tariff is None:
        return NO_TARIFF
    return f"{use.per_approved} (n = {use.approved})" if use.per_approved else "none approved"


def gauge_field(gauge: Gauge, tariff: Tariff | None) -> Field:
    """ "Acme's budget: 81 % (81 of 100 pictures)"."""
    return Field(
        label=f"{gauge.name} budget",
        value=gauge_words(gauge.levels, tariff),
        ok=False if gauge.share >= 1 else None,
    )


def gauge_words(shown: Iterable[Level], tariff: Tariff | None) -> str:
    """All limits of a budget in words."""
    parts = [f"{percent_words(level.share)}: {limit_words(level, tariff)}" for level in shown]
    return " · ".join(parts) if parts else f"a limit of money, but {NO_TARIFF}"
