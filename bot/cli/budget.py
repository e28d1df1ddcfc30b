"""`housestyle budget` and `housestyle usage`: monthly limits, and what was used."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.cards import say
from bot.cli.console import Terminal
from bot.cli.options import BrandId, Json, settings_of
from bot.cli.owner import at_terminal, run_async
from bot.core.errors import Mistake, NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.cli.owner import AtTerminal
    from bot.core.tariff import Money, Tariff
    from bot.core.usage import Gauge, MonthOfUse, Use
    from bot.settings import Settings
    from brand.kit import BrandKit

NO_LIMIT = "none"
group = typer.Typer(help="Monthly limits: list, set, clear.", no_args_is_help=True)
ScopeName = Annotated[
    str, typer.Argument(help="person, team, brand, role or place.", metavar="SCOPE")
]
Key = Annotated[
    str, typer.Argument(help="Whose: a member, a team, a brand, discord:ID.", metavar="NAME")
]
Daily = Annotated[bool, typer.Option("--per-day", help="The limits of a day, not of a month.")]


@group.command("list")
def list_(context: typer.Context, as_json: Json = False) -> None:
    """All budgets, with what is used of them this month."""
    terminal, settings = Terminal(as_json=as_json), settings_of(context)
    months = run_async(lambda: _months(settings, "", ""))
    gauges = {gauge.budget.account.name: gauge for use in months for gauge in use.gauges}
    rows = [_gauge_row(gauge, settings.tariff) for gauge in gauges.values()]
    if not rows:
        terminal.note(
            "No budget is set. `housestyle budget set brand NAME --pictures 500` sets one."
        )
    if rows or as_json:
        facts = [_gauge_facts(gauge, settings.tariff) for gauge in gauges.values()]
        terminal.table(("scope", "whose", "used", "limits"), rows, facts)


@group.command("set")
def set_(
    context: typer.Context,
    scope: ScopeName,
    name: Key,
    pictures: Annotated[str, typer.Option(help="Pictures a month, or none.")] = NO_LIMIT,
    cost: Annotated[str, typer.Option(help="Money a month in the tariff's currency, or none.")] = (
        NO_LIMIT
    ),
    brand: BrandId = "",
    daily: Daily = False,
    as_json: Json = False,
) -> None:
    """Set both limits of a month or a day; the one that is left out is taken away."""
    limits = {"pictures": _whole(pictures), "cost": _money(cost)}
    if limits == {"pictures": None, "cost": None}:
        raise Mistake(
            "Say a limit: `--pictures N`, `--cost X` or both.",
            fix="`housestyle budget clear` takes a budget away.",
        )
    _say(settings_of(context), as_json, scope=scope, key=name, brand=brand, daily=daily, **limits)


@group.command()
def clear(
    context: typer.Context,
    scope: ScopeName,
    name: Key,
    brand: BrandId = "",
    daily: Daily = False,
    as_json: Json = False,
) -> None:
    """Take a budget away."""
    _say(settings_of(context), as_json, scope=scope, key=name, brand=brand, daily=daily)


def usage(
    context: typer.Context,
    month: Annotated[str, typer.Option(help="As 2026-03; default: this month (UTC).")] = "",
    brand: BrandId = "",
    as_json: Json = False,
) -> None:
    """What was rendered in a month, per person, team and brand, and what it cost."""
    terminal, settings = Terminal(as_json=as_json), settings_of(context)
    months = run_async(lambda: _months(settings, month, brand))
    if as_json:
        terminal.result("", _usage_facts(months, settings.tariff))
        return
    rows = [row for use in months for row in _use_rows(use)]
    if not rows:
        terminal.note("Nothing was rendered in that month.")
        return
    columns = ("brand", "who", "pictures", "approved", "device time", "cost", "per approved")
    terminal.table(columns, rows, None)


def _say(settings: "Settings", as_json: bool, **fields: Any) -> None:
    from bot.core.commands import SetBudget

    say(settings, SetBudget(**fields), as_json=as_json)


def _whole(text: str) -> int | None:
    if text == NO_LIMIT:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Mistake("`--pictures` takes a whole number or none.", field="pictures")
    return int(text)


def _money(text: str) -> float | None:
    if text == NO_LIMIT:
        return None
    try:
        return float(text)
    except ValueError as exc:
        raise Mistake("`--cost` takes an amount, as 12.50, or none.", field="cost") from exc


async def _months(settings: "Settings", month: str, brand: str) -> "Sequence[MonthOfUse]":
    """The month of each brand, or of the one that is named."""
    from bot.core.budget import month_bounds, month_of
    from bot.core.usage import month_of_use

    async with at_terminal(settings) as here:
        chosen = month or month_of(here.house.clock.now())
        try:
            month_bounds(chosen)
        except ValueError as exc:
            raise Mistake(
                f"`{chosen[:20]}` isn't a month.", fix="Write it as 2026-03.", field="month"
            ) from exc
        kits = await _kits(here, brand)
        async with here.house.store.read() as tx:
            return [await month_of_use(tx, here.house, kit, here.owner, chosen) for kit in kits]


async def _kits(here: "AtTerminal", brand: str) -> "Sequence[BrandKit]":
    async with here.house.store.read() as tx:
        kits = await tx.kits.all()
    found = [kit for kit in kits if brand.casefold() in ("", kit.id.casefold())]
    if not found:
        names = ", ".join(kit.id for kit in kits) or "none"
        raise NotFound(f"There is no brand `{brand[:40]}`.", fix=f"Brands: {names}.")
    return found


def _use_rows(month: "MonthOfUse") -> list[tuple[str, ...]]:
    lines = [(use.name, use) for use in month.people]
    lines += [(f"team {use.name}", use) for use in month.teams]
    lines += [("all", month.total)] if lines else []
    return [(month.total.name, who, *_use_cells(use)) for who, use in lines]


def _use_cells(use: "Use") -> tuple[str, ...]:
    from bot.core.cards import duration
    from bot.core.tariff import NO_TARIFF
    from bot.core.usage import per_approved_words

    cost = str(use.cost) if use.cost else NO_TARIFF
    counts = (str(use.pictures), str(use.approved), duration(use.seconds))
    return (*counts, cost, per_approved_words(use))


def _usage_facts(months: "Sequence[MonthOfUse]", tariff: "Tariff | None") -> dict[str, Any]:
    return {
        "month": months[0].month,
        "counted_in": "UTC",
        "tariff": (
            {"per_hour": round(tariff.hourly, 6), "currency": tariff.currency}
            if tariff is not None
            else None
        ),
        "brands": [
            {
                **_use_facts(month.total),
                "people": [_use_facts(use) for use in month.people],
                "teams": [_use_facts(use) for use in month.teams],
                "budgets": [_gauge_facts(gauge, tariff) for gauge in month.gauges],
            }
            for month in months
        ],
    }


def _use_facts(use: "Use") -> dict[str, Any]:
    return {
        "key": use.key,
        "name": use.name,
        "pictures": use.pictures,
        "approved": use.approved,
        "seconds": round(use.seconds, 3),
        "cost": _amount(use.cost),
        "cost_per_picture": _amount(use.per_picture),
        "cost_per_approved": _amount(use.per_approved),
    }


def _amount(money: "Money | None") -> float | None:
    return round(money.amount, 6) if money is not None else None


def _gauge_row(gauge: "Gauge", tariff: "Tariff | None") -> tuple[str, ...]:
    from bot.core.budget_words import limit_words, percent_words
    from bot.core.usage import gauge_words

    used = percent_words(gauge.share) if gauge.levels else ""
    words = ", ".join(limit_words(level, tariff) for level in gauge.levels)
    return gauge.budget.account.kind, gauge.name, used, words or gauge_words(gauge.levels, tariff)


def _gauge_facts(gauge: "Gauge", tariff: "Tariff | None") -> dict[str, Any]:
    budget, spend = gauge.budget, gauge.spend
    return {
        "scope": budget.account.kind,
        "per": "day" if budget.account.daily else "month",
        "key": budget.key,
        "brand": budget.brand or None,
        "name": gauge.name,
        "limits": {"pictures": budget.pictures, "cost": budget.cost},
        "used": {
            "pictures": spend.pictures,
            "reserved_pictures": spend.reserved_pictures,
            "seconds": spend.ms / 1000,
            "reserved_seconds": spend.reserved_ms / 1000,
            "cost": round(tariff.cost(spend.ms / 1000), 6) if tariff else None,
        },
        "share": round(gauge.share, 4) if gauge.levels else None,
    }
