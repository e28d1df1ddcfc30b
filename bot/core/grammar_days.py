"""Days, dates and times of day as people write them. Each function reads one word."""

import re
from datetime import date, time

from bot.core.planning_rules import DAY_NAMES

DAYS: dict[str, tuple[int, ...]] = {
    **{
        form: (number,)
        for number, name in enumerate(DAY_NAMES)
        for form in (name.casefold(), f"{name.casefold()}s", name[:3].casefold())
    },
    "tues": (1,),
    "weds": (2,),
    "thur": (3,),
    "thurs": (3,),
    "day": tuple(range(7)),
    "days": tuple(range(7)),
    "weekday": (0, 1, 2, 3, 4),
    "weekdays": (0, 1, 2, 3, 4),
    "weekend": (5, 6),
    "weekends": (5, 6),
}
OFTEN = {"other": 2, "second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4, "4th": 4}
NUMBERS = {"one": 1, "two": 2, "three": 3, "four": 4, "six": 6}
SMALL = re.compile(r"\d{1,3}", re.ASCII)
TIME = re.compile(r"(\d{1,2})(?:[:.](\d{2}))?(am|pm)?", re.ASCII | re.IGNORECASE)
CLOCK_WORDS = {"noon": time(12), "midnight": time(0)}
DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
BETWEEN = re.compile(r"[,/&]+")


def days_of(word: str) -> tuple[int, ...]:
    """The days in one word: `mon`, `mon,thu`, `mon-fri`; none if it isn't all days."""
    if not word or len(word) > 80:
        return ()
    days: list[int] = []
    for piece in BETWEEN.split(word.strip(",/&")):
        first, dash, last = piece.replace("–", "-").partition("-")
        start, end = DAYS.get(first, ()), DAYS.get(last, ())
        if not start or (dash and (len(start) > 1 or len(end) != 1)):
            return ()
        if dash:
            days += [(start[0] + n) % 7 for n in range((end[0] - start[0]) % 7 + 1)]
        else:
            days += start
    return tuple(days)


def time_of(word: str) -> time | None:
    """`9:00`, `9.30`, `9am`, `18`, `noon`; None for anything else."""
    if word in CLOCK_WORDS:
        return CLOCK_WORDS[word]
    match = TIME.fullmatch(word)
    if match is None:
        return None
    hour, minute, half = int(match[1]), int(match[2] or 0), (match[3] or "").casefold()
    if half and not 1 <= hour <= 12:
        return None
    hour = hour % 12 + 12 * (half == "pm") if half else hour
    return time(hour, minute) if hour < 24 and minute < 60 else None


def day_of(text: str) -> date | None:
    """`2026-03-09`; None for anything else."""
    try:
        return date.fromisoformat(text) if DATE.fullmatch(text) else None
    except ValueError:
        return None
