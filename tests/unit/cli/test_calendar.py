"""`housestyle calendar`."""

from datetime import datetime, timedelta

from bot.cli.exits import ExitCode
from tests.fakes.command_line import Housestyle

EVERY_DAY = ("every", "day", "9:00", "Europe/Berlin", "--theme", "innovation")


def added(housestyle: Housestyle, *more: str) -> str:
    """The id of a new schedule."""
    housestyle("init", "--brand", "Acme")  # no harm where it was done before
    done = housestyle("calendar", "add", *EVERY_DAY, *more)
    assert done.code == ExitCode.OK, done.err
    assert done.out.startswith("Scheduled: ")
    [schedule] = housestyle("calendar", "show", "--json").json["schedules"]
    return str(schedule["schedule"])


def test_a_schedule_is_added_shown_paused_resumed_and_ended(housestyle: Housestyle) -> None:
    housestyle("init", "--brand", "Acme")
    assert "no schedule yet" in housestyle("calendar", "show").err
    schedule = added(housestyle, "--name", "Ideas")
    seen = housestyle("calendar", "show", "--weeks", "2", "--json").json
    assert seen["schedules"][0] == {
        "schedule": schedule,
        "name": "Ideas",
        "rule": "every day 09:00, Berlin",
        "weekdays": [0, 1, 2, 3, 4, 5, 6],
        "at": "09:00",
        "zone": "Europe/Berlin",
        "every_weeks": 1,
        "channel": seen["schedules"][0]["channel"],
        "theme": "innovation",
        "templates": ["product"],
        "fallback": "",
        "state": "active",
    }
    assert len(seen["slots"]) in (14, 15)
    assert "Schedule paused: Ideas" in housestyle("calendar", "pause", "ideas").out
    assert housestyle("calendar", "pause", schedule).code != ExitCode.OK
    assert "Schedule resumed" in housestyle("calendar", "resume", schedule).out
    assert "Schedule ended" in housestyle("calendar", "end", "Ideas").out
    assert housestyle("calendar", "show", "--json").json["schedules"] == []


def test_a_slot_is_skipped_restored_and_moved(housestyle: Housestyle) -> None:
    added(housestyle)
    [first, second] = housestyle("calendar", "next", "-n", "2", "--json").json
    assert "Skipped" in housestyle("calendar", "skip", first["slot"], "a", "holiday").out
    [now_first] = housestyle("calendar", "next", "--json").json
    assert now_first == second
    restored = housestyle("calendar", "restore", first["slot"])
    assert restored.out.startswith("Back in the calendar")
    day = (datetime.fromisoformat(first["local"]) + timedelta(days=10)).date().isoformat()
    moved = housestyle("calendar", "move", first["slot"], day, "14:30", "--json").json
    assert (moved["title"], moved["status"]) == ("Moved", "planned, moved")
    assert f"{day[8:]} " in moved["lines"][0]
    assert "14:30, Berlin" in moved["lines"][0]


def test_a_mistake_is_shown_with_its_place(housestyle: Housestyle) -> None:
    housestyle("init", "--brand", "Acme")
    done = housestyle("calendar", "add", "every", "Mnoday", "9:00", "--theme", "tea")
    assert done.code == ExitCode.USAGE
    assert "Did you mean `Monday`?" in done.err
    assert "^^^^^^" in done.err
    missing = housestyle("calendar", "skip", "0Ab1Cd2Ef3Gh4Ij5Kl6Mn7")
    assert missing.code == ExitCode.NOT_FOUND
    assert housestyle("calendar", "next", "--json").json == []
