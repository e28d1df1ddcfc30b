"""A new schedule: checked against the kit, stored, and planned at once."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from bot.core.calendar_cards import schedule_card
from bot.core.calendar_commands import upcoming
from bot.core.calendar_view import schedules_of
from bot.core.caller import Caller, kit_for
from bot.core.commands import AddSchedule
from bot.core.errors import Mistake
from bot.core.house import House
from bot.core.ids import new_id
from bot.core.lives import ScheduleState
from bot.core.messages import Card
from bot.core.planning import plan_schedule
from bot.core.planning_rules import (
    brief_of,
    days_in_words,
    instant,
    local_day,
    zone_named,
    zone_names,
)
from bot.core.planning_slots import schedule_event
from bot.core.planning_steps import approved
from bot.core.policy import may_plan
from bot.core.ports import Signal, Transaction
from bot.core.queueing import compile_all
from bot.core.reviewing import publish_target
from bot.core.slots import Schedule
from brand.kit import BrandKit
from brand.words import clean, nearest

MAX_EVERY = 12
"""Weeks between two weeks of a rule, at most."""
MAX_NAME = 80
NO_ZONE = "UTC"


async def add_schedule(house: House, caller: Caller, command: AddSchedule) -> Card:
    """Make a weekly rule. Raises Mistake, NotAllowed or NotFound; then nothing was stored."""
    now = house.clock.now()
    async with house.store.write() as tx:
        kit = await kit_for(tx, command.brand, caller.actor)
        may_plan(kit, caller.person)
        schedule = await _schedule(tx, caller, kit, command, now)
        _check_renders(kit, schedule)
        if schedule.fallback_asset and not await approved(tx, schedule.fallback_asset, schedule):
            raise Mistake(
                "The fallback isn't an approved picture for that channel.",
                fix="Have it approved for the same channel first, or leave the fallback out.",
                field="fallback",
            )
        await tx.schedules.add(schedule)
        await tx.ledger.append(schedule_event("schedule.added", schedule, caller.person.id, now))
        await plan_schedule(tx, schedule, now)
        rows = await upcoming(tx, caller, kit, schedule, now)
        mine = await schedules_of(tx, kit, caller.person)
    for topic in ("calendar", "queue"):
        house.signals.publish(Signal(topic=topic, kind="changed", data={}))
    row = next(each for each in mine if each.schedule.id == schedule.id)
    return schedule_card(row, f"Scheduled: {schedule.name}", rows)


async def _schedule(
    tx: Transaction, caller: Caller, kit: BrandKit, command: AddSchedule, now: datetime
) -> Schedule:
    if not command.weekdays or not set(command.weekdays) <= set(range(7)):
        raise Mistake("Say on which days, as in `every Monday`.", field="weekdays")
    if not 1 <= command.every_weeks <= MAX_EVERY:
        raise Mistake(f"It can come every 1 to {MAX_EVERY} weeks.", field="every_weeks")
    zone = _zone(command.zone, await tx.schedules.of_brand(kit.id))
    theme, templates = _content(kit, command)
    weekdays = tuple(sorted(set(command.weekdays)))
    name = clean(command.name) or f"{theme or templates[0]}, {days_in_words(weekdays)}"
    return Schedule(
        id=new_id(),
        brand=kit.id,
        name=name[:MAX_NAME],
        weekdays=weekdays,
        at=command.at.replace(tzinfo=None, second=0, microsecond=0),
        zone=zone,
        theme=theme,
        templates=templates,
        target=publish_target(kit, command.channel),
        owner=caller.person.id,
        created_at=now,
        every_weeks=command.every_weeks,
        starts_on=_first_day(weekdays, command, zone, now),
        fallback_asset=command.fallback,
    )


def _zone(said: str, schedules: Sequence[Schedule]) -> str:
    """The zone that was said, else that of the brand's newest schedule, else UTC."""
    if not said.strip():
        running = [s for s in schedules if s.state is not ScheduleState.ENDED]
        newest = max(running, key=lambda s: s.created_at, default=None)
        return newest.zone if newest else NO_ZONE
    found = zone_named(said.strip())
    if not found:
        meant = nearest(said, zone_names())
        raise Mistake(
            f"`{said[:40]}` isn't a time zone." + (f" Did you mean `{meant}`?" if meant else ""),
            fix="Zones are named as in Europe/Berlin.",
            nearest=meant,
            field="zone",
        )
    return found


def _content(kit: BrandKit, command: AddSchedule) -> tuple[str, tuple[str, ...]]:
    theme = clean(command.theme)
    spelled = {item.name.casefold(): item.name for item in kit.templates}
    templates = tuple(spelled.get(name.casefold(), name) for name in command.templates)
    if not templates:
        templates = tuple(item.name for item in kit.templates[:1])
    if not theme and not templates:
        raise Mistake("Say what it is about, as in `theme innovation`.", field="theme")
    return theme, templates


def _check_renders(kit: BrandKit, schedule: Schedule) -> None:
    """Every template in turn has to give a recipe. Raises Mistake with what the kit allows."""
    for template in schedule.templates or ("",):
        compile_all(brief_of(kit, theme=schedule.theme, template=template, turn=0), kit)


def _first_day(weekdays: tuple[int, ...], command: AddSchedule, zone: str, now: datetime) -> date:
    """The day of the first slot, from which every other week is counted."""
    day = local_day(now, zone)
    while day.weekday() not in weekdays or instant(day, command.at, zone) <= now:
        day += timedelta(days=1)
    return day
