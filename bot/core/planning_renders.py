"""Slots on their way to an approved picture: queue the job, open the review, say what hinders."""

from dataclasses import replace
from datetime import datetime

from bot.core import intake
from bot.core.caller import Caller
from bot.core.errors import NotAllowed, Refused, StaleState
from bot.core.house import House
from bot.core.lives import AssetState, SlotState
from bot.core.messages import Actor
from bot.core.places import is_at, settled
from bot.core.planning_rules import brief_of
from bot.core.planning_slots import SYSTEM, move_on
from bot.core.planning_steps import Todo, picture_of
from bot.core.planning_telling import tell_problem
from bot.core.ports import Transaction
from bot.core.reviewing import open_review
from bot.core.slots import Schedule, Slot
from brand.kit import BrandKit

CALENDAR = "calendar"


async def calendar_caller(tx: Transaction, schedule: Schedule) -> Caller:
    """The calendar as the schedule's owner. Raises NotAllowed once they have left."""
    owner = await tx.people.get(schedule.owner)
    if not owner.active:
        raise NotAllowed(
            f"{owner.name or 'Whoever'} made “{schedule.name}” and has left.",
            fix="A brand manager can make the schedule anew and end this one.",
        )
    actor = Actor(platform=CALENDAR, user=CALENDAR, name=owner.name, person=owner.id)
    return Caller(person=owner, actor=actor)


async def render(
    house: House, tx: Transaction, slot: Slot, schedule: Schedule, todo: Todo, now: datetime
) -> None:
    """Queue a picture. Raises what `intake.imagine` raises: the kit, a right or a budget."""
    kit = await tx.kits.current(slot.brand)
    _check_channel(kit, schedule)
    caller = await calendar_caller(tx, schedule)
    brief = brief_of(kit, theme=slot.theme, template=slot.template, turn=slot.turn)
    job = await intake.queue_for_slot(house, tx, caller, kit, brief, slot.id)
    new = replace(
        slot,
        state=SlotState.RENDERING,
        job=job,
        asset="",
        review="",
        renders=slot.renders + 1,
        reason=todo.why,
    )
    await move_on(tx, new, slot, action="slot.rendering", actor=SYSTEM, now=now)


def _check_channel(kit: BrandKit, schedule: Schedule) -> None:
    target = settled(kit.channels, schedule.target)
    if not any(is_at(channel, target) for channel in kit.publish_channels):
        raise Refused(
            f"{kit.name} doesn't publish to #{schedule.target.channel} any more.",
            fix=f"Ask {kit.owner}, or end the schedule and make it anew.",
        )


async def to_review(
    house: House, tx: Transaction, slot: Slot, schedule: Schedule, todo: Todo, now: datetime
) -> None:
    """Ask for approval of what was rendered, until the slot's time."""
    asset = await picture_of(tx, await tx.jobs.get(slot.job), schedule)
    if asset is None:
        return
    if asset.state is AssetState.CANDIDATE:
        kit = await tx.kits.current(slot.brand)
        review = await open_review(
            tx,
            asset,
            kit,
            target=schedule.target,
            actor=schedule.owner,
            now=now,
            deadline=slot.due_at,
        )
    else:  # a person was faster
        review = (await tx.reviews.of_asset(asset.id))[0]
    new = replace(slot, state=SlotState.IN_REVIEW, asset=asset.id, review=review.id, reason="")
    await move_on(tx, new, slot, action="slot.in_review", actor=SYSTEM, now=now)


async def take_up(
    house: House, tx: Transaction, slot: Slot, schedule: Schedule, todo: Todo, now: datetime
) -> None:
    """Make a slot ready whose picture is approved already, step by step along its table."""
    for state in (SlotState.RENDERING, SlotState.IN_REVIEW, SlotState.READY):
        if slot.state in (state, SlotState.READY) or (
            slot.state is SlotState.IN_REVIEW and state is SlotState.RENDERING
        ):
            continue
        new = replace(slot, state=state, reason="")
        slot = await move_on(tx, new, slot, action=f"slot.{state.value}", actor=SYSTEM, now=now)


async def note_problem(
    house: House, tx: Transaction, slot: Slot, schedule: Schedule, todo: Todo, now: datetime
) -> None:
    """Write down what stands in a slot's way, and tell the schedule's owner."""
    new = replace(slot, reason=todo.why)
    stored = await move_on(tx, new, slot, action="slot.hindered", actor=SYSTEM, now=now)
    await tell_problem(tx, stored, now)


async def note(house: House, slot_id: str, why: str, now: datetime) -> None:
    """The same in a transaction of its own, once for each reason."""
    try:
        async with house.store.write() as tx:
            slot = await tx.schedules.get_slot(slot_id)
            if slot.reason != why:
                stored = await move_on(
                    tx,
                    replace(slot, reason=why),
                    slot,
                    action="slot.hindered",
                    actor=SYSTEM,
                    now=now,
                )
                await tell_problem(tx, stored, now)
    except StaleState:
        return  # it has moved on: the next tick looks again
