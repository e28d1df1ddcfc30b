"""docs/calendar.md: what it tells people to say is understood, and as it is meant."""

import re
from datetime import time
from pathlib import Path

import pytest

from bot.core import commands
from bot.core.grammar import NotACommand, parse
from bot.core.vocabulary import Vocabulary
from brand.demo import demo_kit

PAGE = (Path(__file__).parents[3] / "docs/calendar.md").read_text(encoding="utf-8")
WORDS = Vocabulary.of(demo_kit())
ID = "3ElikKiTIe8IwRjMFwpH2v"
LINES = sorted(
    {
        first or second
        for first, second in re.findall(r"^(/.+)$|`(/[a-z-]+(?: [^`]+)?)`", PAGE, re.MULTILINE)
        if "?" not in first + second
    }
)


def parts(after: str) -> list[str]:
    """What stands in the first column of the row that says how to `after`."""
    row = next(line for line in PAGE.splitlines() if line.endswith(f"| {after} |"))
    return re.findall(r"`([^`]+)`", row.split("|")[1])


def understood(said: str) -> commands.AddSchedule:
    """The line as a command."""
    line = f"/schedule {said}".replace("fallback ID", f"fallback {ID}")
    command = parse(line, vocabulary=WORDS)
    assert isinstance(command, commands.AddSchedule)
    return command


def test_the_page_tells_of_every_command_of_the_calendar() -> None:
    kinds = {type(parse(line.replace("ID", ID), vocabulary=WORDS)) for line in LINES}
    assert kinds >= {
        commands.AddSchedule,
        commands.Calendar,
        commands.PauseSchedule,
        commands.ResumeSchedule,
        commands.EndSchedule,
        commands.SkipSlot,
        commands.RestoreSlot,
        commands.MoveSlot,
        commands.RerollSlot,
    }
    assert NotACommand not in kinds


@pytest.mark.parametrize(
    ("said", "days", "weeks"),
    list(
        zip(
            parts("choose the days"),
            ((0,), (0, 3), (0, 1, 2, 3, 4), tuple(range(7)), (1,), (4,)),
            (1, 1, 1, 1, 2, 3),
            strict=True,
        )
    ),
)
def test_days_mean_what_the_page_says(said: str, days: tuple[int, ...], weeks: int) -> None:
    command = understood(f"{said} 9:00 theme tea")
    assert (command.weekdays, command.every_weeks) == (days, weeks)


@pytest.mark.parametrize(
    ("said", "at"),
    list(zip(parts("choose the hour"), (time(9), time(9, 30), time(18), time(12)), strict=True)),
)
def test_hours_mean_what_the_page_says(said: str, at: time) -> None:
    assert understood(f"every Monday {said} theme tea").at == at


@pytest.mark.parametrize(
    ("after", "field", "values"),
    [
        ("choose the zone whose clocks count", "zone", ("Europe/Berlin", "Europe/Berlin")),
        ("say what the pictures show", "theme", ("innovation", "tea in the garden")),
        ("use these templates, in turn", "templates", (("product", "stripes"),)),
        ("choose the channel", "channel", ("#social",)),
        ("give it a name of your own", "name", ("Monday tea",)),
        ("post this approved picture where a slot would be missed", "fallback", (ID,)),
    ],
)
def test_parts_mean_what_the_page_says(after: str, field: str, values: tuple[object, ...]) -> None:
    for said, value in zip(parts(after), values, strict=True):
        theme = "" if field in ("theme", "templates") else ' theme "tea"'
        assert getattr(understood(f"every Monday 9:00{theme} {said}"), field) == value
