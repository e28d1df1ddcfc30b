"""What the calendar page adds to core's rows: a look for each state, links, votes, next dates."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import ParamSpec
from zoneinfo import ZoneInfo

from bot.core.actions import action
from bot.core.calendar_view import BEFORE, CalendarRow, ScheduleRow
from bot.core.commands import AddSchedule
from bot.core.errors import HousestyleError, NotFound
from bot.core.grammar_render import render_command
from bot.core.lives import ScheduleState, SlotState
from bot.core.messages import Button, Style
from bot.core.planning_rules import entries
from bot.core.policy import may_vote
from bot.core.ports import Transaction
from bot.core.slots import Schedule
from bot.core.vocabulary import Vocabulary
from bot.web.frame import Frame
from brand.kit import BrandKit

P = ParamSpec("P")
_S = SlotState
NEXT = 3
AHEAD = timedelta(weeks=60)
"""How far a schedule's next dates are looked for: one of every 52 weeks has one in it."""
PRESSED_ELSEWHERE = ("show", "approve")
"""Buttons of core's rows that are links here, or put in by `votable`."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """A state's icon and tone; neither ever stands without its words."""

    icon: str
    tone: str = ""


LOOKS = {
    _S.PLANNED: Look(icon="clock"),
    _S.RENDERING: Look(icon="vary"),
    _S.IN_REVIEW: Look(icon="review", tone="warn"),
    _S.READY: Look(icon="approve", tone="good"),
    _S.POSTED: Look(icon="post", tone="good"),
    _S.MISSED: Look(icon="warn", tone="bad"),
    _S.SKIPPED: Look(icon="off"),
    _S.FALLBACK_POSTED: Look(icon="post", tone="good"),
}
PAUSED = Look(icon="pause")


@dataclass(frozen=True, kw_only=True)
class ShownSlot:
    """One slot ready for its template."""

    row: CalendarRow
    look: Look
    votable: bool
    """Whether the visitor may vote on its open review."""

    @property
    def id(self) -> str:
        """The slot's."""
        return self.row.slot.id

    @property
    def hour(self) -> str:
        """The time on the wall, "09:00"."""
        return f"{self.row.local:%H:%M}"

    @property
    def label(self) -> str:
        """What tells it from the others, read aloud."""
        local, row = self.row.local, self.row
        return f"{row.schedule.name}, {local:%A} {local.day} {local:%B} {self.hour} {row.place}"

    @property
    def href(self) -> str:
        """The open review, else the picture; empty where there is none to see."""
        if self.row.picture is None:
            return ""
        if self.row.review:
            return f"/review/{self.row.review}"
        return f"/pictures/{self.row.picture.asset}"

    @property
    def buttons(self) -> list[Button]:
        """What may be done with it, but for what is a link here; a vote where one may vote."""
        rest = [
            button
            for button in self.row.buttons
            if button.action.partition(":")[0] not in PRESSED_ELSEWHERE
        ]
        return [_approve(self.row.review), *rest] if self.votable else rest


def _approve(review: str) -> Button:
    return Button(
        label="Approve", action=action("approve", review), style=Style.PRIMARY, icon="approve"
    )


async def shown_slot(tx: Transaction, frame: Frame, row: CalendarRow) -> ShownSlot:
    """The row with its look and the visitor's right to vote."""
    paused = row.schedule.state is ScheduleState.PAUSED and row.slot.state in BEFORE
    return ShownSlot(
        row=row,
        look=PAUSED if paused else LOOKS[row.slot.state],
        votable=bool(row.review) and await _votable(tx, frame, row.review),
    )


async def _votable(tx: Transaction, frame: Frame, review_id: str) -> bool:
    try:
        review = await tx.reviews.get(review_id)
    except NotFound:
        return False
    return allowed(may_vote, frame.kit, frame.visitor.person, review, demo=frame.house.demo)


def allowed(rule: Callable[P, object], *args: P.args, **named: P.kwargs) -> bool:
    """Whether a rule lets it pass: a button that would be refused isn't shown."""
    try:
        rule(*args, **named)
    except HousestyleError:
        return False
    return True


@dataclass(frozen=True, kw_only=True)
class ShownSchedule:
    """One schedule ready for its template."""

    row: ScheduleRow
    next: tuple[datetime, ...]
    """Its next times, in its zone."""


async def shown_schedule(tx: Transaction, frame: Frame, row: ScheduleRow) -> ShownSchedule:
    """The row with its next times: those of its slots, moved and skipped ones as they are, then
    what its rule says beyond."""
    schedule, now = row.schedule, frame.house.clock.now()
    if schedule.state is not ScheduleState.ACTIVE:
        return ShownSchedule(row=row, next=())
    zone = ZoneInfo(schedule.zone)
    today = now.astimezone(zone).date()
    known = await tx.schedules.slots_of(schedule.id, since=today - timedelta(days=7))
    times = [slot.due_at for slot in known if slot.state in BEFORE]
    made = {slot.local_date for slot in known}
    beyond = entries(schedule, since=today, until=today + AHEAD)
    for entry in beyond:
        if len(times) >= NEXT + len(known):
            break
        if entry.day not in made:
            times.append(entry.due_at)
    coming = sorted(at for at in times if at > now)[:NEXT]
    return ShownSchedule(row=row, next=tuple(at.astimezone(zone) for at in coming))


def today_in(schedules: Sequence[Schedule], now: datetime) -> date:
    """Today where most of the schedules live; in UTC without any."""
    zones = [item.zone for item in schedules]
    return now.astimezone(ZoneInfo(max(zones, key=zones.count, default="UTC"))).date()


def starter(kit: BrandKit) -> str:
    """A line for the chat that makes a first schedule of this brand."""
    command = AddSchedule(
        weekdays=(0,),
        at=time(9),
        zone="Europe/Berlin",
        theme="innovation",
        templates=tuple(template.name for template in kit.templates[:1]),
        channel=kit.publish_channels[0].name if kit.publish_channels else "",
    )
    return render_command(command, vocabulary=Vocabulary.of(kit))
