"""A calendar with something in every state, straight in the records: for pages that show it."""

from dataclasses import replace
from datetime import datetime, time, timedelta

from bot.core.ids import new_id
from bot.core.lives import SlotState
from bot.core.messages import ChannelRef
from bot.core.planning_rules import entries, local_day
from bot.core.reviews import Review
from bot.core.slots import Schedule, Slot
from tests.fakes.portal import Portal

ZONE = "Europe/Berlin"


async def schedule(
    portal: Portal, *, who: str = "mia", zone: str = ZONE, **more: object
) -> Schedule:
    """A rule of the brand in force, Mondays and Thursdays at nine unless told otherwise."""
    channel = portal.kit.publish_channels[0]
    made = Schedule(
        id=new_id(),
        brand=portal.kit.id,
        name="Innovation",
        weekdays=(0, 3),
        at=time(9),
        zone=zone,
        theme="innovation",
        templates=tuple(t.name for t in portal.kit.templates[:1]),
        target=ChannelRef(platform=channel.platform, channel=channel.channel_id),
        owner=portal.town.people[who].id,
        created_at=portal.town.house.clock.now(),
    )
    made = replace(made, **more)  # type: ignore[arg-type]
    async with portal.town.house.store.write() as tx:
        await tx.schedules.add(made)
    return made


async def slots(portal: Portal, rule: Schedule, *, days: int = 13) -> list[Slot]:
    """Its slots of the next days, planned."""
    now = portal.town.house.clock.now()
    first = local_day(now, rule.zone)
    made = [
        slot(rule, entry.due_at, template=entry.template, turn=entry.turn, local_date=entry.day)
        for entry in entries(rule, since=first, until=first + timedelta(days=days))
        if entry.due_at > now
    ]
    async with portal.town.house.store.write() as tx:
        for item in made:
            await tx.schedules.add_slot(item)
    return made


def slot(rule: Schedule, due_at: datetime, **more: object) -> Slot:
    """One slot of the rule."""
    made = Slot(
        id=new_id(),
        schedule=rule.id,
        brand=rule.brand,
        local_date=local_day(due_at, rule.zone),
        due_at=due_at,
        template="",
        theme=rule.theme,
    )
    return replace(made, **more)  # type: ignore[arg-type]


async def in_review(
    portal: Portal, item: Slot, words: str = "a red mug", who: str = "mia"
) -> Review:
    """The slot has a picture, and its review is open."""
    review = await portal.review(words, who=who)
    await change(portal, item, SlotState.RENDERING)
    await change(portal, item, SlotState.IN_REVIEW, asset=review.asset, review=review.id)
    return review


async def change(portal: Portal, item: Slot, state: SlotState, **more: object) -> Slot:
    """The slot in another state."""
    async with portal.town.house.store.write() as tx:
        was = await tx.schedules.get_slot(item.id)
        new = replace(was, state=state, **more)  # type: ignore[arg-type]
        return await tx.schedules.update_slot(new, was=was)
