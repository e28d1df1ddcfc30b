"""The form that adds a schedule. It makes the plain command, shows it, and gives it."""

from dataclasses import dataclass
from datetime import time
from functools import cache
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.datastructures import ImmutableMultiDict

from bot.core.assets import Asset, AssetQuery
from bot.core.calendar_add import MAX_EVERY
from bot.core.commands import AddSchedule
from bot.core.errors import Mistake
from bot.core.grammar_render import render_command
from bot.core.lives import AssetState, ScheduleState
from bot.core.planning_rules import DAY_NAMES, zone_names
from bot.core.policy import may_plan
from bot.core.ports import Transaction
from bot.core.vocabulary import Vocabulary
from bot.web.frame import Frame, Framed, go
from brand.kit import BrandKit
from brand.words import clean


async def _planner(frame: Framed) -> None:
    """Raises NotAllowed as the command would: before somebody fills in a form for nothing."""
    may_plan(frame.kit, frame.visitor.person)


router = APIRouter(prefix="/calendar/new", dependencies=[Depends(_planner)])
MAX_TEXT = 200
FALLBACKS = 24
"""So many of the newest approved pictures can be chosen as a fallback."""

AREAS = (
    *("Africa", "America", "Antarctica", "Asia", "Atlantic"),
    *("Australia", "Europe", "Indian", "Pacific"),
)


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What the form holds, as it was typed."""

    on: tuple[str, ...] = ("0",)
    """Weekdays, 0 is Monday."""
    at: str = "09:00"
    zone: str = "UTC"
    theme: str = ""
    templates: tuple[str, ...] = ()
    channel: str = ""
    every: str = "1"
    name: str = ""
    fallback: str = ""

    @classmethod
    def read(cls, given: ImmutableMultiDict[str, Any], otherwise: "Draft") -> "Draft":
        """From an address or a form; what it does not name is as in `otherwise`."""
        if "at" not in given:
            return otherwise

        def text(name: str) -> str:
            return str(given.get(name, ""))[:MAX_TEXT]

        return cls(
            on=tuple(str(day) for day in given.getlist("on")[:7]),
            at=text("at"),
            zone=text("zone"),
            theme=text("theme"),
            templates=tuple(str(name) for name in given.getlist("template")[:50]),
            channel=text("channel"),
            every=text("every"),
            name=text("name"),
            fallback=text("fallback"),
        )

    @property
    def query(self) -> str:
        """As `read` takes it."""
        pairs = [("on", day) for day in self.on] + [("template", name) for name in self.templates]
        pairs += [(name, getattr(self, name)) for name in _TEXTS]
        return urlencode(pairs)

    def command(self, kit: BrandKit, *, several: bool) -> AddSchedule:
        """The command. Raises Mistake where it can't be one."""
        return AddSchedule(
            weekdays=_weekdays(self.on),
            at=_hour(self.at),
            zone=clean(self.zone),
            theme=clean(self.theme),
            templates=tuple(t.name for t in kit.templates if t.name in self.templates),
            channel=clean(self.channel),
            every_weeks=_weeks(self.every),
            name=clean(self.name),
            brand=kit.id if several else "",
            fallback=clean(self.fallback),
        )


_TEXTS = ("at", "zone", "theme", "channel", "every", "name", "fallback")


@router.get("")
async def new_page(frame: Framed) -> HTMLResponse:
    """The form, filled in with what its address says."""
    return await _page(frame, Draft.read(frame.request.query_params, await _first(frame)))


@router.get("/words")
async def words(frame: Framed) -> JSONResponse:
    """The plain command of what is filled in, or what is missing, while one fills it in."""
    line, wrong = _line(frame, Draft.read(frame.request.query_params, Draft()))
    return JSONResponse({"line": line, "wrong": wrong})


@router.post("")
async def add(frame: Framed, request: Request) -> Response:
    """Say the command for the visitor. A refusal comes back to the form as it was."""
    form = await request.form()
    draft = Draft.read(form, Draft())
    line, _ = _line(frame, draft)
    if not line:
        return await _page(frame, draft, status=422)
    visitor, desk = frame.visitor, frame.site.desk
    actor = visitor.actor(str(form.get("delivery", "")))
    answer = await desk.say(actor, line, brand=frame.kit.id, aside=visitor.aside)
    if answer is None or answer.card is None or answer.card.kind != "error":
        return go("/calendar", reply=answer.id if answer else "")
    return go(f"/calendar/new?{draft.query}", reply=answer.id)


async def _page(frame: Frame, draft: Draft, *, status: int = 200) -> HTMLResponse:
    async with frame.house.store.read() as tx:
        fallbacks = await _fallbacks(tx, frame)
    line, wrong = _line(frame, draft)
    return frame.page(
        "calendar_new.html",
        "calendar",
        status=status,
        draft=draft,
        line=line,
        wrong=wrong,
        weekdays=DAY_NAMES,
        zones=zones(),
        fallbacks=fallbacks,
        max_every=MAX_EVERY,
    )


def _line(frame: Frame, draft: Draft) -> tuple[str, str]:
    """The command as a line, else why there is none."""
    try:
        command = draft.command(frame.kit, several=len(frame.kits) > 1)
    except Mistake as exc:
        return "", f"{exc.message} {exc.fix}".strip()
    return render_command(command, vocabulary=Vocabulary.of(frame.kit)), ""


async def _first(frame: Frame) -> Draft:
    """What an empty form suggests: the zone of the brand's newest schedule, its first channel."""
    async with frame.house.store.read() as tx:
        schedules = await tx.schedules.of_brand(frame.kit.id)
    live = [item for item in schedules if item.state is not ScheduleState.ENDED]
    newest = max(live, key=lambda item: item.created_at, default=None)
    channels = frame.kit.publish_channels
    return Draft(
        zone=newest.zone if newest else "UTC",
        channel=channels[0].name if channels else "",
        templates=tuple(template.name for template in frame.kit.templates[:1]),
    )


async def _fallbacks(tx: Transaction, frame: Frame) -> list[Asset]:
    query = AssetQuery(brand=frame.kit.id, states=(AssetState.APPROVED,), limit=FALLBACKS)
    return list(await tx.assets.find(query))


@cache
def zones() -> tuple[str, ...]:
    """Names of places, and UTC: without the old spellings that the database keeps."""
    named = (name for name in zone_names() if name.partition("/")[0] in AREAS)
    return ("UTC", *sorted(named))


def _weekdays(on: tuple[str, ...]) -> tuple[int, ...]:
    days = sorted({int(day) for day in on if day in {"0", "1", "2", "3", "4", "5", "6"}})
    if not days:
        raise Mistake("No day is chosen.", fix="Choose at least one weekday.")
    return tuple(days)


def _hour(text: str) -> time:
    try:
        return time.fromisoformat(text).replace(second=0, microsecond=0, tzinfo=None)
    except ValueError:
        raise Mistake("That isn't a time.", fix="Write it like 09:00.") from None


def _weeks(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text[:4]) <= MAX_EVERY:
        raise Mistake(f"It can come every 1 to {MAX_EVERY} weeks.", fix="Write a number, like 1.")
    return int(text)
