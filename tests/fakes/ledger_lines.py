"""Ledger lines for tests: events of every kind that people and the house leave."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from bot.core.ledger import Event, Head, Personal
from bot.core.sequencing import chained

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def make_events(count: int) -> list[Event]:
    """Events that differ in every field; ids, salts and times are the same in every run."""
    return [_event(number) for number in range(count)]


def make_chain(count: int) -> list[Event]:
    """The same as the first lines of a chain."""
    return chained(make_events(count), Head())


def rechained(events: Sequence[Event]) -> list[Event]:
    """The events chained anew, as someone would who forges the whole ledger."""
    return chained(events, Head())


def _event(number: int) -> Event:
    people = ("mia", "ana", "system")
    texts = {
        0: {"words": Personal(value=f"a red mug {number} 🫖", salt=f"{number:032x}")},
        1: {"reason": Personal(value="too dark", salt=f"{number + 7:032x}")},
        2: {},
    }
    return Event(
        id=f"{number:022d}",
        action=("job.queued", "review.voted", "asset.rendered")[number % 3],
        subject=f"{('job', 'review', 'asset')[number % 3]}:{number:022d}",
        at=START + timedelta(seconds=number, microseconds=number),
        actor=people[number % 3],
        brand="acme" if number % 5 else "",
        facts={"n": number, "share": number / 8, "ok": True, "list": [number, None]},
        personal=texts[number % 3],
    )
