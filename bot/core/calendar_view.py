"""The calendar as a person sees it: days with their slots, in words, with what may be done.

The chat, the portal and the terminal all show these values; none of them reads slots by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.core.actions import action
from bot.core.assets import Asset
from bot.core.cards import picture_ref
from bot.core.errors import NotFound
from bot.core.lives import ScheduleState, SlotState
from bot.core.messages import Button, PictureRef, Style
from bot.core.people import Person
from bot.core.places import is_at, settled
from bot.core.planning_rules import place_of, rule_in_words
from bot.core.policy import MANAGERS, sees_calendar, tends_calendar
from bot.core.ports import Transaction
from bot.core.reviews import Review
from bot.core.seeing import Sight
from bot.core.slots import Schedule, Slot
from brand.kit import BrandKit

_S = SlotState
BEFORE = frozenset({_S.PLANNED, _S.RENDERING, _S.IN_REVIEW, _S.READY})
"""States of slots that nothing has come of yet."""
STATE_WORDS = {
    _S.PLANNED: "planned",
    _S.RENDERING: "being made",
    _S.IN_REVIEW: "to approve",
    _S.READY: "approved",
    _S.POSTED: "posted",
    _S.MISSED: "missed",
    _S.SKIPPED: "skipped",
    _S.FALLBACK_POSTED: "fallback posted",
}
_SLACK = timedelta(hours=14)  # no zone is further from UTC


@dataclass(frozen=True, kw_only=True)
class CalendarRow:
    """One slot as one person sees it."""

    slot: Slot
    schedule: Schedule
    local: datetime
    """When it is due, in the schedule's zone."""
    channel: str
    """ "#social"."""
    words: str
    """ "to approve"."""
    problem: str
    """What stands in its way, or why it was skipped or missed; else empty."""
    picture: PictureRef | None
    """None while there is none, or where this person may not see it."""
    review: str
    """The open review that waits for a vote, or empty."""
    buttons: tuple[Button, ...]
    """What this person may do with it now."""
    movable: bool

    @property
    def day(self) -> date:
        """The day that it stands on."""
        return self.local.date()

    @property
    def place(self) -> str:
        """The zone in one word: "Berlin"."""
        return place_of(self.schedule.zone)

    @property
    def when(self) -> str:
        """ "Mon 09 Mar 09:00, Berlin"."""
        return f"{self.local:%a %d %b %H:%M}, {self.place}"

    @property
    def what(self) -> str:
        """Theme and template."""
        return " · ".join(part for part in (self.slot.theme, self.slot.template) if part)


@dataclass(frozen=True, kw_only=True)
class CalendarDay:
    """A local date with its slots by due time."""

    day: date
    rows: tuple[CalendarRow, ...]


@dataclass(frozen=True, kw_only=True)
class CalendarWeek:
    """Seven days from Monday on."""

    first: date
    days: tuple[CalendarDay, ...]

    @property
    def rows(self) -> tuple[CalendarRow, ...]:
        """All its slots by day and due time."""
        return tuple(row for day in self.days for row in day.rows)


@dataclass(frozen=True, kw_only=True)
class CalendarMonth:
    """Every week that has a day of the month."""

    first: date
    weeks: tuple[CalendarWeek, ...]


@dataclass(frozen=True, kw_only=True)
class ScheduleRow:
    """One schedule as one person sees it."""

    schedule: Schedule
    rule: str
    """ "Mondays 09:00, Berlin"."""
    channel: str
    buttons: tuple[Button, ...]


async def week_of(
    tx: Transaction, kit: BrandKit, person: Person | None, day: date, *, now: datetime
) -> CalendarWeek:
    """The week of this day. Raises NotFound for someone who may not read the calendar.

    `person` None, here and below: as a working channel of the brand may see it.
    """
    first = day - timedelta(days=day.weekday())
    return _week(first, await rows_between(tx, kit, person, first, _plus(first, 6), now=now))


async def month_of(
    tx: Transaction, kit: BrandKit, person: Person, day: date, *, now: datetime
) -> CalendarMonth:
    """All weeks of this day's month. Raises NotFound as `week_of`."""
    first = day.replace(day=1)
    last = _plus(_plus(first, 31).replace(day=1), -1)
    start = _plus(first, -first.weekday())
    end = _plus(last, 6 - last.weekday())
    rows = await rows_between(tx, kit, person, start, end, now=now)
    mondays = [_plus(start, number) for number in range(0, (end - start).days, 7)]
    return CalendarMonth(first=first, weeks=tuple(_week(monday, rows) for monday in mondays))


async def rows_between(
    tx: Transaction,
    kit: BrandKit,
    person: Person | None,
    first: date,
    last: date,
    *,
    now: datetime,
) -> tuple[CalendarRow, ...]:
    """The slots whose local day is one of these, by due time. Raises NotFound as `week_of`."""
    if person is not None:
        _check_member(kit, person)
    since = datetime.combine(first, time(), UTC) - _SLACK
    until = datetime.combine(last, time(), UTC) + timedelta(days=1) + _SLACK
    slots = await tx.schedules.slots(since=since, until=until, brand=kit.id)
    rows = await rows_of(tx, kit, person, slots, now=now)
    return tuple(row for row in rows if first <= row.day <= last)


