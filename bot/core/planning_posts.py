"""Slots whose time has come: the post, the fallback, or the report that there was none."""

from dataclasses import replace
from datetime import datetime

from bot.core.captions import posted_words
from bot.core.house import House
from bot.core.ids import new_id
from bot.core.lives import PublicationState, SlotState
from bot.core.places import settled
from bot.core.planning_slots import SYSTEM, move_on
from bot.core.planning_steps import UNCLEAR, Approved, Todo, approved
from bot.core.planning_telling import tell_missed
from bot.core.ports import Transaction
from bot.core.publications import Publication
from bot.core.receipts import give_up
from bot.core.slots import Schedule, Slot


async def post(
    house: House, tx: Transaction, slot: Slot, schedule: Schedule, todo: Todo, now: datetime
) -> None:
    """Hand the approved picture to the publisher, due at exactly the slot's time."""
    if found := await approved(tx, slot.asset, schedule):
        await _publish(tx, slot, schedule, found, "slot.due", now)


async def post_fallback(
    house: House, tx: Transaction, slot: Slot, schedule: Schedule, todo: Todo, now: datetime
) -> None:
    """The same with the schedule's fallback, since the slot's own picture is not ready."""
    if found := await approved(tx, schedule.fallback_asset, schedule):
        unready = replace(slot, reason=todo.why)
        await _publish(tx, unready, schedule, found, "slot.falls_back", now)


async def _publish(
    tx: Transaction, slot: Slot, schedule: Schedule, what: Approved, action: str, now: datetime
) -> None:
    kit = await tx.kits.current(slot.brand)
    publication = Publication(
        id=new_id(),
        asset=what.asset.id,
        review=what.review.id,
        brand=slot.brand,
        rendition=what.rendition.id,
        file_hash=what.rendition.file_hash,
        pixel_hash=what.rendition.pixel_hash,
        target=settled(kit.channels, schedule.target),
        caption=posted_words(what.review, what.asset),
        requested_by=schedule.owner,
        due_at=slot.due_at,
        created_at=now,
        slot=slot.id,
    )
    await tx.publications.add(publication)
    new = replace(slot, publication=publication.id)
    await move_on(tx, new, slot, action=action, actor=SYSTEM, now=now)


async def follow(
    house: House, tx: Transaction, slot: Slot, schedule: Schedule, todo: Todo, now: datetime
) -> None:
    """What became of a slot's post becomes the slot's end."""
    post = await tx.publications.get(slot.publication)
    if post.state in (PublicationState.SENT, PublicationState.DELETED):
        own = slot.state is SlotState.READY and post.asset == slot.asset
        state = SlotState.POSTED if own else SlotState.FALLBACK_POSTED
        new = replace(slot, state=state, reason="" if own else slot.reason)
        await move_on(tx, new, slot, action=f"slot.{state.value}", actor=SYSTEM, now=now)
    elif post.state is PublicationState.AMBIGUOUS:
        new = replace(slot, reason=UNCLEAR)
        await move_on(tx, new, slot, action="slot.unclear", actor=SYSTEM, now=now)
    else:
        why = post.error or "It could not be posted within an hour of its time."
        if post.state is PublicationState.PENDING:
            await give_up(tx, post, why, now)
        await miss(house, tx, slot, schedule, replace(todo, why=why), now)


async def miss(
    house: House, tx: Transaction, slot: Slot, schedule: Schedule, todo: Todo, now: datetime
) -> None:
    """Nothing was posted: say so to the owner and in the working channels."""
    new = replace(slot, state=SlotState.MISSED, reason=todo.why)
    stored = await move_on(tx, new, slot, action="slot.missed", actor=SYSTEM, now=now)
    await tell_missed(tx, stored, now)
