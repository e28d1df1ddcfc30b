"""Budgets: what a person, a team, a brand, a platform role or a place may use, and what was used.

Counted is a calendar month in UTC, or with an account of its own a day in UTC. Device time is kept
in whole milliseconds, so that what was reserved and what is given back meet exactly; money is made
of it by the tariff when it is shown or compared. Pure: no store, no clock.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from bot.core.people import Person, Role
from bot.core.tariff import Tariff

WARN_AT = 0.8
"""Share of a limit at which people are told, once a month."""


class Scope(StrEnum):
    """Whose use a budget limits."""

    PERSON = "person"
    TEAM = "team"
    BRAND = "brand"
    ROLE = "role"
    """All who have a role on a platform, together."""
    PLACE = "place"
    """All that is asked in a server or workspace."""


EACH_DAY = "_day"
"""Ends the scope of an account that is counted by the day."""


@dataclass(frozen=True, kw_only=True, order=True)
class Account:
    """What is counted together: a person's, a team's or a brand's pictures."""

    scope: str
    """A word of Scope; with EACH_DAY at its end where days are counted, not months."""
    key: str
    """Person id, team name, brand id; of a role or place, as `discord:ID`."""
    brand: str = ""
    """The pictures of this brand alone; empty: of all brands."""

    @property
    def kind(self) -> str:
        """The word of Scope."""
        return self.scope.removesuffix(EACH_DAY)

    @property
    def daily(self) -> bool:
        """Whether days are counted."""
        return self.scope.endswith(EACH_DAY)

    @property
    def each_day(self) -> "Account":
        """The same, counted by the day."""
        return replace(self, scope=f"{self.kind}{EACH_DAY}")

    def period(self, moment: datetime) -> str:
        """The month or day of this moment, in which it counts then."""
        return day_of(moment) if self.daily else month_of(moment)

    @property
    def name(self) -> str:
        """The account as one text, as it stands in `Job.hold`."""
        return f"{self.scope}:{self.brand}:{self.key}"

    @classmethod
    def named(cls, name: str) -> "Account":
        """The account that has this name."""
        scope, brand, key = name.split(":", 2)
        return cls(scope=scope, brand=brand, key=key)


def brand_account(brand: str) -> Account:
    """The account of all pictures of a brand."""
    return Account(scope=Scope.BRAND.value, key=brand, brand=brand)


def accounts_of(person: str, team: str, brand: str) -> tuple[Account, ...]:
    """Where a picture of this brand counts that this person asked for, in a fixed order."""
    accounts = [brand_account(brand)]
    for where in ("", brand):
        accounts.append(Account(scope=Scope.PERSON.value, key=person, brand=where))
        if team:
            accounts.append(Account(scope=Scope.TEAM.value, key=team, brand=where))
    return tuple(sorted(accounts))


def limited_accounts(
    person: str, team: str, brand: str, place: str = "", groups: Iterable[str] = ()
) -> tuple[Account, ...]:
    """Where such a picture counts besides, as long as a budget is set there: for its place, for
    the platform roles of who asked, and all of them by the day."""
    keys = [(Scope.ROLE.value, group) for group in groups]
    keys += [(Scope.PLACE.value, place)] if place else []
    wide = [Account(scope=scope, key=key, brand=b) for scope, key in keys for b in ("", brand)]
    by_day = (account.each_day for account in (*accounts_of(person, team, brand), *wide))
    return tuple(sorted({*wide, *by_day}))


@dataclass(frozen=True, kw_only=True)
class Budget:
    """The limits of an account in its month, or in its day; None is no limit."""

    scope: str
    key: str
    brand: str
    pictures: int | None = None
    """Pictures that were asked for; a second try after a failed brand check is not one more."""
    cost: float | None = None
    """In the tariff's currency. Counts only where a tariff is set."""
    set_by: str = ""
    """Person id."""
    set_at: datetime

    @property
    def account(self) -> Account:
        """Whose limits these are."""
        return Account(scope=self.scope, key=self.key, brand=self.brand)


@dataclass(frozen=True, kw_only=True)
class Change:
    """What a job adds to a counter, or (negative) gives back."""

    pictures: int = 0
    reserved_pictures: int = 0
    ms: int = 0
    reserved_ms: int = 0

    def __add__(self, other: "Change") -> "Change":
        return Change(
            pictures=self.pictures + other.pictures,
            reserved_pictures=self.reserved_pictures + other.reserved_pictures,
            ms=self.ms + other.ms,
            reserved_ms=self.reserved_ms + other.reserved_ms,
        )

    def __neg__(self) -> "Change":
        return Change(
            pictures=-self.pictures,
            reserved_pictures=-self.reserved_pictures,
            ms=-self.ms,
            reserved_ms=-self.reserved_ms,
        )


@dataclass(frozen=True, kw_only=True)
class Spend:
    """What an account used in a month or day, and what its waiting jobs have reserved of it."""

    scope: str
    key: str
    brand: str
    month: str
    """"2026-03"; of an account that is counted by the day, "2026-03-02"."""
    pictures: int = 0
    reserved_pictures: int = 0
    ms: int = 0
    """Measured device time."""
    reserved_ms: int = 0
    warned: bool = False
    """Whether people were told that most of the budget is used."""

    @property
    def account(self) -> Account:
        """Whose counters these are."""
        return Account(scope=self.scope, key=self.key, brand=self.brand)


