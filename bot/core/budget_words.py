"""Budgets as people read them: whose, how much of it is used, why something waits."""

from bot.core.budget import (
    Account,
    Budget,
    Charge,
    Level,
    Scope,
    Spend,
    levels,
    month_bounds,
    period_bounds,
    too_large,
)
from bot.core.cards import pictures
from bot.core.tariff import Money, Tariff
from brand.kit import BrandKit


def whose(account: Account, kit: BrandKit, name: str = "your") -> str:
    """ "Acme's", "team Design's", "your"; `name` is what a person is called."""
    inside = f" {kit.name}" if account.brand and account.kind != Scope.BRAND.value else ""
    owners = {
        Scope.PERSON.value: name,
        Scope.TEAM.value: f"team {account.key}'s",
        Scope.ROLE.value: f"the role {account.key}'s",
        Scope.PLACE.value: f"the place {account.key}'s",
    }
    daily = " daily" if account.daily else ""
    return owners.get(account.kind, f"{kit.name}'s") + inside + daily


def limit_words(level: Level, tariff: Tariff | None) -> str:
    """ "81 of 100 pictures", "8.10 of 10.00 EUR"."""
    used = level.used + level.reserved
    if level.kind == "pictures":
        return f"{used:,.0f} of {level.limit:,.0f} pictures"
    currency = tariff.currency if tariff else ""
    return f"{Money(amount=used, currency=currency)} of {level.limit:,.2f} {currency}"


def percent_words(share: float) -> str:
    """ "81 %"; never rounded up to a full hundred, nor down to nothing."""
    if 0 < share < 0.01:
        return "<1 %"
    return f"{int(share * 100 + 1e-9)} %"


def month_words(month: str) -> str:
    """ "2026-03" -> "March 2026"."""
    return f"{month_bounds(month)[0]:%B %Y}"


def period_words(period: str) -> str:
    """ "2026-03" -> "March", "2026-03-02" -> "2 March"."""
    start = period_bounds(period)[0]
    return f"{start:%B}" if len(period) <= len("2026-03") else f"{start.day} {start:%B}"


def turn_of(period: str) -> str:
    """ "1 Apr, 00:00 UTC": when the month or day after begins."""
    start = period_bounds(period)[1]
    return f"{start.day} {start:%b}, 00:00 UTC"


def who_raises(account: Account, kit: BrandKit) -> str:
    """Who can change the limits."""
    return f"{kit.owner} or an admin" if account.brand else "An admin"


def held_why(
    budget: Budget, spend: Spend, charge: Charge, kit: BrandKit, tariff: Tariff | None
) -> str:
    """Why a job waits, who can change it, and when it goes on by itself. `spend` is without it."""
    owner = whose(budget.account, kit, "the personal")  # others read the card too
    raises = f"{who_raises(budget.account, kit)} can raise it"
    limits = levels(budget, spend, tariff)
    when = period_words(spend.month)
    whole = "day" if budget.account.daily else "month"
    used = ", ".join(limit_words(level, tariff) for level in limits)
    if charge.ms == 0 and too_dear_to_guess(budget, spend, tariff):
        return (
            f"nobody knows yet what a picture of {kit.name} costs. It goes on as soon as the one "
            "before it is measured."
        )
    if too_large(budget, charge, tariff):
        return (
            f"it asks for {pictures(charge.pictures)}, and that is more than {owner} budget of a "
            f"whole {whole}. {raises}."
        )
    if any(level.share >= 1 for level in limits):
        said = f"{owner} budget for {when} is used up ({used})."
    else:
        said = f"it doesn't fit into what is left of {owner} budget for {when} ({used})."
    return f"{said} {raises}; else it goes on by itself on {turn_of(spend.month)}."


def too_dear_to_guess(budget: Budget, spend: Spend, tariff: Tariff | None) -> bool:
    """Whether money alone holds it, while other jobs run whose cost nobody knows yet."""
    inside = all(level.share < 1 for level in levels(budget, spend, tariff))
    return budget.cost is not None and spend.reserved_pictures > 0 and inside


def warning(budget: Budget, spend: Spend, kit: BrandKit, tariff: Tariff | None, name: str) -> str:
    """What is told when most of a budget is used."""
    used = " and ".join(limit_words(level, tariff) for level in levels(budget, spend, tariff))
    return (
        f"{used} are used or reserved. At the limit new pictures wait until "
        f"{turn_of(spend.month)}, or until someone raises {name} budget."
    )
