"""Schedules as people write them, and what is said of their mistakes."""

from dataclasses import replace
from datetime import date, time

import pytest

from bot.core.commands import (
    AddSchedule,
    Calendar,
    EndSchedule,
    MoveSlot,
    PauseSchedule,
    RestoreSlot,
    SkipSlot,
)
from bot.core.errors import Mistake
from bot.core.grammar import NotACommand, parse
from tests.fakes.vocabulary import ID, VOCABULARY

PLAIN = AddSchedule(weekdays=(0,), at=time(9), zone="Europe/Berlin", theme="innovation")


@pytest.mark.parametrize(
    ("text", "command"),
    [
        (
            "/schedule every Monday 9:00 Europe/Berlin theme innovation in #social",
            replace(PLAIN, channel="#social"),
        ),
        (
            "every Monday 9:00 Europe/Berlin theme innovation in #social",
            replace(PLAIN, channel="#social"),
        ),
        ("/every monday at 9 berlin about innovation", PLAIN),
        (
            "/schedule Mon and Thu 9am Europe/Berlin theme innovation",
            replace(PLAIN, weekdays=(0, 3)),
        ),
        (
            "/schedule mon,wed,fri 9 am Berlin theme innovation",
            replace(PLAIN, weekdays=(0, 2, 4)),
        ),
        (
            "/schedule every weekday at 9.00, theme innovation, Europe/Berlin",
            replace(PLAIN, weekdays=(0, 1, 2, 3, 4), theme="innovation, Europe/Berlin", zone=""),
        ),
        ("/schedule fri-mon 9:00 Berlin theme innovation", replace(PLAIN, weekdays=(0, 4, 5, 6))),
        (
            "/schedule every other Tuesday 12 pm Berlin theme innovation",
            replace(PLAIN, weekdays=(1,), every_weeks=2, at=time(12)),
        ),
        (
            "/schedule every 3 weeks on Sun noon Berlin theme innovation",
            replace(PLAIN, weekdays=(6,), every_weeks=3, at=time(12)),
        ),
        (
            "/schedule every second week on weekends 23:59 UTC theme innovation",
            replace(PLAIN, weekdays=(5, 6), every_weeks=2, at=time(23, 59), zone="UTC"),
        ),
        (
            "/schedule every day 9:00 templates product, Plain in turn in #social",
            AddSchedule(
                weekdays=tuple(range(7)),
                at=time(9),
                templates=("product", "plain"),
                channel="#social",
            ),
        ),
        (
            "/schedule Mon 9:00 Berlin template:plain theme innovation named Ideas --brand beta",
            replace(PLAIN, templates=("plain",), name="Ideas", brand="beta"),
        ),
        (
            f'/schedule Mon 9:00 Berlin theme "what is in #social" fallback {ID}',
            replace(PLAIN, theme="what is in #social", fallback=ID),
        ),
        (
            "/schedule Mon 9:00 Berlin theme ideas in tech, named “Tech week”",
            replace(PLAIN, theme="ideas in tech", name="Tech week"),
        ),
        (
            "/schedule Mon 9:00 america/argentina/buenos_aires theme innovation",
            replace(PLAIN, zone="America/Argentina/Buenos_Aires"),
        ),
        ("/calendar", Calendar()),
        ("/calendar 3 weeks", Calendar(weeks=3)),
        ("calendar next week", Calendar(weeks=2)),
        ("/calendar month --brand beta", Calendar(weeks=4, brand="beta")),
        (f"/pause schedule:{ID}", PauseSchedule(schedule=ID)),
        ("/end Tech week", EndSchedule(schedule="Tech week")),
        (f"/skip {ID}", SkipSlot(slot=ID)),
        (f"skip slot:{ID} a holiday", SkipSlot(slot=ID, reason="a holiday")),
        (f"/restore {ID}", RestoreSlot(slot=ID)),
        (f"/move {ID} 2026-03-09", MoveSlot(slot=ID, day=date(2026, 3, 9))),
        (
            f"/move {ID} to 2026-03-09 at 2:30 pm",
            MoveSlot(slot=ID, day=date(2026, 3, 9), at=time(14, 30)),
        ),
    ],
)
def test_it_is_read(text: str, command: object) -> None:
    assert parse(text, vocabulary=VOCABULARY) == command


@pytest.mark.parametrize(
    ("text", "at", "field", "nearest", "words"),
    [
        ("/schedule every Mnoday 9:00 theme x", "Mnoday", "days", "Monday", "isn't a day"),
        ("/schedule", "", "days", "", "on which days"),
        ("/schedule Mon theme x", "", "time", "", "at what time"),
        ("/schedule Mon 9:00", "", "theme", "", "what it is about"),
        ("/schedule Mon 25:00 theme x", "25:00", "time", "", "isn't a time of day"),
        ("/schedule Mon 13pm theme x", "13pm", "time", "", "isn't a time of day"),
        ("/schedule Mon at nine theme x", "nine", "time", "", "isn't a time of day"),
        (
            "/schedule Mon 9:00 Europe/Berln theme x",
            "Europe/Berln",
            "zone",
            "Europe/Berlin",
            "isn't a time zone",
        ),
        ("/schedule Mon 9:00 them x", "them", "schedule", "theme", "isn't a part"),
        ("/schedule Mon 9:00 theme", "", "theme", "", "Say the theme"),
        ("/schedule Mon 9:00 theme x in #socal", "#socal", "channel", "#social", "a channel"),
        (
            "/schedule Mon 9:00 templates prodct",
            "prodct",
            "templates",
            "product",
            "isn't a template",
        ),
        ("/schedule Mon 9:00 theme a named b named c", "named", "name", "", "said twice"),
        ("/schedule Mon 9:00 9:30 theme a", "9:30", "time", "", "said twice"),
        ("/schedule every 99 weeks on Mon 9:00 theme a", "99", "weeks", "", "1 to 12 weeks"),
        ("/schedule Mon 9:00 theme a fallback x", None, "", "", ""),
        ('/schedule Mon 9:00 theme "a', '"', "", "", "never closed"),
        ("/calendar 99", "99", "", "", "from 1 to 8"),
        ("/pause", "", "", "", "id or the name"),
        (f"/move {ID} tomorrow", "tomorrow", "day", "", "write it as 2026-03-09"),
        (f"/move {ID} 2026-02-30", "2026-02-30", "day", "", "isn't a day"),
        (f"/move {ID} 2026-03-09 9:00 soon", "soon", "", "", "doesn't know what to do"),
    ],
)
def test_a_mistake_says_where_and_what_instead(
    text: str, at: str | None, field: str, nearest: str, words: str
) -> None:
    if at is None:  # a word of the theme, since no id follows it
        assert parse(text, vocabulary=VOCABULARY) == AddSchedule(
            weekdays=(0,), at=time(9), theme="a fallback x"
        )
        return
    with pytest.raises(Mistake) as caught:
        parse(text, vocabulary=VOCABULARY)
    found = caught.value
    assert found.position is not None
    assert text[found.position.start : found.position.end] == at
    assert (found.field, found.nearest) == (field, nearest)
    assert words in found.message
    assert "Nothing was" in found.message


@pytest.mark.parametrize(
    "talk",
    [
        "every Monday we meet at 9",
        "every day is a good day",
        "Every Monday 9:00 standup in #social",
        "schedule a call with Mia",
        "pause the music",
        "end of the week",
        "skip it",
        "move on",
        "calendar week 12 is a holiday",
    ],
)
def test_talk_about_days_is_no_command(talk: str) -> None:
    assert isinstance(parse(talk, vocabulary=VOCABULARY), NotACommand)
