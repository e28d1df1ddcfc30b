"""What people do with the calendar: make, pause, resume and end schedules, look, change slots."""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.core import cancelling
from bot.core.calendar_cards import schedule_card, slot_card, week_card
from bot.core.calendar_view import (
    BEFORE,
    CalendarRow,
    rows_between,
    rows_of,
    schedules_of,
)
from bot.core.caller import Caller, kit_for
from bot.core.commands import (
    Calendar,
    Cancel,
    EndSchedule,
    MoveSlot,
    PauseSchedule,
    RerollSlot,
    RestoreSlot,
    ResumeSchedule,
    SkipSlot,
)
from bot.core.errors import Conflict, Mistake, NotFound
from bot.core.house import House
from bot.core.ids import is_id
from bot.core.lives import AssetState, JobState, ScheduleState, SlotState
from bot.core.messages import Card
from bot.core.planning_digest import refresh_week
from bot.core.planning_renders import render
from bot.core.planning_rules import instant, local_day
from bot.core.planning_slots import move_on, reminders_past, schedule_event, slot_event
from bot.core.planning_steps import Step, Todo, approved
from bot.core.policy import may_plan, may_tend, sees_calendar
from bot.core.ports import Signal, Transaction
from bot.core.reviewing import close_review
from bot.core.reviews import MAX_REASON
from bot.core.slots import Schedule, Slot
from bot.core.telling import tell_review
from brand.kit import BrandKit

MAX_WEEKS = 8
FURTHEST = timedelta(days=366)
"""A slot is moved at most so far ahead."""


async def calendar(house: House, caller: Caller, command: Calendar) -> Card:
    """What happens in the next weeks."""
    now = house.clock.now()
    weeks = min(max(command.weeks, 1), MAX_WEEKS)
    async with house.store.read() as tx:
        kit = await kit_for(tx, command.brand, caller.actor)
        schedules = await schedules_of(tx, kit, caller.person)
        first = local_day(now, schedules[-1].schedule.zone if schedules else "UTC")
        last = first + timedelta(days=7 * weeks)
        rows = await rows_between(tx, kit, caller.person, first, last, now=now)
    span = "the next 7 days" if weeks == 1 else f"the next {weeks} weeks"
    return week_card(kit, f"{kit.name}: {span}", rows, schedules)


async def pause_schedule(house: House, caller: Caller, command: PauseSchedule) -> Card:
    """No new slots and nothing posted until it is resumed."""
    return await _set_state(house, caller, command.schedule, ScheduleState.PAUSED)


async def resume_schedule(house: House, caller: Caller, command: ResumeSchedule) -> Card:
    """Go on; what was due meanwhile is not made up for."""
    return await _set_state(house, caller, command.schedule, ScheduleState.ACTIVE)


async def end_schedule(house: House, caller: Caller, command: EndSchedule) -> Card:
    """End a schedule for good; its slots that are not posted are skipped."""
    now, jobs = house.clock.now(), []
    async with house.store.write() as tx:
        schedule = await find_schedule(tx, caller, command.schedule)
        kit = await tx.kits.current(schedule.brand)
        may_plan(kit, caller.person)
        schedule = await _move(tx, caller, schedule, ScheduleState.ENDED, now)
        for slot in await tx.schedules.open_slots(until=now + 2 * FURTHEST):
            if slot.schedule == schedule.id and not slot.publication:
                await _skip(tx, caller, kit, slot, "The schedule was ended.", now)
                jobs.append(slot.job)
    for job in jobs:
        await _stop(house, caller, job)
    _wake(house)
    return await _schedule_card(house, caller, schedule, "Schedule ended")


async def skip_slot(house: House, caller: Caller, command: SkipSlot) -> Card:
    """Leave one slot out; what waits in review is withdrawn."""
    now = house.clock.now()
    async with house.store.write() as tx:
        slot, _schedule, kit = await _slot(tx, caller, command.slot)
        _check_before(slot, now)
        reason = command.reason.strip()[:MAX_REASON]
        skipped = await _skip(tx, caller, kit, slot, reason, now)
        card = await _card(tx, caller, kit, skipped, "Skipped", now)
    await _stop(house, caller, slot.job)
    _wake(house)
    return card


async def restore_slot(house: House, caller: Caller, command: RestoreSlot) -> Card:
    """Undo of skipping. A picture that is approved already is kept."""
    now = house.clock.now()
    async with house.store.write() as tx:
        slot, schedule, kit = await _slot(tx, caller, command.slot)
        if slot.state is not SlotState.SKIPPED:
            raise Conflict(f"This slot is {_word(slot)}, not skipped.")
        if now >= slot.due_at:
            raise Conflict("Its time has passed.", fix="Move another slot, or post by hand.")
        if schedule.state is ScheduleState.ENDED:
            raise Conflict("Its schedule has ended.", fix="Make a new schedule.")
        kept = await approved(tx, slot.asset, schedule) is not None
        new = replace(
            slot,
            state=SlotState.PLANNED,
            reason="",
            job=slot.job if kept else "",
            asset=slot.asset if kept else "",
            review=slot.review if kept else "",
        )
        person = caller.person.id
        slot = await move_on(tx, new, slot, action="slot.restored", actor=person, now=now)
        card = await _card(tx, caller, kit, slot, "Back in the calendar", now)
    _wake(house)
    return card


