"""Whom the calendar tells what: reminders, what hinders a slot, what was missed."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.core.calendar_cards import hindered_card, missed_card, reminder_card
from bot.core.calendar_view import CalendarRow, rows_of
from bot.core.errors import NotFound
from bot.core.messages import Card, ChannelRef
from bot.core.people import Person
from bot.core.places import place_of
from bot.core.policy import MANAGERS
from bot.core.ports import Transaction
from bot.core.slots import Slot
from bot.core.telling import line_to, say
from brand.kit import BrandKit

WEEK = "week:"
"""How subjects of a week's digest begin; the brand and the Monday follow."""


async def tell_reminder(tx: Transaction, slot: Slot, now: datetime) -> None:
    """To the approvers and the schedule's owner, each in their direct line."""
    schedule = await tx.schedules.get(slot.schedule)
    kit = await tx.kits.current(slot.brand)
    left = slot.due_at - now
    hours = max(round(left / timedelta(hours=1)), 1)
    for person in await tx.people.all():
        approver = kit.review.allows_approval(person.id, person.roles_in(kit.id))
        if person.active and (approver or person.id == schedule.owner):
            row = (await rows_of(tx, kit, person, [slot], now=now))[0]
            await say_to(tx, person, schedule.target, reminder_card(row, hours), now)


async def tell_problem(tx: Transaction, slot: Slot, now: datetime) -> None:
    """To the schedule's owner: what stands in the slot's way."""
    kit = await tx.kits.current(slot.brand)
    owner, row = await _owner_row(tx, kit, slot, now)
    if owner is not None:
        await say_to(tx, owner, row.schedule.target, hindered_card(row), now)


async def tell_missed(tx: Transaction, slot: Slot, now: datetime) -> None:
    """To the schedule's owner and the working channels; to the managers where there is none."""
    kit = await tx.kits.current(slot.brand)
    owner, row = await _owner_row(tx, kit, slot, now)
    if owner is not None:
        await say_to(tx, owner, row.schedule.target, missed_card(row), now)
    places = working_places(kit)
    for place in places:
        await say(tx, missed_card(row), place, now)
    if not places:
        for person in await managers(tx, kit):
            if owner is None or person.id != owner.id:
                await say_to(tx, person, None, missed_card(row), now)


async def managers(tx: Transaction, kit: BrandKit) -> Sequence[Person]:
    """The brand's managers and admins who are still here."""
    return [p for p in await tx.people.all() if p.active and p.roles_in(kit.id) & MANAGERS]


def working_places(kit: BrandKit) -> list[ChannelRef]:
    """The brand's working channels."""
    return [place_of(channel) for channel in kit.working_channels]


async def _owner_row(
    tx: Transaction, kit: BrandKit, slot: Slot, now: datetime
) -> tuple[Person | None, CalendarRow]:
    schedule = await tx.schedules.get(slot.schedule)
    try:
        owner: Person | None = await tx.people.get(schedule.owner)
    except NotFound:
        owner = None
    return owner, (await rows_of(tx, kit, owner, [slot], now=now))[0]


async def say_to(
    tx: Transaction, person: Person, near: ChannelRef | None, card: Card, now: datetime
) -> None:
    """Queue a card for a person's direct line, in that place's workspace if they are there."""
    platform, team = (near.platform, near.team) if near else ("", "")
    line = await line_to(tx, person.id, platform, team)
    if line is not None:
        await say(tx, card, line, now)
