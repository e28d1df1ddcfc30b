"""A town with a calendar: driving its time, and what stands in it."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from bot.core.commands import (
    AddSchedule,
    Approve,
)
from bot.core.lives import SlotState
from bot.core.messages import Card
from bot.core.planning import advance, plan_ahead, post_due
from bot.core.planning_digest import tell_week
from bot.core.planning_slots import REMINDERS
from bot.core.reviewing import expire_overdue
from bot.core.reviews import Review
from bot.core.slots import LEAD_HOURS, Schedule, Slot
from tests.fakes.town import Town

MONDAYS = AddSchedule(
    weekdays=(0,), at=time(9), zone="Europe/Berlin", theme="innovation", channel="#social"
)
NEXT = datetime(2026, 3, 9, 8, 0, tzinfo=UTC)
"""Monday 9 March 09:00 in Berlin; the town's clock starts a week before, an hour later."""
LEAD = timedelta(hours=LEAD_HOURS)
BEFORE = (LEAD, *REMINDERS, timedelta())
"""So long before a slot's time something happens with it."""


on_both = pytest.mark.parametrize("town", ["memory", "sqlite"], indirect=True)


async def tick(town: Town) -> None:
    """Everything that the clock does, until nothing is left to do now."""
    while True:
        await town.settle()
        done = await plan_ahead(town.house) + await expire_overdue(town.house)
        done += await advance(town.house) + await post_due(town.house)
        done += await tell_week(town.house)
        await town.settle()
        if not done:
            return


async def go_to(town: Town, when: datetime) -> None:
    """Let the time pass, with everything that it brings at the times that matter."""
    while (now := town.clock.now()) < when:
        async with town.house.store.read() as tx:
            due = [slot.due_at for slot in await tx.schedules.open_slots(until=when + LEAD)]
        times = {at - before for at in due for before in BEFORE} | {now + timedelta(days=1), when}
        await town.clock.advance_to(min(at for at in times if at > now))
        await tick(town)


async def scheduled(town: Town, command: AddSchedule = MONDAYS) -> Schedule:
    """A schedule made by Ida, an admin."""
    card = await town.say(command, "ida")
    assert card.kind == "reply", card
    async with town.house.store.read() as tx:
        return max(await tx.schedules.of_brand(), key=lambda s: s.created_at)


async def slots(town: Town, schedule: Schedule) -> list[Slot]:
    """The schedule's slots by date."""
    async with town.house.store.read() as tx:
        return list(await tx.schedules.slots_of(schedule.id, since=date(2026, 1, 1)))


async def slot(town: Town, schedule: Schedule, number: int = 0) -> Slot:
    """One of them."""
    return (await slots(town, schedule))[number]


async def review_of(town: Town, of: Slot) -> Review:
    """The review of a slot's picture."""
    async with town.house.store.read() as tx:
        return await tx.reviews.get(of.review)


async def waiting(town: Town) -> tuple[Schedule, Slot]:
    """A schedule whose first slot waits for approval, two days before its time."""
    schedule = await scheduled(town)
    await go_to(town, NEXT - timedelta(days=2))
    found = await slot(town, schedule)
    assert found.state is SlotState.IN_REVIEW
    return schedule, found


async def ready(town: Town) -> tuple[Schedule, Slot]:
    """The same, approved by Ana."""
    schedule, found = await waiting(town)
    await town.say(Approve(review=found.review), "ana")
    return schedule, await slot(town, schedule)


def told(town: Town, channel: str, words: str) -> list[Card]:
    """The cards with these words in their title that stand in a channel."""
    return [card for card in town.chat.shown(channel) if words in card.title]