async def move_slot(house: House, caller: Caller, command: MoveSlot) -> Card:
    """Another day or time for one slot, in the schedule's zone. It keeps its place in the rule."""
    now = house.clock.now()
    async with house.store.write() as tx:
        slot, schedule, kit = await _slot(tx, caller, command.slot)
        _check_before(slot, now)
        due_at = _new_time(slot, schedule, command, now)
        new = replace(slot, due_at=due_at, moved=True, reminded=reminders_past(due_at, now))
        person = caller.person.id
        moved = await move_on(tx, new, slot, action="slot.moved", actor=person, now=now)
        await refresh_week(tx, slot, now)  # it leaves its old week
        slot = moved
        await _move_deadline(tx, kit, slot, now)
        card = await _card(tx, caller, kit, slot, "Moved", now)
    _wake(house)
    return card


async def reroll_slot(house: House, caller: Caller, command: RerollSlot) -> Card:
    """Render one slot anew with another seed; what waits in review is withdrawn."""
    now = house.clock.now()
    async with house.store.write() as tx:
        slot, schedule, kit = await _slot(tx, caller, command.slot)
        _check_before(slot, now)
        if slot.state is SlotState.RENDERING and await _runs(tx, slot):
            raise Conflict("Its picture is being made right now.", fix="Wait for it, or skip it.")
        await _withdraw(tx, caller, kit, slot, now)
        person = caller.person.id
        await tx.ledger.append(slot_event("slot.rerolled", slot, person, now))
        await render(house, tx, slot, schedule, Todo(step=Step.RENDER), now)
        slot = await tx.schedules.get_slot(slot.id)
        card = await _card(tx, caller, kit, slot, "Making another picture", now)
    _wake(house)
    return card


async def find_schedule(tx: Transaction, caller: Caller, key: str) -> Schedule:
    """By id, or by its name in the brands whose calendar the caller sees. Raises NotFound."""
    if is_id(key):
        found = [await tx.schedules.get(key)]
    else:
        every = await tx.schedules.of_brand()
        wanted = key.strip().casefold()
        named = [s for s in every if s.name.casefold() == wanted]
        found = sorted(named, key=lambda s: s.state is ScheduleState.ENDED)
    for schedule in found:
        if sees_calendar(await tx.kits.current(schedule.brand), caller.person):
            return schedule
    raise NotFound(f"There is no schedule `{key[:60]}`.", fix="`/calendar` lists them.")


async def _set_state(house: House, caller: Caller, key: str, to: ScheduleState) -> Card:
    now = house.clock.now()
    async with house.store.write() as tx:
        schedule = await find_schedule(tx, caller, key)
        kit = await tx.kits.current(schedule.brand)
        may_plan(kit, caller.person)
        if schedule.state is to:
            raise Conflict(f"“{schedule.name}” is {to.value} already.")
        schedule = await _move(tx, caller, schedule, to, now)
    _wake(house)
    title = "Schedule paused" if to is ScheduleState.PAUSED else "Schedule resumed"
    return await _schedule_card(house, caller, schedule, title)


async def _move(
    tx: Transaction, caller: Caller, schedule: Schedule, to: ScheduleState, now: datetime
) -> Schedule:
    if schedule.state is ScheduleState.ENDED:
        raise Conflict(f"“{schedule.name}” has ended.", fix="Make a new schedule.")
    new = replace(schedule, state=to)
    if to is ScheduleState.ACTIVE and schedule.planned_until is not None:
        # What would have been planned and due while it was paused is not reported as missed.
        today = local_day(now, schedule.zone)
        over = instant(today, schedule.at, schedule.zone) <= now
        last = today if over else today - timedelta(days=1)
        new = replace(new, planned_until=max(schedule.planned_until, last))
    stored = await tx.schedules.update(new, was=schedule)
    word = "resumed" if to is ScheduleState.ACTIVE else to.value
    await tx.ledger.append(schedule_event(f"schedule.{word}", stored, caller.person.id, now))
    return stored


