"""The calendar from a rule to a post: planned, made ahead, approved, posted at its time."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from bot.core.commands import (
    AddSchedule,
    Approve,
    AskChange,
    Calendar,
    EndSchedule,
    MoveSlot,
    PauseSchedule,
    Reject,
    RerollSlot,
    RestoreSlot,
    ResumeSchedule,
    SkipSlot,
    Withdraw,
)
from bot.core.lives import AssetState, JobState, PublicationState, ReviewState, SlotState
from bot.core.messages import Card
from bot.core.planning import advance, plan_ahead, post_due
from bot.core.planning_digest import tell_week
from bot.core.planning_slots import GRACE, REMINDERS
from bot.core.reviewing import expire_overdue
from bot.core.reviews import Review
from bot.core.slots import LEAD_HOURS, Schedule, Slot
from bot.core.watching import Unwatched
from brand.kit import Template
from brand.spec import RenderError
from storage.database import open_store
from tests.fakes.studio import OFF_PALETTE, PASSED
from tests.fakes.town import START, Town, make_town
from tests.scenario.conftest import candidate, in_review

MONDAYS = AddSchedule(
    weekdays=(0,), at=time(9), zone="Europe/Berlin", theme="innovation", channel="#social"
)
NEXT = datetime(2026, 3, 9, 8, 0, tzinfo=UTC)
"""Monday 9 March 09:00 in Berlin; the town's clock starts a week before, an hour later."""
LEAD = timedelta(hours=LEAD_HOURS)
BEFORE = (LEAD, *REMINDERS, timedelta())
"""So long before a slot's time something happens with it."""


class BrokenWatch(Unwatched):
    """Trips over a bug wherever a job is queued."""

    def trail(self) -> str:
        """Never comes to an answer."""
        raise ZeroDivisionError


@pytest.fixture
async def town(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Town]:
    """Four-eyes rules, as in production. On memory, unless a test asks for SQLite."""
    kind = getattr(request, "param", "memory")
    store = await open_store("memory:" if kind == "memory" else f"sqlite:///{tmp_path}/house.db")
    yield await make_town(store=store)
    await store.close()


on_both = pytest.mark.parametrize("town", ["memory", "sqlite"], indirect=True)


async def tick(town: Town) -> None:
    """Everything that the clock does, until nothing is left to do now."""
    while True:
        await town.settle()
        done = await plan_ahead(town.house) + await expire_overdue(town.house)
        done += await advance(town.house) + await post_due(town.house)
        done += await tell_week(town.house)
        await town.settle()
        if not done:
            return


async def go_to(town: Town, when: datetime) -> None:
    """Let the time pass, with everything that it brings at the times that matter."""
    while (now := town.clock.now()) < when:
        async with town.house.store.read() as tx:
            due = [slot.due_at for slot in await tx.schedules.open_slots(until=when + LEAD)]
        times = {at - before for at in due for before in BEFORE} | {now + timedelta(days=1), when}
        await town.clock.advance_to(min(at for at in times if at > now))
        await tick(town)


async def scheduled(town: Town, command: AddSchedule = MONDAYS) -> Schedule:
    """A schedule made by Ida, an admin."""
    card = await town.say(command, "ida")
    assert card.kind == "reply", card
    async with town.house.store.read() as tx:
        return max(await tx.schedules.of_brand(), key=lambda s: s.created_at)


async def slots(town: Town, schedule: Schedule) -> list[Slot]:
    """The schedule's slots by date."""
    async with town.house.store.read() as tx:
        return list(await tx.schedules.slots_of(schedule.id, since=date(2026, 1, 1)))


async def slot(town: Town, schedule: Schedule, number: int = 0) -> Slot:
    """One of them."""
    return (await slots(town, schedule))[number]


async def review_of(town: Town, of: Slot) -> Review:
    """The review of a slot's picture."""
    async with town.house.store.read() as tx:
        return await tx.reviews.get(of.review)


async def waiting(town: Town) -> tuple[Schedule, Slot]:
    """A schedule whose first slot waits for approval, two days before its time."""
    schedule = await scheduled(town)
    await go_to(town, NEXT - timedelta(days=2))
    found = await slot(town, schedule)
    assert found.state is SlotState.IN_REVIEW
    return schedule, found


