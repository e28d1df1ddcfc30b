"""Weekly rules: days, turns, and instants that exist once, whatever the clocks do."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.planning_rules import (
    brief_of,
    days_in_words,
    entries,
    instant,
    rule_in_words,
    turn_of,
    zone_named,
)
from brand.kit import Template, Variable
from tests.contract.values import make_schedule
from tests.fakes.town import KIT

BERLIN, NEW_YORK, LORD_HOWE = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"
zones = st.sampled_from(sorted(available_timezones()))


@pytest.mark.parametrize(
    ("zone", "day", "at", "utc"),
    [
        (BERLIN, date(2026, 3, 9), time(9), "2026-03-09T08:00"),
        (BERLIN, date(2026, 3, 30), time(9), "2026-03-30T07:00"),
        # Left out on 29 March: clocks jump from 02:00 to 03:00, which is 01:00 UTC.
        (BERLIN, date(2026, 3, 29), time(2, 30), "2026-03-29T01:00"),
        (BERLIN, date(2026, 3, 29), time(2), "2026-03-29T01:00"),
        (BERLIN, date(2026, 3, 29), time(3), "2026-03-29T01:00"),
        # Comes twice on 25 October: the first time, in summer time, counts.
        (BERLIN, date(2026, 10, 25), time(2, 30), "2026-10-25T00:30"),
        (NEW_YORK, date(2026, 3, 8), time(2, 30), "2026-03-08T07:00"),
        (NEW_YORK, date(2026, 11, 1), time(1, 30), "2026-11-01T05:30"),
        # Half an hour: 02:00 becomes 02:30 on 4 October, and 02:00 becomes 01:30 on 5 April.
        (LORD_HOWE, date(2026, 10, 4), time(2, 15), "2026-10-03T15:30"),
        (LORD_HOWE, date(2026, 4, 5), time(1, 45), "2026-04-04T14:45"),
        # Samoa left out a whole day.
        ("Pacific/Apia", date(2011, 12, 30), time(9), "2011-12-30T10:00"),
    ],
)
def test_a_wall_clock_time_is_one_instant(zone: str, day: date, at: time, utc: str) -> None:
    assert instant(day, at, zone) == datetime.fromisoformat(utc).replace(tzinfo=UTC)


@settings(max_examples=300, deadline=None)
@given(zones, st.dates(date(1990, 1, 1), date(2037, 12, 31)), st.times())
def test_an_instant_shows_its_time_or_the_next_that_exists(zone: str, day: date, at: time) -> None:
    at = at.replace(microsecond=0)
    wanted = datetime.combine(day, at)
    shown = instant(day, at, zone).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    assert wanted <= shown <= wanted + timedelta(hours=24)
    if shown != wanted:  # what lies between was left out by the clocks
        before = (instant(day, at, zone) - timedelta(seconds=1)).astimezone(ZoneInfo(zone))
        assert before.replace(tzinfo=None) < wanted


@settings(max_examples=100, deadline=None)
@given(
    zones,
    st.sets(st.integers(0, 6), min_size=1),
    st.integers(1, 5),
    st.dates(date(2020, 1, 1), date(2030, 1, 1)),
)
def test_a_year_has_each_entry_once_with_growing_turns(
    zone: str, weekdays: set[int], every: int, start: date
) -> None:
    rule = make_schedule(
        zone=zone, weekdays=tuple(weekdays), every_weeks=every, starts_on=start, at=time(2, 30)
    )
    found = list(entries(rule, since=start, until=start + timedelta(days=365)))
    turns = [entry.turn for entry in found]
    assert turns == list(range(turns[0], turns[0] + len(turns)))
    assert [entry.due_at for entry in found] == sorted({entry.due_at for entry in found})
    assert {entry.day.weekday() for entry in found} == weekdays
    assert all(turn_of(rule, entry.day) == entry.turn for entry in found)


def test_every_other_week_counts_from_the_week_of_the_first_day() -> None:
    rule = make_schedule(weekdays=(0, 3), every_weeks=2, starts_on=date(2026, 3, 5))
    found = entries(rule, since=date(2026, 3, 5), until=date(2026, 3, 31))
    days = [(entry.day.day, entry.turn, entry.template) for entry in found]
    assert days == [(5, 1, "mood"), (16, 2, "product"), (19, 3, "mood"), (30, 4, "product")]


@pytest.mark.parametrize(
    ("said", "zone"),
    [
        ("europe/berlin", BERLIN),
        ("Berlin", BERLIN),
        ("new york", NEW_YORK),
        ("lord_howe", LORD_HOWE),
        ("UTC", "UTC"),
        ("Europe/Atlantis", ""),
        ("", ""),
    ],
)
def test_a_zone_is_known_by_its_name_or_its_place(said: str, zone: str) -> None:
    assert zone_named(said) == zone


@pytest.mark.parametrize(
    ("days", "words"),
    [
        ((0,), "Mondays"),
        ((3, 0), "Mon and Thu"),
        ((0, 2, 4), "Mon, Wed and Fri"),
        ((0, 1, 2, 3, 4), "weekdays"),
        ((5, 6), "weekends"),
        (tuple(range(7)), "every day"),
    ],
)
def test_days_are_said_as_people_say_them(days: tuple[int, ...], words: str) -> None:
    assert days_in_words(days) == words


def test_a_rule_is_said_in_one_line() -> None:
    rule = make_schedule(zone=NEW_YORK, at=time(18, 30), weekdays=(1,), every_weeks=2)
    assert rule_in_words(rule) == "Tuesdays 18:30, New York, every 2 weeks"


def test_a_templates_variables_take_their_values_in_turn_or_the_theme() -> None:
    template = Template(
        name="poster",
        text="a [COLOR] poster on [SIZE] paper that says [HEADLINE]",
        variables=(
            Variable(name="COLOR", values=("red", "teal")),
            Variable(name="SIZE", values=("small", "large"), default="large"),
            Variable(name="HEADLINE"),
            Variable(name="PAPER", default="matt"),
        ),
    )
    kit = replace(KIT, templates=(template,))
    briefs = [brief_of(kit, theme="spring", template="poster", turn=turn) for turn in range(3)]
    assert [brief.variables for brief in briefs] == [
        (("COLOR", "red"), ("SIZE", "large"), ("HEADLINE", "spring")),
        (("COLOR", "teal"), ("SIZE", "small"), ("HEADLINE", "spring")),
        (("COLOR", "red"), ("SIZE", "large"), ("HEADLINE", "spring")),
    ]
    assert {brief.words for brief in briefs} == {""}
