"""Weeks and months of the calendar page: their days, their names, their links."""

import re
from dataclasses import dataclass
from datetime import date, timedelta

_WEEK = re.compile(r"(\d{4})-W(\d{2})", re.ASCII)
_MONTH = re.compile(r"(\d{4})-(\d{2})", re.ASCII)
YEARS = range(2000, 2101)
"""Dates beyond are taken for typing mistakes."""


@dataclass(frozen=True, kw_only=True)
class Week:
    """A week from Monday on (ISO 8601)."""

    first: date

    @classmethod
    def of(cls, day: date) -> "Week":
        """The week that has this day."""
        return cls(first=day - timedelta(days=day.weekday()))

    @classmethod
    def parse(cls, text: str) -> "Week | None":
        """`2026-W11`; None for anything else."""
        match = _WEEK.fullmatch(text)
        if match is None or int(match[1]) not in YEARS:
            return None
        try:
            return cls(first=date.fromisocalendar(int(match[1]), int(match[2]), 1))
        except ValueError:
            return None

    @property
    def name(self) -> str:
        """As `parse` reads it."""
        year, week, _ = self.first.isocalendar()
        return f"{year}-W{week:02}"

    @property
    def days(self) -> tuple[date, ...]:
        """Monday to Sunday."""
        return tuple(self.first + timedelta(days=n) for n in range(7))

    @property
    def title(self) -> str:
        """ "9–15 March 2026"."""
        last = self.days[-1]
        start = f"{self.first.day}"
        if self.first.month != last.month:
            start += f" {self.first:%b}"
        if self.first.year != last.year:
            start += f" {self.first.year}"
        month = f"{last:%B}" if self.first.month == last.month else f"{last:%b}"
        return f"{start}–{last.day} {month} {last.year}"

    @property
    def href(self) -> str:
        """The page that shows it."""
        return f"/calendar?week={self.name}"

    def step(self, weeks: int) -> "Week":
        """So many weeks on; back where negative."""
        return Week(first=self.first + timedelta(weeks=weeks))


@dataclass(frozen=True, kw_only=True)
class Month:
    """A calendar month, by its first day."""

    first: date

    @classmethod
    def of(cls, day: date) -> "Month":
        """The month that has this day."""
        return cls(first=day.replace(day=1))

    @classmethod
    def parse(cls, text: str) -> "Month | None":
        """`2026-03`; None for anything else."""
        match = _MONTH.fullmatch(text)
        if match is None or int(match[1]) not in YEARS or int(match[2]) not in range(1, 13):
            return None
        return cls(first=date(int(match[1]), int(match[2]), 1))

    @property
    def name(self) -> str:
        """As `parse` reads it."""
        return f"{self.first:%Y-%m}"

    @property
    def weeks(self) -> tuple[Week, ...]:
        """Every week that has a day of it."""
        week, out = Week.of(self.first), []
        while week.first < self.step(1).first:
            out.append(week)
            week = week.step(1)
        return tuple(out)

    @property
    def days(self) -> tuple[date, ...]:
        """All days of its weeks, those of its neighbours too."""
        return tuple(day for week in self.weeks for day in week.days)

    @property
    def title(self) -> str:
        """ "March 2026"."""
        return f"{self.first:%B %Y}"

    @property
    def href(self) -> str:
        """The page that shows it."""
        return f"/calendar?month={self.name}"

    def step(self, months: int) -> "Month":
        """So many months on; back where negative."""
        index = self.first.year * 12 + self.first.month - 1 + months
        return Month(first=date(index // 12, index % 12 + 1, 1))


Span = Week | Month


def day_name(day: date) -> str:
    """ "Monday 9 March"."""
    return f"{day:%A} {day.day} {day:%B}"