async def ready(town: Town) -> tuple[Schedule, Slot]:
    """The same, approved by Ana."""
    schedule, found = await waiting(town)
    await town.say(Approve(review=found.review), "ana")
    return schedule, await slot(town, schedule)


def told(town: Town, channel: str, words: str) -> list[Card]:
    """The cards with these words in their title that stand in a channel."""
    return [card for card in town.chat.shown(channel) if words in card.title]


@on_both
async def test_a_slot_is_made_ahead_approved_and_posted_at_its_time(town: Town) -> None:
    schedule, found = await ready(town)
    assert found.state is SlotState.READY
    assert found.due_at == NEXT
    await go_to(town, NEXT - timedelta(seconds=1))
    assert town.chat.posts == {}
    await go_to(town, NEXT)
    assert [channel for channel, _ in town.chat.posts.values()] == ["social"]
    posted = await slot(town, schedule)
    assert posted.state is SlotState.POSTED
    async with town.house.store.read() as tx:
        publication = await tx.publications.get(posted.publication)
        actions = [e.action for e in await tx.ledger.recent(subject=f"slot:{posted.id}")]
    assert publication.due_at == NEXT
    assert publication.sent_at == NEXT
    assert actions[::-1] == [
        "slot.planned",
        "slot.rendering",
        "slot.in_review",
        "slot.ready",
        "slot.due",
        "slot.posted",
    ]


async def test_the_review_card_says_when_the_calendar_posts_it(town: Town) -> None:
    _, found = await waiting(town)
    (card,) = [card for card in town.chat.shown("drafts") if card.kind == "review"]
    assert card.lines[1] == "The calendar posts it on Mon 09 Mar 09:00, Berlin."
    done = await town.say(Approve(review=found.review), "ana")
    assert done.footer == "Goes to #social on Mon 09 Mar 09:00, Berlin."


async def test_slots_are_planned_four_weeks_ahead(town: Town) -> None:
    schedule = await scheduled(town)
    days = [found.local_date for found in await slots(town, schedule)]
    assert days == [date(2026, 3, day) for day in (9, 16, 23, 30)]
    assert await plan_ahead(town.house) == 0
    await go_to(town, NEXT)
    assert (await slot(town, schedule, -1)).local_date == date(2026, 4, 6)


async def test_nothing_is_rendered_before_its_lead_and_then_behind_peoples_own_jobs(
    town: Town,
) -> None:
    schedule = await scheduled(town)
    await go_to(town, NEXT - timedelta(hours=97))
    assert (await slot(town, schedule)).job == ""
    await go_to(town, NEXT - timedelta(hours=96))
    found = await slot(town, schedule)
    async with town.house.store.read() as tx:
        job = await tx.jobs.get(found.job)
    assert (job.slot, job.priority, job.requester) == (found.id, 0, town.people["ida"].id)
    assert job.brief.words == "innovation"


@on_both
async def test_an_unapproved_slot_is_missed_reported_and_never_posted(town: Town) -> None:
    schedule, _ = await waiting(town)
    await go_to(town, NEXT)
    found = await slot(town, schedule)
    assert found.state is SlotState.MISSED
    assert found.reason == "Nobody approved its picture in time."
    assert len(told(town, "@ida", "Missed")) == 1
    assert len(told(town, "drafts", "Missed")) == 1
    late = await town.say(Approve(review=found.review), "ana")
    assert late.kind == "error"
    await go_to(town, NEXT + timedelta(hours=3))
    assert town.chat.posts == {}


async def test_the_schedules_owner_cannot_approve_their_own_slot(town: Town) -> None:
    schedule, found = await waiting(town)
    async with town.house.store.write() as tx:
        ida = await tx.people.get(schedule.owner)
        more = replace(ida, roles=(*ida.roles, *town.people["ben"].roles))
        await tx.people.update(more, was=ida)
    card = await town.say(Approve(review=found.review), "ida")
    assert "own request" in card.lines[0]


