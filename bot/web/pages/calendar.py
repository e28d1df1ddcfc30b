"""The calendar: a week first, a month second; each view is a link, each button a command."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, Response
from starlette.datastructures import URL

from bot.core.actions import action
from bot.core.calendar_view import rows_between, schedules_of
from bot.core.errors import NotFound
from bot.core.ids import is_id
from bot.core.lives import SlotState
from bot.core.messages import Card
from bot.core.policy import may_plan
from bot.web.calendar_days import Month, Span, Week
from bot.web.calendar_slots import ShownSlot, allowed, shown_schedule, shown_slot, starter, today_in
from bot.web.frame import Frame, Framed, go, reply_of, safe_back

router = APIRouter(prefix="/calendar")
MAX_VOTES = 60
"""Votes of one "approve all": more than a week of posts has."""


@dataclass(frozen=True, kw_only=True)
class Digest:
    """What happens in a stretch of days, as a sentence and its slots."""

    title: str
    sentence: str
    slots: tuple[ShownSlot, ...]

    @property
    def votes(self) -> tuple[ShownSlot, ...]:
        """Those that the visitor may approve."""
        return tuple(item for item in self.slots if item.votable)


@dataclass(frozen=True, kw_only=True)
class Note:
    """What came of the last command, shown where it was given."""

    card: Card
    slot: str = ""
    was: datetime | None = None
    """Where a moved slot stood before: the way back."""


@router.get("")
async def calendar_page(
    frame: Framed, week: str = "", month: str = "", at: str = "", was: str = "", votes: str = ""
) -> HTMLResponse:
    """A week, or a month. `at`, `was` and `votes` tell of the last command."""
    now, kit, person = frame.house.clock.now(), frame.kit, frame.visitor.person
    async with frame.house.store.read() as tx:
        rules = await schedules_of(tx, kit, person)
        today = today_in([rule.schedule for rule in rules], now)
        span: Span = Month.parse(month) or Week.parse(week) or Week.of(today)
        plain = isinstance(span, Week) and Week.parse(week) is None
        last = span.step(1).days[-1] if plain else span.days[-1]
        rows = await rows_between(tx, kit, person, span.days[0], last, now=now)
        slots = [await shown_slot(tx, frame, row) for row in rows]
        schedules = [await shown_schedule(tx, frame, rule) for rule in rules]
    shown = [item for item in slots if item.row.day <= span.days[-1]]
    later = [item for item in slots if item.row.day > span.days[-1]]
    facts: dict[str, Any] = {
        "span": span,
        "monthly": isinstance(span, Month),
        "other": _other(span, today),
        "base": "/calendar" if plain else span.href,
        "today": today,
        "days": [(day, [item for item in shown if item.row.day == day]) for day in span.days],
        "legend": {item.row.words: item.look for item in shown},
        "digest": _digest("This week" if plain else span.title, shown),
        "later": _digest("Next week", later) if plain else None,
        "schedules": schedules,
        "note": _note(frame, at, was),
        "shown_ids": {item.id for item in slots},
        "plans": allowed(may_plan, kit, person),
        "outcome": await _outcome(frame, votes),
        "starter": "" if rules or slots else starter(frame.kit),
    }
    if frame.wants_fragment:
        return frame.fragment("calendar_body.html", **facts)
    return frame.page("calendar.html", "calendar", **facts)


@router.post("/move")
async def move(
    frame: Framed,
    slot: Annotated[str, Form(max_length=40)],
    day: Annotated[date, Form()],
    at: Annotated[str, Form(max_length=5, pattern=r"^\d\d:\d\d$")],
    back: Annotated[str, Form(max_length=2000)] = "/calendar",
    delivery: Annotated[str, Form(max_length=40)] = "",
) -> Response:
    """Move a slot to another day or time of its schedule's zone."""
    was = await _stands(frame, slot)
    visitor = frame.visitor
    wanted = action("move", slot, f"{day.isoformat()}T{at}")
    answer = await frame.site.desk.press(visitor.actor(delivery), wanted, aside=visitor.aside)
    return go(_with(back, at=slot, was=was), reply=answer.id if answer else "")


