"""What people change in the calendar: skipped, moved, paused, ended, made anew, withdrawn."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from bot.core.commands import (
    Approve,
    EndSchedule,
    MoveSlot,
    PauseSchedule,
    RerollSlot,
    RestoreSlot,
    ResumeSchedule,
    SkipSlot,
    Withdraw,
)
from bot.core.lives import AssetState, JobState, ReviewState, SlotState
from bot.core.planning import advance, plan_ahead
from tests.fakes.town import Town
from tests.scenario.calendar.planning import (
    NEXT,
    go_to,
    on_both,
    ready,
    review_of,
    scheduled,
    slot,
    slots,
    tick,
    told,
    waiting,
)


@on_both
async def test_a_skipped_slot_is_not_posted_and_can_be_restored_in_time(town: Town) -> None:
    schedule, found = await waiting(town)
    await town.say(SkipSlot(slot=found.id, reason="a holiday"), "ben")
    skipped = await slot(town, schedule)
    assert (skipped.state, skipped.reason) == (SlotState.SKIPPED, "a holiday")
    assert (await review_of(town, skipped)).state is ReviewState.WITHDRAWN
    await tick(town)
    assert (await slot(town, schedule)).state is SlotState.SKIPPED
    await town.say(RestoreSlot(slot=found.id), "ben")
    await tick(town)
    back = await slot(town, schedule)
    assert back.state is SlotState.IN_REVIEW
    await town.say(SkipSlot(slot=found.id), "ben")
    await go_to(town, NEXT)
    late = await town.say(RestoreSlot(slot=found.id), "ben")
    assert late.kind == "error"
    assert town.chat.posts == {}


async def test_an_approved_picture_survives_skipping_and_restoring(town: Town) -> None:
    schedule, found = await ready(town)
    await town.say(SkipSlot(slot=found.id), "ana")
    await town.say(RestoreSlot(slot=found.id), "ana")
    await tick(town)
    back = await slot(town, schedule)
    assert (back.state, back.asset) == (SlotState.READY, found.asset)
    await go_to(town, NEXT)
    assert (await slot(town, schedule)).state is SlotState.POSTED
    assert len(town.chat.posts) == 1


async def test_skipping_stops_the_job_that_waits(town: Town) -> None:
    schedule = await scheduled(town)
    await town.clock.advance_to(NEXT - timedelta(hours=70))
    await advance(town.house)
    found = await slot(town, schedule)
    await town.say(SkipSlot(slot=found.id), "ida")
    async with town.house.store.read() as tx:
        assert (await tx.jobs.get(found.job)).state is JobState.CANCELLED


async def test_a_moved_slot_is_posted_at_its_new_time_alone(town: Town) -> None:
    schedule, found = await ready(town)
    await town.say(MoveSlot(slot=found.id, day=date(2026, 3, 10), at=time(14, 30)), "ana")
    moved = await slot(town, schedule)
    assert moved.due_at == datetime(2026, 3, 10, 13, 30, tzinfo=UTC)
    assert (moved.local_date, moved.moved) == (date(2026, 3, 9), True)
    await go_to(town, NEXT + timedelta(hours=2))
    assert town.chat.posts == {}
    assert await plan_ahead(town.house) == 0
    await go_to(town, moved.due_at)
    assert len(town.chat.posts) == 1


async def test_a_review_moves_with_its_slot(town: Town) -> None:
    schedule, found = await waiting(town)
    await town.say(MoveSlot(slot=found.id, day=date(2026, 3, 11)), "ana")
    await go_to(town, NEXT + timedelta(days=1))
    review = await review_of(town, await slot(town, schedule))
    assert review.deadline == NEXT + timedelta(days=2)
    await town.say(Approve(review=review.id), "ana")
    await go_to(town, NEXT + timedelta(days=2))
    assert len(town.chat.posts) == 1


@pytest.mark.parametrize(
    ("day", "at"),
    [(date(2026, 3, 1), None), (date(2026, 3, 2), time(9)), (date(9999, 12, 31), None)],
)
async def test_a_slot_cannot_be_moved_into_the_past_or_too_far(
    town: Town, day: date, at: time | None
) -> None:
    schedule = await scheduled(town)
    found = await slot(town, schedule)
    card = await town.say(MoveSlot(slot=found.id, day=day, at=at), "ida")
    assert card.state == "mistake"
    assert await slot(town, schedule) == found


async def test_a_paused_schedule_neither_plans_renders_nor_posts(town: Town) -> None:
    schedule, _ = await ready(town)
    await town.say(PauseSchedule(schedule=schedule.id), "ida")
    await go_to(town, NEXT + timedelta(days=7))
    states = [found.state for found in await slots(town, schedule)]
    assert states[:2] == [SlotState.SKIPPED, SlotState.SKIPPED]
    assert len(states) == 4
    assert town.chat.posts == {}
    assert told(town, "@ida", "Missed") == []
    await town.say(ResumeSchedule(schedule=schedule.id), "ida")
    await go_to(town, NEXT + timedelta(days=12))
    assert (await slot(town, schedule, 2)).state is SlotState.IN_REVIEW


async def test_what_a_pause_swallowed_is_not_made_up_for(town: Town) -> None:
    schedule = await scheduled(town)
    await town.say(PauseSchedule(schedule=schedule.id), "ida")
    await town.clock.advance_to(NEXT + timedelta(weeks=8, days=1))
    await tick(town)
    await town.say(ResumeSchedule(schedule=schedule.id), "ida")
    await tick(town)
    assert told(town, "@ida", "Missed") == []
    late = [s for s in await slots(town, schedule) if s.due_at > town.clock.now()]
    assert len(late) == 4


async def test_an_ended_schedule_posts_nothing_more(town: Town) -> None:
    schedule, found = await ready(town)
    await town.say(EndSchedule(schedule=schedule.id), "ida")
    await go_to(town, NEXT + timedelta(days=7))
    assert {each.state for each in await slots(town, schedule)} == {SlotState.SKIPPED}
    assert town.chat.posts == {}
    again = await town.say(ResumeSchedule(schedule=schedule.id), "ida")
    assert again.kind == "error"
    restored = await town.say(RestoreSlot(slot=found.id), "ida")
    assert restored.kind == "error"


async def test_a_slot_can_be_made_anew_in_review_and_when_ready(town: Town) -> None:
    schedule, first = await waiting(town)
    await town.say(RerollSlot(slot=first.id), "ana")
    assert (await review_of(town, first)).state is ReviewState.WITHDRAWN
    await tick(town)
    second = await slot(town, schedule)
    await town.say(Approve(review=second.review), "ana")
    await town.say(RerollSlot(slot=second.id), "ben")
    await tick(town)
    third = await slot(town, schedule)
    assert third.state is SlotState.IN_REVIEW
    assert len({first.asset, second.asset, third.asset}) == 3
    await go_to(town, NEXT)
    assert (await slot(town, schedule)).state is SlotState.MISSED
    assert town.chat.posts == {}


async def test_a_withdrawn_picture_is_replaced_and_never_posted(town: Town) -> None:
    schedule, found = await ready(town)
    await town.say(Withdraw(asset=found.asset), "ida")
    await tick(town)
    replaced = await slot(town, schedule)
    assert replaced.state is SlotState.IN_REVIEW
    assert replaced.asset != found.asset
    await go_to(town, NEXT)
    assert town.chat.posts == {}


async def test_an_approved_slot_picture_stays_in_the_archive_when_its_slot_is_made_anew(
    town: Town,
) -> None:
    _, found = await ready(town)
    await town.say(RerollSlot(slot=found.id), "ana")
    async with town.house.store.read() as tx:
        assert (await tx.assets.get(found.asset)).state is AssetState.APPROVED


@pytest.mark.parametrize("approved", [False, True], ids=["planned", "approved"])
async def test_a_schedule_goes_on_after_its_channel_was_given_a_workspace(
    town: Town, *, approved: bool
) -> None:
    schedule = (await ready(town))[0] if approved else await scheduled(town)
    channels = tuple(replace(channel, team="T1") for channel in town.kit.channels)
    async with town.house.store.write() as tx:
        kit = replace(town.kit, version="2", channels=channels)
        await tx.kits.put(kit, source="", at=town.clock.now())
    if not approved:
        await go_to(town, NEXT - timedelta(days=2))
        found = await slot(town, schedule)
        assert found.state is SlotState.IN_REVIEW, found.reason
        await town.say(Approve(review=found.review), "ana")
    await go_to(town, NEXT)
    posted = await slot(town, schedule)
    assert posted.state is SlotState.POSTED, posted.reason
    async with town.house.store.read() as tx:
        publication = await tx.publications.get(posted.publication)
    assert publication.target.team == "T1"