async def test_a_rejected_slot_gets_another_picture_while_there_is_time(town: Town) -> None:
    schedule, first = await waiting(town)
    await town.say(Reject(review=first.review, reason="too dark"), "ana")
    await tick(town)
    second = await slot(town, schedule)
    assert second.state is SlotState.IN_REVIEW
    assert second.asset != first.asset
    assert second.renders == 2
    await town.say(AskChange(review=second.review, reason="warmer"), "ana")
    await tick(town)
    third = await slot(town, schedule)
    await town.say(Approve(review=third.review), "ben")
    await go_to(town, NEXT)
    assert (await slot(town, schedule)).state is SlotState.POSTED


async def test_a_failed_job_is_tried_again_and_its_owner_told(town: Town) -> None:
    schedule = await scheduled(town)
    town.renderer.failures = [RenderError("out of memory")]
    await go_to(town, NEXT - timedelta(hours=96))
    hindered = await slot(town, schedule)
    assert "out of memory" in hindered.reason
    assert told(town, "@ida", "can't go on")
    await go_to(town, NEXT - timedelta(hours=95))
    again = await slot(town, schedule)
    assert again.state is SlotState.IN_REVIEW
    assert again.reason == ""


async def test_pictures_that_never_pass_the_brand_check_end_with_a_miss(town: Town) -> None:
    schedule = await scheduled(town)
    town.studio.verdicts = [OFF_PALETTE]
    await go_to(town, NEXT)
    found = await slot(town, schedule)
    assert found.state is SlotState.MISSED
    assert found.renders == 8
    assert "did not pass the brand check" in found.reason
    town.studio.verdicts = [PASSED]


async def test_people_are_reminded_once_a_day_and_once_two_hours_before(town: Town) -> None:
    await waiting(town)
    await go_to(town, NEXT - timedelta(hours=25))
    assert told(town, "@ana", "not ready") == []
    await go_to(town, NEXT - timedelta(hours=3))
    assert len(told(town, "@ana", "Due in 24 h")) == 1
    await go_to(town, NEXT - timedelta(minutes=1))
    for who in ("@ana", "@ben", "@ida"):
        assert len(told(town, who, "not ready")) == 2, who
    assert told(town, "@mia", "not ready") == []
    reminder = told(town, "@ana", "Due in 2 h")[0]
    assert any(button.action.startswith("approve:") for button in reminder.buttons)


async def test_nobody_is_reminded_of_a_slot_that_is_ready(town: Town) -> None:
    await ready(town)
    await go_to(town, NEXT)
    assert told(town, "@ana", "not ready") == []


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


async def with_fallback(town: Town) -> tuple[Schedule, str]:
    """A schedule with an approved picture to fall back on, which was posted before."""
    review = await in_review(town)
    await town.say(Approve(review=review.id), "ana")
    await town.settle()
    assert len(town.chat.posts) == 1
    return await scheduled(town, replace(MONDAYS, fallback=review.asset)), review.asset


async def test_an_approved_fallback_goes_out_where_a_slot_is_not_ready(town: Town) -> None:
    schedule, asset = await with_fallback(town)
    await go_to(town, NEXT + timedelta(days=7))
    states = [found.state for found in (await slots(town, schedule))[:2]]
    assert states == [SlotState.FALLBACK_POSTED] * 2
    assert len(town.chat.posts) == 3
    async with town.house.store.read() as tx:
        assert {p.asset for p in await tx.publications.of_asset(asset)} == {asset}


async def test_a_withdrawn_fallback_does_not_go_out(town: Town) -> None:
    schedule, asset = await with_fallback(town)
    await town.say(Withdraw(asset=asset), "mia")
    await go_to(town, NEXT)
    assert (await slot(town, schedule)).state is SlotState.MISSED
    assert len(town.chat.posts) == 1


async def test_a_fallback_has_to_be_approved(town: Town) -> None:
    asset = await candidate(town)
    card = await town.say(replace(MONDAYS, fallback=asset.id), "ida")
    assert card.state == "mistake"


@pytest.mark.parametrize(("late", "posts"), [(GRACE, 1), (GRACE + timedelta(seconds=1), 0)])
async def test_after_an_outage_a_ready_slot_is_posted_within_the_grace_else_missed(
    town: Town, late: timedelta, posts: int
) -> None:
    schedule, _ = await ready(town)
    town.clock.jump((NEXT + late - town.clock.now()).total_seconds())
    await tick(town)
    await go_to(town, NEXT + timedelta(days=1))
    assert len(town.chat.posts) == posts
    found = await slot(town, schedule)
    assert found.state is (SlotState.POSTED if posts else SlotState.MISSED)
    assert bool(told(town, "@ida", "Missed")) is not bool(posts)