async def _schedule_card(house: House, caller: Caller, schedule: Schedule, title: str) -> Card:
    async with house.store.read() as tx:
        kit = await tx.kits.current(schedule.brand)
        row = next(
            (r for r in await schedules_of(tx, kit, caller.person) if r.schedule.id == schedule.id),
            None,
        )
        if row is None:
            return Card(
                kind="reply",
                title=title,
                lines=(f"“{schedule.name}” posts nothing any more.",),
                state=schedule.state.value,
                private=True,
            )
        rows = await upcoming(tx, caller, kit, schedule, house.clock.now())
    return schedule_card(row, f"{title}: {schedule.name}", rows)


async def upcoming(
    tx: Transaction, caller: Caller, kit: BrandKit, schedule: Schedule, now: datetime
) -> list[CalendarRow]:
    """The next slots of one schedule."""
    today = local_day(now, schedule.zone) - timedelta(days=1)
    slots = await tx.schedules.slots_of(schedule.id, since=today)
    coming = [slot for slot in slots if slot.due_at > now and slot.state in BEFORE]
    coming.sort(key=lambda slot: slot.due_at)
    return list(await rows_of(tx, kit, caller.person, coming[:3], now=now))


async def _slot(tx: Transaction, caller: Caller, slot_id: str) -> tuple[Slot, Schedule, BrandKit]:
    slot = await tx.schedules.get_slot(slot_id)
    schedule = await tx.schedules.get(slot.schedule)
    kit = await tx.kits.current(slot.brand)
    may_tend(kit, caller.person, schedule.owner)
    return slot, schedule, kit


def _check_before(slot: Slot, now: datetime) -> None:
    if slot.state not in BEFORE:
        raise Conflict(f"This slot is {_word(slot)} already.")
    if slot.publication or now >= slot.due_at:
        raise Conflict("Its time has come: it is being posted or reported as missed.")


def _word(slot: Slot) -> str:
    return slot.state.value.replace("_", " ")


async def _runs(tx: Transaction, slot: Slot) -> bool:
    job = await tx.jobs.get(slot.job)
    return job.state in (JobState.QUEUED, JobState.RENDERING, JobState.CHECKING)


async def _skip(
    tx: Transaction, caller: Caller, kit: BrandKit, slot: Slot, reason: str, now: datetime
) -> Slot:
    await _withdraw(tx, caller, kit, slot, now)
    new = replace(slot, state=SlotState.SKIPPED, reason=reason)
    person = caller.person.id
    return await move_on(tx, new, slot, action="slot.skipped", actor=person, now=now)


async def _withdraw(
    tx: Transaction, caller: Caller, kit: BrandKit, slot: Slot, now: datetime
) -> None:
    """Nobody is asked any more about a picture that is not wanted."""
    if not slot.asset:
        return
    asset = await tx.assets.get(slot.asset)
    if asset.state is AssetState.IN_REVIEW:
        await close_review(tx, asset, kit, actor=caller.person.id, now=now)


async def _stop(house: House, caller: Caller, job: str) -> None:
    """Cancel a job that is not needed any more; it may have ended meanwhile."""
    if job:
        with suppress(Conflict, NotFound):
            await cancelling.cancel(house, caller, Cancel(job=job))


def _new_time(slot: Slot, schedule: Schedule, command: MoveSlot, now: datetime) -> datetime:
    today = local_day(now, schedule.zone)
    if not today <= command.day <= today + FURTHEST:
        raise Mistake(
            f"{command.day.isoformat()} is {'past' if command.day < today else 'too far ahead'}.",
            fix="Choose a day from today on, at most a year ahead.",
            field="day",
        )
    at = command.at
    if at is None:
        at = schedule.at if not slot.moved else _local(slot, schedule).time()
    due_at = instant(command.day, at, schedule.zone)
    if due_at <= now:
        raise Mistake("That time is past.", fix="Choose a later one.", field="at")
    return due_at


def _local(slot: Slot, schedule: Schedule) -> datetime:
    return slot.due_at.astimezone(ZoneInfo(schedule.zone))


async def _move_deadline(tx: Transaction, kit: BrandKit, slot: Slot, now: datetime) -> None:
    """The open review ends with the slot's new time, at most as late as the kit says."""
    if not slot.review:
        return
    review = await tx.reviews.get(slot.review)
    if review.is_waiting:
        last = review.opened_at + timedelta(days=kit.review.expires_days)
        new = replace(review, deadline=min(last, slot.due_at))
        review = await tx.reviews.update(new, was=review)
        await tell_review(tx, review, await tx.assets.get(review.asset), kit, now)


async def _card(
    tx: Transaction, caller: Caller, kit: BrandKit, slot: Slot, title: str, now: datetime
) -> Card:
    """The answer; the week's digest shows the change too."""
    await refresh_week(tx, slot, now)
    row = (await rows_of(tx, kit, caller.person, [slot], now=now))[0]
    return slot_card(row, title)


def _wake(house: House) -> None:
    for topic in ("queue", "outbox", "reviews", "calendar"):
        house.signals.publish(Signal(topic=topic, kind="changed", data={}))
