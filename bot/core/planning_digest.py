"""What happens next week, told once a week: as rows with thumbnails and what may be done."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.core.calendar_cards import week_card
from bot.core.calendar_view import CalendarWeek, week_of
from bot.core.house import House
from bot.core.lives import ScheduleState
from bot.core.messages import Card
from bot.core.people import Person
from bot.core.planning_rules import local_day
from bot.core.planning_telling import WEEK, managers, say_to, working_places
from bot.core.ports import Signal, Transaction
from bot.core.slots import Slot
from bot.core.telling import say
from brand.kit import BrandKit

TOLD_ON = 4
"""Friday: Monday's picture is made by then, and who approves is still at work."""
TOLD_AT = time(9, 0)
_PLATFORM = "calendar"


async def tell_week(house: House) -> int:
    """Send the digests whose time has come, one a brand and week; how many.

    After an outage it is still sent until the week begins.
    """
    now = house.clock.now()
    async with house.store.read() as tx:
        due = [kit for kit in await tx.kits.all() if await _next_week(tx, kit, now) is not None]
    sent = 0
    for kit in due:
        async with house.store.write() as tx:
            monday = await _next_week(tx, kit, now)
            if monday is not None:
                key = f"digest:{kit.id}:{monday.isoformat()}"
                if await tx.deliveries.take(_PLATFORM, key, now):
                    await _tell(tx, kit, monday, now)
                    sent += 1
    if sent:
        house.signals.publish(Signal(topic="outbox", kind="added", data={}))
    return sent


async def _next_week(tx: Transaction, kit: BrandKit, now: datetime) -> date | None:
    """The Monday of the week to tell of now, in the zone of the brand's newest schedule; None
    before Friday morning, and for a brand without a running schedule."""
    running = [
        schedule
        for schedule in await tx.schedules.of_brand(kit.id)
        if schedule.state is ScheduleState.ACTIVE
    ]
    if not running:
        return None
    zone = max(running, key=lambda schedule: schedule.created_at).zone
    local = now.astimezone(ZoneInfo(zone))
    told_from = (TOLD_ON, TOLD_AT)
    if (local.weekday(), local.time()) < told_from:
        return None
    return local_day(now, zone) + timedelta(days=7 - local.weekday())


async def _tell(tx: Transaction, kit: BrandKit, monday: date, now: datetime) -> None:
    places = working_places(kit)
    for place in places:
        # Each press of a button is checked against whoever pressed it.
        await say(tx, await _card(tx, kit, None, monday, now), place, now)
    for person in [] if places else await managers(tx, kit):
        await say_to(tx, person, None, await _card(tx, kit, person, monday, now), now)


async def refresh_week(tx: Transaction, slot: Slot, now: datetime) -> None:
    """Bring the digest that stands in the working channels up to date with a changed slot."""
    schedule = await tx.schedules.get(slot.schedule)
    kit = await tx.kits.current(slot.brand)
    day = local_day(slot.due_at, schedule.zone)
    monday = day - timedelta(days=day.weekday())
    for place in working_places(kit):
        if await tx.outbox.message_of(_subject(kit, monday), place) is not None:
            await say(tx, await _card(tx, kit, None, monday, now), place, now)


def _subject(kit: BrandKit, monday: date) -> str:
    return f"{WEEK}{kit.id}:{monday.isoformat()}"


async def _card(
    tx: Transaction, kit: BrandKit, person: Person | None, monday: date, now: datetime
) -> Card:
    week: CalendarWeek = await week_of(tx, kit, person, monday, now=now)
    return week_card(
        kit,
        f"The week at {kit.name}: {monday:%a %d %b} to {monday + timedelta(days=6):%a %d %b}",
        week.rows,
        subject=_subject(kit, monday),
        private=False,
    )