async def test_a_post_that_waited_through_an_outage_is_not_sent_a_day_late(town: Town) -> None:
    schedule, _ = await ready(town)
    await town.clock.advance_to(NEXT)
    assert await post_due(town.house) == 1  # queued, and then the machine stops
    town.clock.jump(86_400)
    await town.settle()
    await tick(town)
    assert town.chat.posts == {}
    assert (await slot(town, schedule)).state is SlotState.MISSED


@on_both
async def test_a_post_that_nobody_began_in_time_is_failed_told_and_written_down(
    town: Town,
) -> None:
    schedule, _ = await ready(town)
    await town.clock.advance_to(NEXT)
    assert await post_due(town.house) == 1  # queued, and then the machine stops
    town.clock.jump(86_400)
    await post_due(town.house)  # the calendar looks before the publisher does
    await town.settle()
    found = await slot(town, schedule)
    async with town.house.store.read() as tx:
        post = await tx.publications.get(found.publication)
        events = await tx.ledger.recent(subject=f"publication:{post.id}")
    assert post.state is PublicationState.FAILED
    assert "publication.failed" in [event.action for event in events]
    assert told(town, "@ida", "Not posted to #social")


async def test_a_slot_that_trips_over_a_bug_tells_its_owner_and_holds_up_nobody(
    town: Town,
) -> None:
    schedule = await scheduled(town)
    house, town.house = town.house, replace(town.house, watch=BrokenWatch())
    await town.clock.advance_to(NEXT - LEAD)
    await plan_ahead(town.house)
    await advance(town.house)
    town.house = house
    found = await slot(town, schedule)
    assert found.state is SlotState.PLANNED
    assert found.id in found.reason
    await town.settle()
    assert told(town, "@ida", "can't go on")
    await tick(town)
    assert (await slot(town, schedule)).state is SlotState.IN_REVIEW


async def test_an_outage_of_six_weeks_reports_every_slot_it_swallowed(town: Town) -> None:
    schedule = await scheduled(town)
    town.clock.jump(timedelta(weeks=6).total_seconds())
    await tick(town)
    past = [s for s in await slots(town, schedule) if s.due_at < town.clock.now()]
    assert len(past) == 6
    assert {found.state for found in past} == {SlotState.MISSED}
    assert len(told(town, "@ida", "Missed")) == 6


async def test_a_refused_post_makes_the_slot_missed(town: Town) -> None:
    schedule, _ = await ready(town)
    town.chat.gone.add("social")
    await go_to(town, NEXT)
    found = await slot(town, schedule)
    assert found.state is SlotState.MISSED
    assert "no channel #social" in found.reason


@on_both
async def test_two_machines_take_each_step_once(town: Town) -> None:
    _, found = await ready(town)
    await town.clock.advance_to(NEXT)
    for _ in range(3):
        await post_due(town.house)
    await town.settle()
    await post_due(town.house)
    async with town.house.store.read() as tx:
        events = await tx.ledger.recent(subject=f"slot:{found.id}")
        posts = [p for p in await tx.publications.of_asset(found.asset) if p.slot]
    assert [e.action for e in events].count("slot.due") == 1
    assert [p.state for p in posts] == [PublicationState.SENT]


async def test_the_week_is_told_once_with_what_may_be_done(town: Town) -> None:
    schedule = await scheduled(town, replace(MONDAYS, weekdays=(0, 3)))
    await go_to(town, datetime(2026, 3, 6, 7, 59, tzinfo=UTC))
    assert told(town, "drafts", "The week") == []
    await go_to(town, datetime(2026, 3, 6, 9, 0, tzinfo=UTC))
    await go_to(town, datetime(2026, 3, 7, 9, 0, tzinfo=UTC))
    (card,) = told(town, "drafts", "The week")
    assert [row[:3] for row in card.rows] == [
        ("Mon 09 Mar", "09:00 Berlin", "#social"),
        ("Thu 12 Mar", "09:00 Berlin", "#social"),
    ]
    found = await slot(town, schedule, 1)
    (thumb,) = card.pictures
    assert [b.action for b in thumb.buttons] == [
        f"approve:{found.review}",
        f"skip:{found.id}",
        f"reroll_slot:{found.id}",
        f"show:{found.asset}",
    ]
    assert card.buttons[0].label == "Skip Thu 12 Mar 09:00"
    await town.say(Approve(review=found.review), "ana")
    await town.settle()
    (card,) = told(town, "drafts", "The week")
    assert [row[4] for row in card.rows] == ["approved", "planned"]


