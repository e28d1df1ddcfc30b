"""Two machines on one database take each step of a slot once between them."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from bot.core.commands import AddSchedule, Approve
from bot.core.dispatch import Dispatch
from bot.core.house import House
from bot.core.lives import SlotState
from bot.core.planning import advance, plan_ahead, post_due
from bot.core.planning_digest import tell_week
from storage.database import open_store
from tests.fakes.town import Town, make_town

DUE = datetime(2026, 3, 9, 8, 0, tzinfo=UTC)
RULE = AddSchedule(weekdays=(0,), at=time(9), zone="Europe/Berlin", theme="ideas")


async def both(machines: list[House]) -> None:
    """Each of the clock's calls on all machines at once."""
    for tick in (plan_ahead, advance, post_due, tell_week):
        await asyncio.gather(*(tick(machine) for machine in machines for _ in range(2)))


async def until_posted(town: Town, machines: list[House]) -> None:
    """From the plan to the post."""
    for before in (timedelta(hours=96), timedelta(hours=24), timedelta()):
        await town.clock.advance_to(DUE - before)
        for _ in range(3):
            await both(machines)
            await town.settle()
        async with town.house.store.read() as tx:
            waiting = await tx.reviews.open()
        for review in waiting if before == timedelta(hours=24) else ():
            await town.say(Approve(review=review.id), "ana")


async def test_every_step_is_taken_once(url: str) -> None:
    async with AsyncExitStack() as stack:
        stores = [await open_store(url) for _ in range(2)]
        for store in stores:
            stack.push_async_callback(store.close)
        town = await make_town(store=stores[0])
        other = replace(town.house, store=stores[1])
        machines = [town.house, replace(other, door=Dispatch(other))]
        await town.say(RULE, "ida")
        await until_posted(town, machines)
        async with town.house.store.write() as tx:
            (schedule,) = await tx.schedules.of_brand()
            slots = await tx.schedules.slots_of(schedule.id, since=date(2026, 1, 1))
            events = await tx.ledger.recent(subject=f"slot:{slots[0].id}")
            assert not await tx.deliveries.take(
                "calendar", "digest:acme:2026-03-09", town.clock.now()
            )
    assert [event.action for event in reversed(events)] == [
        "slot.planned",
        "slot.rendering",
        "slot.in_review",
        "slot.reminded",
        "slot.ready",
        "slot.due",
        "slot.posted",
    ]
    assert slots[0].state is SlotState.POSTED
    assert len({slot.local_date for slot in slots}) == len(slots) == 5
    assert town.chat.sends == 1
