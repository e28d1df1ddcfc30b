"""Schedule rules -> slots: which days, which instant, which turn. Pure: no store, no clock.

A slot's time is a wall-clock time of its zone. One that a clock change leaves out moves to the
next time that exists (02:30 becomes 03:00 where clocks jump from two to three); one that comes
twice is taken the first time only. What is taken in turn goes by the number of the entry, which
follows from the date alone, so that every machine comes to the same result.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from bot.core.slots import Schedule
from brand.kit import BrandKit, Template, Variable
from brand.templates import WORDS_VARIABLE, Brief

DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One date of a rule."""

    day: date
    due_at: datetime
    """UTC."""
    turn: int
    template: str


def entries(schedule: Schedule, *, since: date, until: date) -> Iterator[Entry]:
    """The entries whose local date is from `since` up to and with `until`, by date."""
    day = since
    while day <= until:
        turn = turn_of(schedule, day)
        if turn is not None:
            yield Entry(
                day=day,
                due_at=instant(day, schedule.at, schedule.zone),
                turn=turn,
                template=schedule.templates[turn % len(schedule.templates)]
                if schedule.templates
                else "",
            )
        day += _DAY


def turn_of(schedule: Schedule, day: date) -> int | None:
    """The number of this day's entry, growing by one from entry to entry from that of
    `starts_on`'s week on (0 is its first weekday); None if the rule has none that day."""
    if day.weekday() not in schedule.weekdays:
        return None
    weeks = (_monday(day) - _monday(schedule.starts_on)).days // 7
    if weeks % schedule.every_weeks:
        return None
    order = sorted(set(schedule.weekdays))
    return weeks // schedule.every_weeks * len(order) + order.index(day.weekday())


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def instant(day: date, at: time, zone: str) -> datetime:
    """When that wall clock shows that time, in UTC."""
    local = datetime.combine(day, at.replace(tzinfo=None, fold=0), ZoneInfo(zone))
    found = local.astimezone(UTC)
    if found.astimezone(local.tzinfo).replace(tzinfo=None) == local.replace(tzinfo=None):
        return found
    return _end_of_gap(local)


def _end_of_gap(local: datetime) -> datetime:
    """The first instant after the clocks jumped over this time: their change itself."""
    early = local.replace(fold=1).astimezone(UTC)  # read with the offset after the jump
    late = local.replace(fold=0).astimezone(UTC)  # and with the one before it
    after = late.astimezone(local.tzinfo).utcoffset()
    while late - early > timedelta(seconds=1):
        middle = early + (late - early) // 2
        if middle.astimezone(local.tzinfo).utcoffset() == after:
            late = middle
        else:
            early = middle
    return late.replace(microsecond=0)


def local_day(moment: datetime, zone: str) -> date:
    """The date that the zone's calendars show then."""
    return moment.astimezone(ZoneInfo(zone)).date()


@cache
def _zones() -> dict[str, str]:
    """Every zone by its name and by its place alone, in lower case."""
    names = sorted(available_timezones())
    places = {name.rpartition("/")[2].casefold(): name for name in reversed(names) if "/" in name}
    return {**places, **{name.casefold(): name for name in names}}


def zone_named(text: str) -> str:
    """The IANA name for "europe/berlin", "Berlin" or "utc"; empty if there is none."""
    return _zones().get(text.casefold().replace(" ", "_"), "")


def zone_names() -> tuple[str, ...]:
    """All zones that a schedule may have."""
    return tuple(sorted(set(_zones().values())))


def place_of(zone: str) -> str:
    """The zone in one word: "Berlin" of "Europe/Berlin"."""
    return zone.rpartition("/")[2].replace("_", " ")


def days_in_words(weekdays: tuple[int, ...]) -> str:
    """ "Mon and Thu", "weekdays", "every day"."""
    days = sorted(set(weekdays))
    known = {(0, 1, 2, 3, 4): "weekdays", (5, 6): "weekends", tuple(range(7)): "every day"}
    if tuple(days) in known:
        return known[tuple(days)]
    if len(days) == 1:
        return f"{DAY_NAMES[days[0]]}s"
    names = [DAY_NAMES[day][:3] for day in days]
    return f"{', '.join(names[:-1])} and {names[-1]}"


def rule_in_words(schedule: Schedule) -> str:
    """ "Mondays 09:00, Berlin", "Tue and Thu 18:30, New York, every 2 weeks"."""
    weeks = f", every {schedule.every_weeks} weeks" if schedule.every_weeks > 1 else ""
    days = days_in_words(schedule.weekdays)
    return f"{days} {schedule.at:%H:%M}, {place_of(schedule.zone)}{weeks}"


def brief_of(kit: BrandKit, *, theme: str, template: str, turn: int) -> Brief:
    """What a slot asks for. A variable takes its allowed values in turn, its default first; where
    any text may stand and there is no default, it takes the theme."""
    found = kit.template(template)
    if found is None:
        return Brief(words=theme, template=template)
    values = tuple(
        (variable.name, _in_turn(variable, turn) if variable.values else theme)
        for variable in found.variables
        if (variable.values or not variable.default) and variable.name != WORDS_VARIABLE
    )
    return Brief(words="" if _said(found, theme) else theme, template=template, variables=values)


def _in_turn(variable: Variable, turn: int) -> str:
    values = variable.values
    first = values.index(variable.default) if variable.default in values else 0
    return values[(first + turn) % len(values)]


def _said(template: Template, theme: str) -> bool:
    """Whether the theme stands in the template already, as an open variable's text."""
    return any(not item.default and not item.values for item in template.variables) and bool(theme)
