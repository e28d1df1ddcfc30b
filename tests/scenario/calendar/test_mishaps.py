"""What goes wrong in the calendar: failures, outages, and the pictures that stand in."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.commands import (
    Approve,
    Withdraw,
)
from bot.core.lives import PublicationState, SlotState
from bot.core.planning import advance, plan_ahead, post_due
from bot.core.planning_slots import GRACE
from bot.core.slots import Schedule
from bot.core.watching import Unwatched
from brand.spec import RenderError
from tests.fakes.studio import OFF_PALETTE, PASSED
from tests.fakes.town import Town
from tests.scenario.calendar.planning import (
    LEAD,
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
)
from tests.scenario.conftest import candidate, in_review


class BrokenWatch(Unwatched):
    """Trips over a bug wherever a job is queued."""

    def trail(self) -> str:
        """Never comes to an answer."""
        raise ZeroDivisionError


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


async def test_a_slot_of_someone_who_left_says_so(town: Town) -> None:
    schedule = await scheduled(town)
    async with town.house.store.write() as tx:
        ida = await tx.people.get(schedule.owner)
        await tx.people.update(replace(ida, active=False), was=ida)
    await go_to(town, NEXT)
    found = await slot(town, schedule)
    assert found.state is SlotState.MISSED
    assert "has left" in found.reason
