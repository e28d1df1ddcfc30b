"""What a slot's next step is, read from the records alone. Nothing is changed here."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.core.assets import Asset, Rendition
from bot.core.calendar_view import BEFORE
from bot.core.cards import published_rendition
from bot.core.errors import NotFound
from bot.core.jobs import Job
from bot.core.lives import (
    AssetState,
    JobState,
    PublicationState,
    ReviewState,
    ScheduleState,
    SlotState,
)
from bot.core.places import file_limit
from bot.core.planning_slots import GRACE, reminders_past
from bot.core.ports import Transaction
from bot.core.reviews import Answer, Review
from bot.core.slots import Schedule, Slot

MAX_RENDERS = 8
"""Jobs for one slot; then a person has to look."""
RETRY_AFTER = timedelta(minutes=10)
"""So long after a failed job the next one is queued."""
UNCLEAR = "Nobody knows whether it was posted; whoever is asked has to settle it."


class Step(StrEnum):
    """What can be done with a slot."""

    RENDER = "render"
    TAKE_UP = "take_up"
    """Its picture is approved already."""
    REVIEW = "review"
    NOTE = "note"
    """Something stands in its way that a person has to know."""
    REMIND = "remind"
    PAUSED = "paused"
    POST = "post"
    FALLBACK = "fallback"
    FOLLOW = "follow"
    """Its post has come further."""
    MISS = "miss"


@dataclass(frozen=True, kw_only=True)
class Todo:
    """A step, and why it is taken where that is not plain."""

    step: Step
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Approved:
    """An asset with the decision that lets it out to a channel, and the file that goes."""

    asset: Asset
    review: Review
    rendition: Rendition


async def next_step(tx: Transaction, slot: Slot, schedule: Schedule, now: datetime) -> Todo | None:
    """What to do with a slot now, or None."""
    if slot.state not in BEFORE:
        return None
    if slot.publication:
        return await _followed(tx, slot, now)
    if now >= slot.due_at:
        return await _due(tx, slot, schedule, now)
    if schedule.state is not ScheduleState.ACTIVE:
        return None
    if work := await _WORK[slot.state](tx, slot, schedule, now):
        return work
    late = slot.state is not SlotState.READY and reminders_past(slot.due_at, now) > slot.reminded
    return Todo(step=Step.REMIND) if late else None


async def _followed(tx: Transaction, slot: Slot, now: datetime) -> Todo | None:
    post = await tx.publications.get(slot.publication)
    unclear = slot.reason == UNCLEAR
    moved = post.state in (
        PublicationState.SENT,
        PublicationState.FAILED,
        PublicationState.DELETED,
    )
    doubtful = post.state is PublicationState.AMBIGUOUS and not unclear
    # What may have arrived is looked up, and what a person sends again is theirs to decide.
    waits = post.state is PublicationState.PENDING and post.check_at is None and not unclear
    late = waits and now > slot.due_at + GRACE
    return Todo(step=Step.FOLLOW) if moved or doubtful or late else None


async def _due(tx: Transaction, slot: Slot, schedule: Schedule, now: datetime) -> Todo:
    if schedule.state is not ScheduleState.ACTIVE:
        return Todo(step=Step.PAUSED)
    if now > slot.due_at + GRACE:
        why = "Housestyle was not at work at its time."
        return Todo(step=Step.MISS, why=why if slot.state is SlotState.READY else _unready(slot))
    if slot.state is SlotState.READY and await approved(tx, slot.asset, schedule):
        return Todo(step=Step.POST)
    if schedule.fallback_asset and await approved(tx, schedule.fallback_asset, schedule):
        return Todo(step=Step.FALLBACK, why=_unready(slot))
    return Todo(step=Step.MISS, why=_unready(slot))


def _unready(slot: Slot) -> str:
    said = {
        SlotState.IN_REVIEW: "Nobody approved its picture in time.",
        SlotState.READY: "Its approved picture was withdrawn.",
    }.get(slot.state, "Its picture was not made in time.")
    return f"{said} {slot.reason}".strip()


async def _planned(tx: Transaction, slot: Slot, schedule: Schedule, now: datetime) -> Todo | None:
    if now < _begin(slot, schedule):
        return None
    kept = slot.asset and await approved(tx, slot.asset, schedule)
    return Todo(step=Step.TAKE_UP if kept else Step.RENDER)


async def _rendering(tx: Transaction, slot: Slot, schedule: Schedule, now: datetime) -> Todo | None:
    job = await tx.jobs.get(slot.job)
    if job.state is JobState.DONE:
        if await picture_of(tx, job, schedule) is not None:
            return Todo(step=Step.REVIEW)
        return _again(slot, schedule, now, "Its picture did not pass the brand check.")
    if job.state is JobState.CANCELLED:
        return _noted(slot, "Its job was cancelled: re-roll or skip it.")
    if job.state is JobState.FAILED:
        why = f"Its picture could not be made: {job.error}"
        return (
            _again(slot, schedule, now, why)
            if now >= job.updated_at + RETRY_AFTER
            else _noted(slot, why)
        )
    if job.hold:
        return _noted(slot, "It waits: a budget of this month is used up.")
    return None


async def _in_review(tx: Transaction, slot: Slot, schedule: Schedule, now: datetime) -> Todo | None:
    review = await tx.reviews.get(slot.review)
    if review.is_waiting:
        return None
    if await approved(tx, slot.asset, schedule):
        return Todo(step=Step.TAKE_UP)
    if review.state is ReviewState.DECIDED:
        return _again(slot, schedule, now, "Its last picture was rejected.")
    return _again(slot, schedule, now, f"The review of its last picture was {review.state.value}.")


async def _ready(tx: Transaction, slot: Slot, schedule: Schedule, now: datetime) -> Todo | None:
    if await approved(tx, slot.asset, schedule):
        return None
    return _again(slot, schedule, now, "Its approved picture was withdrawn.")


_WORK = {
    SlotState.PLANNED: _planned,
    SlotState.RENDERING: _rendering,
    SlotState.IN_REVIEW: _in_review,
    SlotState.READY: _ready,
}


def _again(slot: Slot, schedule: Schedule, now: datetime, why: str) -> Todo | None:
    if now < _begin(slot, schedule):
        return None  # it was moved away: there is time
    if slot.renders < MAX_RENDERS:
        return Todo(step=Step.RENDER, why=why)
    return _noted(slot, f"{why} {slot.renders} pictures were made: re-roll or skip it.")


def _begin(slot: Slot, schedule: Schedule) -> datetime:
    """From when on it is rendered."""
    return slot.due_at - timedelta(hours=schedule.lead_hours)


def _noted(slot: Slot, why: str) -> Todo | None:
    return Todo(step=Step.NOTE, why=why) if slot.reason != why else None


async def picture_of(tx: Transaction, job: Job, schedule: Schedule) -> Asset | None:
    """The picture of a finished job that this schedule can use, or None."""
    for asset in await tx.assets.of_job(job.id):
        if asset.state is AssetState.CANDIDATE:
            return asset
        if asset.state in (AssetState.IN_REVIEW, AssetState.APPROVED):
            reviews = await tx.reviews.of_asset(asset.id)
            if reviews and reviews[0].target == schedule.target:
                return asset
    return None


async def approved(tx: Transaction, asset_id: str, schedule: Schedule) -> Approved | None:
    """What lets this asset out to the schedule's channel, or None."""
    try:
        asset = await tx.assets.get(asset_id)
    except NotFound:
        return None
    kit = await tx.kits.current(asset.brand)
    rendition = published_rendition(asset, file_limit(kit.channels, schedule.target))
    if asset.state is not AssetState.APPROVED or rendition is None:
        return None
    for review in await tx.reviews.of_asset(asset_id):
        decided = review.state is ReviewState.DECIDED and review.outcome is Answer.APPROVE
        if decided and review.target == schedule.target:
            return Approved(asset=asset, review=review, rendition=rendition)
    return None
