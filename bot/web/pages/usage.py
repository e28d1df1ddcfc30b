"""Usage of a calendar month (UTC): measured, with n; and the budgets with what is used of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, Response

from bot.core.budget import (
    Account,
    Level,
    Scope,
    brand_account,
    manages,
    month_bounds,
    month_of,
    next_month,
)
from bot.core.budget_words import limit_words, month_words, percent_words
from bot.core.commands import SetBudget
from bot.core.errors import Mistake
from bot.core.people import Person
from bot.core.tariff import Money, Tariff
from bot.core.usage import Gauge, month_of_use
from bot.web.frame import Frame, Framed, go
from bot.web.visitor import SignedIn
from brand.words import clean

router = APIRouter(prefix="/usage")
FIRST_YEAR = 2000
NEAR = 0.8


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One limit as a bar of 100: what is used, and what waiting jobs have reserved on top."""

    label: str
    words: str
    percent: str
    used: float
    reserved: float
    tone: str
    """Empty, near or full."""
    about: str


@dataclass(frozen=True, kw_only=True)
class ShownBudget:
    """A budget as the page shows it."""

    gauge: Gauge
    bars: list[Bar]
    state: str
    """What it means now, in words; empty while there is room."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Whose budgets the visitor may set: (value of the field, how it reads)."""

    people: list[tuple[str, str]]
    teams: list[str]
    brand: bool
    everywhere: bool
    """Whether also over all brands."""


@router.get("")
async def usage_page(frame: Framed, month: str = "") -> HTMLResponse:
    """A month; the present one with its budgets. Without a wider role people see their own line."""
    now = frame.house.clock.now()
    this_month = month_of(now)
    chosen = min(_checked(month) if month else this_month, this_month)
    viewer = frame.visitor.person
    async with frame.house.store.read() as tx:
        use = await month_of_use(tx, frame.house, frame.kit, viewer, chosen)
        everybody = await tx.people.all()
    start = month_bounds(chosen)[0]
    return frame.page(
        "usage.html",
        "usage",
        use=use,
        month_name=month_words(chosen),
        now=chosen == this_month,
        before=month_of(start - timedelta(days=1)) if start.year > FIRST_YEAR else "",
        after=month_of(next_month(start)) if chosen < this_month else "",
        turns=next_month(now),
        tariff=frame.house.tariff,
        hourly=_hourly(frame.house.tariff),
        budgets=[_shown(gauge, frame.house.tariff) for gauge in use.gauges],
        most=max((line.pictures for line in use.people), default=0),
        most_team=max((line.pictures for line in use.teams), default=0),
        choice=_choice(frame, everybody),
    )


@router.get("/budget")
async def budgets(visitor: SignedIn) -> Response:
    """The form stands on the page of the usage."""
    return go("/usage#budgets")


Word = Annotated[str, Form(max_length=300)]


@router.post("/budget")
async def set_budget(
    frame: Framed,
    scope: Word = "",
    key: Word = "",
    brand: Word = "",
    pictures: Word = "",
    cost: Word = "",
    per: Word = "month",
    delivery: Annotated[str, Form(max_length=40)] = "",
) -> Response:
    """Set both limits of an account; an empty field is no limit."""
    if scope not in set(Scope):
        raise Mistake("Choose whose budget it is.", allowed=tuple(item.value for item in Scope))
    if scope != Scope.BRAND.value and not clean(key):
        raise Mistake(f"Say which {scope}.", field="key")
    command = SetBudget(
        scope=scope,
        key=frame.kit.id if scope == Scope.BRAND.value and not key else clean(key),
        brand=clean(brand),
        pictures=_whole(pictures),
        cost=_amount(cost),
        daily=per == "day",
    )
    return await frame.say(command, delivery, "/usage#budgets")


def _checked(month: str) -> str:
    try:
        return month_of(month_bounds(month)[0])
    except ValueError as exc:
        raise Mistake(f"`{month[:20]}` isn't a month.", fix="Write it as 2026-03.") from exc


def _whole(text: str) -> int | None:
    text = clean(text).replace(",", "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 8):
        raise Mistake("Pictures are a whole number, or nothing for no limit.", field="pictures")
    return int(text)


def _amount(text: str) -> float | None:
    text = clean(text).replace(",", ".")
    if not text:
        return None
    try:
        return round(float(text), 2)
    except ValueError as exc:
        raise Mistake("A cost is an amount, as 12.50, or nothing.", field="cost") from exc


def _hourly(tariff: Tariff | None) -> str:
    return str(Money(amount=tariff.hourly, currency=tariff.currency)) if tariff else ""


def _shown(gauge: Gauge, tariff: Tariff | None) -> ShownBudget:
    bars = [_bar(level, tariff) for level in gauge.levels]
    states = {"full": "used up: new pictures wait", "near": "nearly used up"}
    tones = {bar.tone for bar in bars}
    state = next((words for tone, words in states.items() if tone in tones), "")
    return ShownBudget(gauge=gauge, bars=bars, state=state)


def _bar(level: Level, tariff: Tariff | None) -> Bar:
    used = min(level.used / level.limit, 1.0) if level.limit > 0 else 1.0
    reserved = min(level.share, 1.0) - used
    return Bar(
        label="pictures" if level.kind == "pictures" else "cost",
        words=limit_words(level, tariff),
        percent=percent_words(level.share),
        used=round(used * 100, 1),
        reserved=round(max(reserved, 0) * 100, 1),
        tone="full" if level.share >= 1 else "near" if level.share >= NEAR else "",
        about=_about(level, tariff),
    )


def _about(level: Level, tariff: Tariff | None) -> str:
    if not level.reserved:
        return ""
    if level.kind == "pictures":
        return f"{level.used:,.0f} rendered, {level.reserved:,.0f} reserved by waiting jobs"
    currency = tariff.currency if tariff else ""
    parts = [Money(amount=part, currency=currency) for part in (level.used, level.reserved)]
    return f"{parts[0]} measured, {parts[1]} reserved by waiting jobs"


def _choice(frame: Frame, everybody: Sequence[Person]) -> Choice:
    viewer, kit = frame.visitor.person, frame.kit
    here = [p for p in everybody if p.active and (viewer.is_admin or p.roles_in(kit.id))]
    mine = manages(viewer, brand_account(kit.id))
    return Choice(
        people=sorted((person.id, person.name) for person in here) if mine else [],
        teams=sorted({person.team for person in here if person.team}) if mine else [],
        brand=mine,
        everywhere=manages(viewer, Account(scope=Scope.PERSON.value, key=viewer.id)),
    )