async def test_templates_take_turns_and_open_values_rotate(town: Town) -> None:
    async with town.house.store.write() as tx:
        kit = replace(
            town.kit,
            templates=(
                Template(name="mug", text="a mug"),
                Template(name="cup", text="a cup"),
            ),
        )
        await tx.kits.put(kit, source="", at=START)
    both = replace(MONDAYS, weekdays=(0, 1), templates=("Mug", "cup"))
    schedule = await scheduled(town, both)
    assert [s.template for s in (await slots(town, schedule))[:4]] == ["cup", "mug", "cup", "mug"]


async def test_only_managers_make_and_end_schedules_and_approvers_tend_slots(town: Town) -> None:
    refused = await town.say(MONDAYS, "ana")
    assert refused.state == "not_allowed"
    schedule = await scheduled(town)
    found = await slot(town, schedule)
    for who, command, kind in (
        ("ana", PauseSchedule(schedule=schedule.id), "error"),
        ("ana", EndSchedule(schedule=schedule.id), "error"),
        ("mia", SkipSlot(slot=found.id), "error"),
        ("mia", MoveSlot(slot=found.id, day=date(2026, 3, 10)), "error"),
        ("mia", RerollSlot(slot=found.id), "error"),
        ("ben", SkipSlot(slot=found.id), "reply"),
        ("mia", RestoreSlot(slot=found.id), "error"),
        ("ben", RestoreSlot(slot=found.id), "reply"),
    ):
        assert (await town.say(command, who)).kind == kind, (who, command)


@pytest.mark.parametrize(
    "wrong",
    [
        replace(MONDAYS, zone="Europe/Berln"),
        replace(MONDAYS, channel="#nowhere"),
        replace(MONDAYS, channel="#drafts"),
        replace(MONDAYS, theme="cheap things"),
        replace(MONDAYS, templates=("nothing",)),
        replace(MONDAYS, theme=""),
        replace(MONDAYS, weekdays=()),
        replace(MONDAYS, weekdays=(7,)),
        replace(MONDAYS, every_weeks=0),
    ],
)
async def test_a_schedule_that_could_not_be_kept_is_refused(town: Town, wrong: AddSchedule) -> None:
    card = await town.say(wrong, "ida")
    assert card.state == "mistake", card
    async with town.house.store.read() as tx:
        assert await tx.schedules.of_brand() == []


async def test_the_calendar_shows_members_what_comes(town: Town) -> None:
    schedule, found = await waiting(town)
    card = await town.say(Calendar(weeks=2), "mia")
    assert [row[0] for row in card.rows] == ["Mon 09 Mar", "Mon 16 Mar"]
    assert card.rows[0][4] == "to approve"
    assert schedule.name in card.lines[0]
    assert card.pictures[0].asset == found.asset
    assert card.pictures[0].buttons == ()
    mine = await town.say(Calendar(), "ana")
    assert mine.pictures[0].buttons[0].action == f"approve:{found.review}"


async def test_a_slot_of_someone_who_left_says_so(town: Town) -> None:
    schedule = await scheduled(town)
    async with town.house.store.write() as tx:
        ida = await tx.people.get(schedule.owner)
        await tx.people.update(replace(ida, active=False), was=ida)
    await go_to(town, NEXT)
    found = await slot(town, schedule)
    assert found.state is SlotState.MISSED
    assert "has left" in found.reason


async def test_an_approved_slot_picture_stays_in_the_archive_when_its_slot_is_made_anew(
    town: Town,
) -> None:
    _, found = await ready(town)
    await town.say(RerollSlot(slot=found.id), "ana")
    async with town.house.store.read() as tx:
        assert (await tx.assets.get(found.asset)).state is AssetState.APPROVED
