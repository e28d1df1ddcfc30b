"""The calendar at work: rules become slots, slots become pictures, reviews and posts in time.

All of it is called by the clock on every machine, again and again. What is due stands in the slot
rows; each step is one transaction that compares and sets its slot, so that a step taken twice at
once, on two machines or after a crash, is taken once.

A slot is planned four weeks ahead, rendered four days ahead at low priority in the name of its
schedule's owner, sent to approval for its channel, and posted at its time, not before and not
without approval. What is not ready at its time is missed and reported, or the schedule's fallback
goes out. After an outage a ready slot is still posted within `GRACE`; beyond, it is missed.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.core import planning_posts, planning_renders
from bot.core.errors import Conflict, HousestyleError, StaleState
from bot.core.house import House
from bot.core.ids import new_id
from bot.core.lives import ScheduleState, SlotState
from bot.core.planning_digest import refresh_week
from bot.core.planning_rules import entries, local_day
from bot.core.planning_slots import SYSTEM, move_on, reminders_past, slot_event
from bot.core.planning_steps import Step, Todo, next_step
from bot.core.planning_telling import tell_reminder
from bot.core.ports import Signal, Transaction
from bot.core.slots import Schedule, Slot

log = logging.getLogger(__name__)

AHEAD = timedelta(weeks=4)
"""So far ahead slots are planned."""
BROKEN = "Something broke on our side; an admin finds it in the log as {slot}."
MAX_LEAD = timedelta(days=14)
"""No slot is worked on earlier before its time than this."""


async def plan_ahead(house: House) -> int:
    """Make the slots of the next weeks; how many."""
    now = house.clock.now()
    async with house.store.read() as tx:
        schedules = [s for s in await tx.schedules.of_brand() if _wants_slots(s, now)]
    made = 0
    for schedule in schedules:
        try:
            async with house.store.write() as tx:
                made += len(await plan_schedule(tx, schedule, now))
        except StaleState:
            log.info("Another machine planned it", extra={"schedule": schedule.id})
    return made


def _wants_slots(schedule: Schedule, now: datetime) -> bool:
    if schedule.state is not ScheduleState.ACTIVE:
        return False
    until = local_day(now + AHEAD, schedule.zone)
    return schedule.planned_until is None or schedule.planned_until < until


async def plan_schedule(tx: Transaction, schedule: Schedule, now: datetime) -> Sequence[Slot]:
    """The new slots of one schedule up to four weeks ahead. Raises StaleState.

    It goes on where it stopped, so that an outage leaves no day out: what was due meanwhile is
    made too, and reported as missed. Times before the schedule was made do not count.
    """
    first = local_day(schedule.created_at, schedule.zone)
    if schedule.planned_until is not None:
        first = schedule.planned_until + timedelta(days=1)
    until = local_day(now + AHEAD, schedule.zone)
    made = []
    for entry in entries(schedule, since=first, until=until):
        slot = Slot(
            id=new_id(),
            schedule=schedule.id,
            brand=schedule.brand,
            local_date=entry.day,
            due_at=entry.due_at,
            template=entry.template,
            theme=schedule.theme,
            turn=entry.turn,
            reminded=reminders_past(entry.due_at, now),
        )
        if entry.due_at > schedule.created_at and await tx.schedules.add_slot(slot):
            await tx.ledger.append(slot_event("slot.planned", slot, SYSTEM, now))
            made.append(slot)
    await tx.schedules.update(replace(schedule, planned_until=until), was=schedule)
    return made


async def advance(house: House) -> int:
    """Take the next step of every slot that has one now; how many steps."""
    return await _advance(house, house.clock.now() + MAX_LEAD)


async def post_due(house: House) -> int:
    """The same for slots whose time has come alone: this is looked for more often."""
    return await _advance(house, house.clock.now() + timedelta(microseconds=1))


async def _advance(house: House, until: datetime) -> int:
    now = house.clock.now()
    waiting = []
    async with house.store.read() as tx:
        schedules: dict[str, Schedule] = {}
        for slot in await tx.schedules.open_slots(until=until):
            if slot.schedule not in schedules:
                schedules[slot.schedule] = await tx.schedules.get(slot.schedule)
            if await next_step(tx, slot, schedules[slot.schedule], now) is not None:
                waiting.append(slot.id)
    done = 0
    for slot_id in waiting:
        done += await _take(house, slot_id, now)
    if done:
        for topic in ("queue", "outbox", "publications", "reviews", "calendar"):
            house.signals.publish(Signal(topic=topic, kind="changed", data={}))
    return done


async def _take(house: House, slot_id: str, now: datetime) -> bool:
    """One step of one slot; False if there was none left to take."""
    try:
        async with house.store.write() as tx:
            slot = await tx.schedules.get_slot(slot_id)
            schedule = await tx.schedules.get(slot.schedule)
            todo = await next_step(tx, slot, schedule, now)
            if todo is not None:
                await _STEPS[todo.step](house, tx, slot, schedule, todo, now)
                await refresh_week(tx, slot, now)
        return todo is not None
    except Conflict:
        log.info("The slot had moved on", extra={"slot": slot_id})
    except HousestyleError as exc:
        log.info("A slot cannot go on: %s", exc.message, extra={"slot": slot_id})
        await planning_renders.note(house, slot_id, f"{exc.message} {exc.fix}".strip(), now)
    except Exception:
        # A slot that trips over a bug of ours must not hold up the others, nor stay silent.
        log.exception("A slot tripped over a bug", extra={"slot": slot_id})
        await planning_renders.note(house, slot_id, BROKEN.format(slot=slot_id), now)
    return False


async def _remind(
    house: House, tx: Transaction, slot: Slot, schedule: Schedule, todo: Todo, now: datetime
) -> None:
    new = replace(slot, reminded=reminders_past(slot.due_at, now))
    stored = await move_on(tx, new, slot, action="slot.reminded", actor=SYSTEM, now=now)
    await tell_reminder(tx, stored, now)


async def _pause(
    house: House, tx: Transaction, slot: Slot, schedule: Schedule, todo: Todo, now: datetime
) -> None:
    """Its time came while its schedule was paused."""
    new = replace(slot, state=SlotState.SKIPPED, reason="Its schedule was paused.")
    await move_on(tx, new, slot, action="slot.skipped", actor=SYSTEM, now=now)


_STEPS = {
    Step.RENDER: planning_renders.render,
    Step.TAKE_UP: planning_renders.take_up,
    Step.REVIEW: planning_renders.to_review,
    Step.NOTE: planning_renders.note_problem,
    Step.REMIND: _remind,
    Step.PAUSED: _pause,
    Step.POST: planning_posts.post,
    Step.FALLBACK: planning_posts.post_fallback,
    Step.FOLLOW: planning_posts.follow,
    Step.MISS: planning_posts.miss,
}