async def rows_of(
    tx: Transaction, kit: BrandKit, person: Person | None, slots: Sequence[Slot], *, now: datetime
) -> tuple[CalendarRow, ...]:
    """These slots, in their order."""
    schedules: dict[str, Schedule] = {}
    rows = []
    for slot in slots:
        if slot.schedule not in schedules:
            schedules[slot.schedule] = await tx.schedules.get(slot.schedule)
        rows.append(await _row(tx, kit, person, slot, schedules[slot.schedule], now))
    return tuple(rows)


async def schedules_of(tx: Transaction, kit: BrandKit, person: Person) -> tuple[ScheduleRow, ...]:
    """The brand's schedules that have not ended, by name. Raises NotFound as `week_of`."""
    _check_member(kit, person)
    manages = bool(person.roles_in(kit.id) & MANAGERS)
    return tuple(
        ScheduleRow(
            schedule=schedule,
            rule=rule_in_words(schedule),
            channel=channel_name(kit, schedule),
            buttons=_schedule_buttons(schedule) if manages else (),
        )
        for schedule in await tx.schedules.of_brand(kit.id)
        if schedule.state is not ScheduleState.ENDED
    )


def channel_name(kit: BrandKit, schedule: Schedule) -> str:
    """The kit's name of the channel that a schedule posts to."""
    target = settled(kit.channels, schedule.target)
    for channel in kit.channels:
        if is_at(channel, target):
            return f"#{channel.name.removeprefix('#')}"
    return f"#{schedule.target.channel}"


def _check_member(kit: BrandKit, person: Person) -> None:
    if not sees_calendar(kit, person):
        raise NotFound(f"There is no brand `{kit.id}` that you could see.", fix="Ask an admin.")


def _plus(day: date, days: int) -> date:
    return day + timedelta(days=days)


def _week(first: date, rows: Sequence[CalendarRow]) -> CalendarWeek:
    days = [_plus(first, number) for number in range(7)]
    return CalendarWeek(
        first=first,
        days=tuple(
            CalendarDay(day=day, rows=tuple(row for row in rows if row.day == day)) for day in days
        ),
    )


async def _row(
    tx: Transaction,
    kit: BrandKit,
    person: Person | None,
    slot: Slot,
    schedule: Schedule,
    now: datetime,
) -> CalendarRow:
    review = await _review_of(tx, slot)
    waiting = review is not None and review.is_waiting
    tends = person is None or tends_calendar(kit, person, schedule.owner)
    asset = await _asset_of(tx, slot)
    shown = asset is not None and (person is None or await Sight(tx, person).asset(asset))
    return CalendarRow(
        slot=slot,
        schedule=schedule,
        local=slot.due_at.astimezone(ZoneInfo(schedule.zone)),
        channel=channel_name(kit, schedule),
        words=words_of(slot, schedule),
        problem=slot.reason,
        picture=picture_ref(asset, kit, review) if asset is not None and shown else None,
        review=review.id if review is not None and waiting else "",
        buttons=_slot_buttons(kit, person, slot, review if waiting else None, now) if tends else (),
        movable=tends and slot.state in BEFORE and now < slot.due_at,
    )


def words_of(slot: Slot, schedule: Schedule) -> str:
    """The state as people read it."""
    if slot.state in BEFORE and schedule.state is ScheduleState.PAUSED:
        return "paused"
    return STATE_WORDS[slot.state] + (", moved" if slot.moved else "")


async def _review_of(tx: Transaction, slot: Slot) -> Review | None:
    try:
        return await tx.reviews.get(slot.review) if slot.review else None
    except NotFound:
        return None


async def _asset_of(tx: Transaction, slot: Slot) -> Asset | None:
    try:
        return await tx.assets.get(slot.asset) if slot.asset else None
    except NotFound:
        return None


def _slot_buttons(
    kit: BrandKit, person: Person | None, slot: Slot, review: Review | None, now: datetime
) -> tuple[Button, ...]:
    if now >= slot.due_at:
        return ()
    if slot.state is _S.SKIPPED:
        return (Button(label="Restore", action=action("restore", slot.id), icon="undo"),)
    if slot.state not in BEFORE:
        return ()
    buttons = []
    if review is not None and (person is None or _may_approve(kit, person, review)):
        buttons.append(
            Button(
                label="Approve",
                action=action("approve", review.id),
                style=Style.PRIMARY,
                icon="approve",
            )
        )
    buttons.append(Button(label="Skip", action=action("skip", slot.id), icon="cancel"))
    if slot.asset:
        buttons.append(
            Button(label="Re-roll", action=action("reroll_slot", slot.id), icon="reroll")
        )
        buttons.append(Button(label="Open", action=action("show", slot.asset), icon="info"))
    return tuple(buttons)


def _may_approve(kit: BrandKit, person: Person, review: Review) -> bool:
    if any(vote.person == person.id for vote in review.votes):
        return False
    own = kit.review.four_eyes and person.id == review.requester
    return not own and kit.review.allows_approval(person.id, person.roles_in(kit.id))


def _schedule_buttons(schedule: Schedule) -> tuple[Button, ...]:
    end = Button(label="End", action=action("end", schedule.id), style=Style.DANGER, icon="cancel")
    if schedule.state is ScheduleState.PAUSED:
        return (Button(label="Resume", action=action("resume", schedule.id), icon="undo"), end)
    return (Button(label="Pause", action=action("pause", schedule.id), icon="clock"), end)
