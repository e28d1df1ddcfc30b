"""Steps of one slot inside the transaction of what moves it, each with its ledger line."""

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.core.assets import Asset
from bot.core.calendar_view import BEFORE
from bot.core.errors import NotFound, Unapproved
from bot.core.ledger import Event, Personal
from bot.core.lives import ScheduleState, SlotState
from bot.core.planning_rules import place_of
from bot.core.ports import Transaction
from bot.core.publications import Publication
from bot.core.reviews import Review
from bot.core.slots import Schedule, Slot

GRACE = timedelta(hours=1)
"""So much later than its time a slot is still posted, after an outage; beyond, it is missed."""
REMINDERS = (timedelta(hours=24), timedelta(hours=2))
"""So long before its time people are told that a slot is not ready."""
SYSTEM = "system"


async def move_on(
    tx: Transaction, new: Slot, was: Slot, *, action: str, actor: str, now: datetime
) -> Slot:
    """Compare-and-set with its ledger line. Raises StaleState."""
    stored = await tx.schedules.update_slot(new, was=was)
    await tx.ledger.append(slot_event(action, stored, actor, now))
    return stored


def slot_event(action: str, slot: Slot, actor: str, now: datetime) -> Event:
    """What a change of a slot leaves in the ledger. What a person wrote is personal."""
    said = slot.reason if actor != SYSTEM else ""
    return Event(
        action=action,
        subject=f"slot:{slot.id}",
        at=now,
        actor=actor,
        brand=slot.brand,
        facts={
            "schedule": slot.schedule,
            "day": slot.local_date.isoformat(),
            "due_at": slot.due_at.isoformat(),
            "state": slot.state.value,
            "job": slot.job,
            "asset": slot.asset,
            "review": slot.review,
            "publication": slot.publication,
            "why": "" if said else slot.reason,
        },
        personal={"reason": Personal(value=said)} if said else {},
    )


def schedule_event(action: str, schedule: Schedule, actor: str, now: datetime) -> Event:
    """What a change of a schedule leaves in the ledger."""
    return Event(
        action=action,
        subject=f"schedule:{schedule.id}",
        at=now,
        actor=actor,
        brand=schedule.brand,
        facts={
            "weekdays": list(schedule.weekdays),
            "at": schedule.at.isoformat(),
            "zone": schedule.zone,
            "every_weeks": schedule.every_weeks,
            "templates": list(schedule.templates),
            "target": str(schedule.target),
            "fallback": schedule.fallback_asset,
            "state": schedule.state.value,
        },
        personal={
            "name": Personal(value=schedule.name),
            "theme": Personal(value=schedule.theme),
        },
    )


def reminders_past(due_at: datetime, now: datetime) -> int:
    """How many of the reminders' times have passed."""
    return sum(now >= due_at - before for before in REMINDERS)


async def slot_of(tx: Transaction, asset: Asset) -> Slot | None:
    """The calendar's slot that an asset was rendered for, or None."""
    try:
        job = await tx.jobs.get(asset.job)
        return await tx.schedules.get_slot(job.slot) if job.slot else None
    except NotFound:
        return None


async def slot_time(tx: Transaction, asset: Asset) -> str:
    """When the calendar posts this asset, "Mon 09 Mar 09:00, Berlin"; empty if it does not."""
    slot = await slot_of(tx, asset)
    if slot is None or slot.state not in BEFORE or slot.job != asset.job:
        return ""
    zone = (await tx.schedules.get(slot.schedule)).zone
    return f"{slot.due_at.astimezone(ZoneInfo(zone)):%a %d %b %H:%M}, {place_of(zone)}"


async def slot_approved(
    tx: Transaction, review: Review, asset: Asset, actor: str, now: datetime
) -> bool:
    """Whether a slot takes what was just approved: it is ready then, and posted at its time.

    A slot takes the newest of its pictures, approved for its own channel; and whatever its own
    review was about is never posted apart from it.
    """
    slot = await slot_of(tx, asset)
    if slot is None:
        return False
    schedule = await tx.schedules.get(slot.schedule)
    mine = slot.review == review.id
    if slot.state not in BEFORE or asset.job != slot.job or review.target != schedule.target:
        return mine
    if slot.state is SlotState.RENDERING:  # a person sent it to approval before the calendar did
        taken = replace(slot, asset=asset.id, review=review.id, state=SlotState.IN_REVIEW)
        slot = await move_on(tx, taken, slot, action="slot.in_review", actor=actor, now=now)
    if slot.state is not SlotState.IN_REVIEW or slot.review != review.id:
        return mine
    ready = replace(slot, state=SlotState.READY, reason="")
    await move_on(tx, ready, slot, action="slot.ready", actor=actor, now=now)
    return True


async def check_slot(tx: Transaction, publication: Publication, now: datetime) -> None:
    """Whether what fills a slot may still be posted. Raises Unapproved if it was skipped or
    moved on meanwhile, its schedule paused, or its time is too long past."""
    if not publication.slot or publication.check_at is not None:
        return  # an attempt that may have arrived is followed to its end
    slot = await tx.schedules.get_slot(publication.slot)
    schedule = await tx.schedules.get(slot.schedule)
    if slot.publication != publication.id or slot.state not in BEFORE:
        raise Unapproved(f"Its slot in the calendar is {slot.state.value.replace('_', ' ')}.")
    if schedule.state is not ScheduleState.ACTIVE:
        raise Unapproved(f"The schedule “{schedule.name}” is {schedule.state.value}.")
    if now > publication.due_at + GRACE:
        raise Unapproved("Its time in the calendar is more than an hour past.")