@router.post("/approve")
async def approve_all(
    frame: Framed,
    vote: Annotated[list[str], Form()],
    back: Annotated[str, Form(max_length=2000)] = "/calendar",
) -> Response:
    """Approve the reviews that the page listed, each by a command of its own. A `vote` is
    REVIEW.DELIVERY, so that a form which is sent twice counts once."""
    desk, visitor = frame.site.desk, frame.visitor
    told = []
    for pair in vote[:MAX_VOTES]:
        review, _, delivery = pair.partition(".")
        if not is_id(review):
            continue
        press = action("approve", review)
        answer = await desk.press(visitor.actor(delivery), press, aside=visitor.aside)
        told.append(f"{review}.{answer.id if answer else ''}")
    return go(_with(back, votes=",".join(told)))


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of "approve all": how many were, and which were not and why."""

    approved: int
    refused: tuple[tuple[str, str], ...]
    """The picture's words, and the reason."""


async def _outcome(frame: Frame, votes: str) -> Outcome | None:
    """Read back from the answers, which are the visitor's own."""
    approved, refused = 0, []
    for pair in votes.split(",")[:MAX_VOTES]:
        review, _, message = pair.partition(".")
        card = await reply_of(frame.site, frame.visitor, message)
        if card is None or not is_id(review):
            continue
        if card.kind == "error":
            refused.append((await _words(frame, review), " ".join((*card.lines, card.fix)).strip()))
        else:
            approved += 1
    return Outcome(approved=approved, refused=tuple(refused)) if approved or refused else None


async def _words(frame: Frame, review_id: str) -> str:
    async with frame.house.store.read() as tx:
        try:
            asset = await tx.assets.get((await tx.reviews.get(review_id)).asset)
        except NotFound:
            return "A picture that is gone"
    return asset.words or asset.spec.prompt


async def _stands(frame: Frame, slot_id: str) -> str:
    """Where the slot stands now, as `was` says it; empty where there is none."""
    if not is_id(slot_id):
        return ""
    async with frame.house.store.read() as tx:
        try:
            slot = await tx.schedules.get_slot(slot_id)
            schedule = await tx.schedules.get(slot.schedule)
        except NotFound:
            return ""
    return f"{slot.due_at.astimezone(ZoneInfo(schedule.zone)):%Y-%m-%dT%H:%M}"


def _note(frame: Frame, at: str, was: str) -> Note | None:
    if frame.reply is None:
        return None
    try:
        before = datetime.fromisoformat(was) if was else None
    except ValueError:
        before = None
    return Note(card=frame.reply, slot=at if is_id(at) else "", was=before)


def _with(back: str, **told: str) -> str:
    """The page to go back to, with what it shall tell of this command."""
    url = URL(safe_back(back, "/calendar"))
    return str(url.include_query_params(**{name: text for name, text in told.items() if text}))


def _other(span: Span, today: date) -> Span:
    """The month of a week; the week of a month: today's if it has today, else its first."""
    if isinstance(span, Week):
        return Month.of(span.days[3])
    return Week.of(today if Month.of(today) == span else span.first)


_SAID = {
    SlotState.POSTED: "posted",
    SlotState.FALLBACK_POSTED: "posted as a fallback",
    SlotState.READY: "approved",
    SlotState.IN_REVIEW: "to approve",
    SlotState.RENDERING: "being made",
    SlotState.PLANNED: "planned",
    SlotState.SKIPPED: "skipped",
    SlotState.MISSED: "missed",
}


def _digest(title: str, slots: Sequence[ShownSlot]) -> Digest:
    states = [item.row.slot.state for item in slots]
    parts = [f"{states.count(state)} {words}" for state, words in _SAID.items() if state in states]
    posts = "1 post" if len(slots) == 1 else f"{len(slots)} posts"
    said = f"{posts}: {', '.join(parts)}." if slots else "Nothing is planned."
    return Digest(title=title, sentence=said, slots=tuple(slots))
