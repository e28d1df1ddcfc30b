"""The Schedules port."""

import asyncio
from dataclasses import replace
from datetime import time, timedelta

import pytest

from bot.core.errors import Conflict, NotFound, StaleState
from bot.core.lives import ScheduleState, SlotState
from storage.database import OpenStore
from tests.contract.values import NOW, later, make_schedule, make_slot


async def test_a_schedule_comes_back_as_it_was_stored(store: OpenStore) -> None:
    schedule = make_schedule(at=time(23, 59, 30), weekdays=(0, 2, 6), fallback_asset="a")
    async with store.write() as tx:
        await tx.schedules.add(schedule)
        with pytest.raises(Conflict):
            await tx.schedules.add(schedule)
    async with store.read() as tx:
        assert await tx.schedules.get(schedule.id) == schedule
        with pytest.raises(NotFound):
            await tx.schedules.get("nothing")


async def test_schedules_are_listed_by_name_ended_ones_too(store: OpenStore) -> None:
    first = make_schedule(name="A", state=ScheduleState.ENDED)
    second, other = make_schedule(name="b"), make_schedule(name="Z", brand="other")
    async with store.write() as tx:
        for schedule in (second, other, first):
            await tx.schedules.add(schedule)
        assert await tx.schedules.of_brand() == [first, other, second]
        assert await tx.schedules.of_brand("acme") == [first, second]


async def test_a_schedule_that_changed_meanwhile_is_not_overwritten(store: OpenStore) -> None:
    schedule = make_schedule()
    async with store.write() as tx:
        await tx.schedules.add(schedule)
        paused = await tx.schedules.update(
            replace(schedule, state=ScheduleState.PAUSED), was=schedule
        )
        assert await tx.schedules.get(schedule.id) == paused
        with pytest.raises(StaleState):
            await tx.schedules.update(replace(schedule, theme="spring"), was=schedule)


async def test_a_schedule_has_one_slot_a_local_date(store: OpenStore) -> None:
    schedule = make_schedule()
    slot = make_slot(schedule.id)
    async with store.write() as tx:
        await tx.schedules.add(schedule)
        assert await tx.schedules.add_slot(slot)
        assert not await tx.schedules.add_slot(make_slot(schedule.id, due_at=later(3600)))
        tomorrow = slot.local_date + timedelta(days=1)
        assert await tx.schedules.add_slot(make_slot(schedule.id, local_date=tomorrow))
        with pytest.raises(NotFound):
            await tx.schedules.add_slot(make_slot("no schedule"))
    async with store.read() as tx:
        assert await tx.schedules.get_slot(slot.id) == slot
        with pytest.raises(NotFound):
            await tx.schedules.get_slot("nothing")


async def test_racing_schedulers_make_each_slot_once(store: OpenStore) -> None:
    schedule = make_schedule()
    async with store.write() as tx:
        await tx.schedules.add(schedule)
    days = [NOW.date() + timedelta(days=number) for number in range(10)]

    async def plan() -> int:
        made = 0
        for day in days:
            async with store.write() as tx:
                made += await tx.schedules.add_slot(make_slot(schedule.id, local_date=day))
        return made

    assert sum(await asyncio.gather(*(plan() for _ in range(5)))) == len(days)


async def test_slots_of_a_period_stand_by_due_time(store: OpenStore) -> None:
    schedule, other = make_schedule(), make_schedule(brand="other")
    day = timedelta(days=1)
    slots = [
        make_slot(schedule.id, due_at=later(30), local_date=NOW.date() + 3 * day),
        make_slot(other.id, due_at=later(20), brand="other"),
        make_slot(schedule.id, due_at=later(10), local_date=NOW.date() + day),
        make_slot(schedule.id, due_at=later(40), local_date=NOW.date() + 4 * day),
    ]
    async with store.write() as tx:
        await tx.schedules.add(schedule)
        await tx.schedules.add(other)
        for slot in slots:
            await tx.schedules.add_slot(slot)
        third, second, first, _ = slots
        period = {"since": later(10), "until": later(40)}
        assert await tx.schedules.slots(**period) == [first, second, third]
        assert await tx.schedules.slots(**period, brand="acme") == [first, third]


async def test_a_slot_that_changed_meanwhile_is_not_overwritten(store: OpenStore) -> None:
    schedule = make_schedule()
    slot = make_slot(schedule.id)
    async with store.write() as tx:
        await tx.schedules.add(schedule)
        await tx.schedules.add_slot(slot)
        skipped = replace(slot, state=SlotState.SKIPPED, reason="holiday")
        skipped = await tx.schedules.update_slot(skipped, was=slot)
        assert await tx.schedules.get_slot(slot.id) == skipped
        with pytest.raises(StaleState):
            await tx.schedules.update_slot(replace(slot, state=SlotState.RENDERING), was=slot)


async def test_open_slots_are_those_that_may_still_be_posted(store: OpenStore) -> None:
    schedule = make_schedule()
    states = list(SlotState)
    slots = [
        make_slot(
            schedule.id,
            state=state,
            due_at=later(100 - number),
            local_date=NOW.date() + timedelta(days=number),
        )
        for number, state in enumerate(states)
    ]
    far = make_slot(schedule.id, due_at=later(200), local_date=NOW.date() - timedelta(days=1))
    async with store.write() as tx:
        await tx.schedules.add(schedule)
        for slot in (*slots, far):
            await tx.schedules.add_slot(slot)
        found = await tx.schedules.open_slots(until=later(200))
    wanted = ("planned", "rendering", "in_review", "ready")
    assert found == [slot for slot in reversed(slots) if slot.state in wanted]


async def test_the_slots_of_a_schedule_stand_by_local_date(store: OpenStore) -> None:
    schedule, other = make_schedule(), make_schedule()
    today, day = NOW.date(), timedelta(days=1)
    slots = [
        make_slot(schedule.id, local_date=today + number * day, due_at=later(-number))
        for number in range(3)
    ]
    async with store.write() as tx:
        for each in (schedule, other):
            await tx.schedules.add(each)
        for slot in (*reversed(slots), make_slot(other.id)):
            await tx.schedules.add_slot(slot)
        assert await tx.schedules.slots_of(schedule.id, since=today + day) == slots[1:]


async def test_a_moved_slot_keeps_its_place_in_the_rule(store: OpenStore) -> None:
    schedule = make_schedule()
    slot = make_slot(schedule.id)
    async with store.write() as tx:
        await tx.schedules.add(schedule)
        await tx.schedules.add_slot(slot)
        new = replace(slot, due_at=later(86_400), moved=True, theme="spring", turn=3, reminded=1)
        moved = await tx.schedules.update_slot(new, was=slot)
        assert not await tx.schedules.add_slot(make_slot(schedule.id))
    async with store.read() as tx:
        assert await tx.schedules.get_slot(slot.id) == moved