@dataclass(frozen=True, kw_only=True)
class Charge:
    """What a job still has reserved, in which month and day, and for whom."""

    month: str
    team: str
    pictures: int
    ms: int
    day: str = ""
    also: tuple[str, ...] = ()
    """Names of the `limited_accounts` that had a budget when it was let through."""

    def period(self, account: Account) -> str:
        """In which month or day the job counts for this account."""
        return self.day if account.daily else self.month

    @property
    def reserve(self) -> Change:
        """The reservation as a change of counters."""
        return Change(reserved_pictures=self.pictures, reserved_ms=self.ms)


def month_of(moment: datetime) -> str:
    """The calendar month in UTC, as "2026-03"."""
    day = moment.astimezone(UTC)
    return f"{day.year:04}-{day.month:02}"  # strftime leaves out the zeros of early years


def day_of(moment: datetime) -> str:
    """The day in UTC, as "2026-03-02"."""
    return moment.astimezone(UTC).date().isoformat()


def period_bounds(period: str) -> tuple[datetime, datetime]:
    """When a month or a day begins and when the next one does. Raises ValueError."""
    if len(period) <= len("2026-03"):
        return month_bounds(period)
    start = datetime.fromisoformat(period).replace(tzinfo=UTC)
    return start, start + timedelta(days=1)


def month_bounds(month: str) -> tuple[datetime, datetime]:
    """When the month begins and when the next one does. Raises ValueError for no month."""
    start = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
    year, number = divmod(start.month, 12)
    return start, start.replace(year=start.year + year, month=number + 1)


def next_month(moment: datetime) -> datetime:
    """When the next month begins."""
    return month_bounds(month_of(moment))[1]


@dataclass(frozen=True, kw_only=True)
class Level:
    """How far one limit is used up: `used` of `limit`, both pictures or both money."""

    kind: str
    """pictures or cost."""
    used: float
    reserved: float
    limit: float

    @property
    def share(self) -> float:
        """1.0 is all of it; reserved counts as used."""
        total = self.used + self.reserved
        if self.limit > 0:
            return total / self.limit
        return 1.0  # nothing is allowed, so all of it is used


def levels(budget: Budget, spend: Spend, tariff: Tariff | None) -> tuple[Level, ...]:
    """The limits of a budget with what is used of them."""
    found = []
    if budget.pictures is not None:
        found.append(
            Level(
                kind="pictures",
                used=spend.pictures,
                reserved=spend.reserved_pictures,
                limit=budget.pictures,
            )
        )
    if budget.cost is not None and tariff is not None:
        found.append(
            Level(
                kind="cost",
                used=tariff.cost(spend.ms / 1000),
                reserved=tariff.cost(spend.reserved_ms / 1000),
                limit=budget.cost,
            )
        )
    return tuple(found)


def is_over(budget: Budget, spend: Spend, tariff: Tariff | None) -> bool:
    """Whether more is used and reserved than the budget allows."""
    return any(
        level.used + level.reserved > level.limit * (1 + 1e-9)  # sums of money are not exact
        for level in levels(budget, spend, tariff)
    )


def refuses(budget: Budget, spend: Spend, charge: Charge, tariff: Tariff | None) -> bool:
    """Whether this reservation has no room; `spend` holds it already.

    As long as no picture was measured, nobody knows what one costs: then one job at a time may
    go, so that a thousand at once can't overrun a budget of money.
    """
    if is_over(budget, spend, tariff):
        return True
    if budget.cost is None or tariff is None:
        return False
    if charge.ms == 0 and spend.reserved_pictures > charge.pictures:
        return True
    return tariff.cost((spend.ms + spend.reserved_ms - charge.ms) / 1000) >= budget.cost


def too_large(budget: Budget, charge: Charge, tariff: Tariff | None) -> bool:
    """Whether a job has no room even in an unused month or day: it waits for a higher limit
    alone."""
    empty = Spend(
        scope=budget.scope,
        key=budget.key,
        brand=budget.brand,
        month=charge.period(budget.account),
        reserved_pictures=charge.pictures,
        reserved_ms=charge.ms,
    )
    return refuses(budget, empty, charge, tariff)


def spend_of(account: Account, month: str, known: Iterable[Spend]) -> Spend:
    """The account's counters among the known ones; zeros where it has none yet."""
    for spend in known:
        if spend.account == account and spend.month == month:
            return spend
    return Spend(scope=account.scope, key=account.key, brand=account.brand, month=month)


def manages(person: Person, account: Account) -> bool:
    """Whether this person may set the account's limits: an admin all, a brand manager those of
    the own brand and of people and teams in it."""
    if person.is_admin:
        return True
    roles = person.roles_in(account.brand) if person.active and account.brand else frozenset()
    return bool(roles & {Role.BRAND_MANAGER.value, Role.ADMIN.value})


def first_refusing(
    budgets: Sequence[Budget], spends: Sequence[Spend], charge: Charge, tariff: Tariff | None
) -> Budget | None:
    """The first budget without room for a reservation that the counters hold already."""
    for budget in budgets:
        spend = spend_of(budget.account, charge.period(budget.account), spends)
        if refuses(budget, spend, charge, tariff):
            return budget
    return None
