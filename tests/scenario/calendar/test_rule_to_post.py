"""The calendar from a rule to a post: planned, made ahead, approved, posted at its time."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

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
    SkipSlot,
)
from bot.core.lives import SlotState
from bot.core.planning import plan_ahead
from brand.kit import Template
from tests.fakes.town import START, Town
from tests.scenario.calendar.planning import (
    MONDAYS,
    NEXT,
    go_to,
    on_both,
    ready,
    scheduled,
    slot,
    slots,
    tick,
    told,
    waiting,
)


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
    assert card.lines[-1] == "The calendar posts it on Mon 09 Mar 09:00, Berlin."
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
