"""Jobs that a budget has no room for: held, told of, and let go on when there is."""

import asyncio

from bot.core.budget import Budget
from bot.core.caller import Caller
from bot.core.commands import Cancel
from bot.core.freeing import free_held
from bot.core.ids import new_id
from bot.core.intake import queue_for_slot
from bot.core.jobs import Job
from bot.core.lives import JobState
from bot.core.messages import Actor
from bot.core.rendering import RenderingWorker
from brand.kit import BrandKit
from brand.templates import Brief
from tests.fakes.town import Town
from tests.scenario.spending import APRIL, ask, counters, events, jobs, limit


async def test_what_has_no_room_is_held_and_says_who_can_help_and_when_it_goes_on(
    town: Town,
) -> None:
    await limit(town, pictures=3)
    await ask(town, 2)
    card = await ask(town, 2)
    assert card.state == "queued"
    assert "Held: it doesn't fit into what is left of Acme's budget for March" in card.status
    assert "(2 of 3 pictures)" in card.status
    assert "@brand or an admin can raise it; else it goes on by itself on 1 Apr" in card.status
    assert [button.label for button in card.buttons] == ["Pause", "Cancel"]
    await town.settle()
    assert [job.state for job in await jobs(town)] == [JobState.DONE, JobState.QUEUED]
    assert await counters(town) == (2, 0, 1000, 0)
    [event] = await events(town, "job.held")
    assert event.facts == {"account": "brand:acme:acme", "pictures": 2}


async def test_what_still_fits_goes_on_beside_what_is_held(town: Town) -> None:
    await limit(town, pictures=3)
    await ask(town, 2)
    await ask(town, 2)
    card = await ask(town, 1)
    assert "in line" in card.status
    assert "used up (3 of 3 pictures)" in (await ask(town)).status


async def test_held_jobs_go_on_when_the_limit_is_raised_oldest_first(town: Town) -> None:
    await limit(town, pictures=1)
    for _ in range(5):
        await ask(town)
        town.clock.jump(1)
    assert await free_held(town.house) == 0
    card = await limit(town, pictures=3)
    assert "goes on within half a minute" in card.lines[-1]
    assert await free_held(town.house) == 2
    assert [bool(job.hold) for job in await jobs(town)] == [False, False, False, True, True]
    assert await free_held(town.house) == 0
    assert await counters(town) == (0, 3, 0, 0)
    await town.settle()
    assert await counters(town) == (3, 0, 1500, 0)
    assert len(await events(town, "job.freed")) == 2


async def test_held_jobs_go_on_when_the_month_turns_never_beyond_the_limit(town: Town) -> None:
    await limit(town, pictures=2)
    for _ in range(5):
        await ask(town)
        town.clock.jump(1)
    await town.settle()
    await town.clock.advance_to(APRIL)
    assert await free_held(town.house) == 2
    assert await counters(town, month="2026-04") == (0, 2, 0, 0)
    assert await counters(town) == (2, 0, 1000, 0)
    await town.settle()
    last = (await jobs(town))[-1]
    assert "for April is used up" in last.held_why
    assert "1 May, 00:00 UTC" in last.held_why


async def test_the_whole_row_behind_a_stuck_job_reads_the_new_month(town: Town) -> None:
    await limit(town, pictures=2)
    for pictures in (2, 2, 1, 1):
        await ask(town, pictures)
        town.clock.jump(1)
    await town.clock.advance_to(APRIL)
    assert await free_held(town.house) == 1
    held = [job for job in await jobs(town) if job.hold]
    assert len(held) == 2
    assert all("1 May" in job.held_why for job in held)


async def test_a_smaller_job_does_not_overtake_the_oldest_when_room_comes_back(town: Town) -> None:
    await limit(town, pictures=2)
    for pictures in (1, 2, 1, 1):
        await ask(town, pictures)
        town.clock.jump(1)
    assert [bool(job.hold) for job in await jobs(town)] == [False, True, False, True]
    await limit(town, pictures=3)
    assert await free_held(town.house) == 0
    await limit(town, pictures=5)
    assert await free_held(town.house) == 2


async def test_a_job_larger_than_a_whole_month_holds_nobody_else_up(town: Town) -> None:
    await limit(town, pictures=2)
    card = await ask(town, 4)
    assert "it asks for 4 pictures" in card.status
    await ask(town, 2)
    town.clock.jump(1)
    await ask(town, 1, "ana")
    await town.clock.advance_to(APRIL)
    assert await free_held(town.house) == 1
    assert [bool(job.hold) for job in await jobs(town)] == [True, False, False]


async def test_a_job_that_two_budgets_hold_waits_for_both(town: Town) -> None:
    await limit(town, pictures=1)
    await limit(town, pictures=1, scope="person", key="Mia")
    await ask(town)
    await ask(town)
    await limit(town, pictures=9)
    assert await free_held(town.house) == 0
    [held] = [job for job in await jobs(town) if job.hold]
    assert "the personal budget for March is used up" in held.held_why
    assert "An admin can raise it" in held.held_why
    await limit(town, scope="person", key="Mia")
    assert await free_held(town.house) == 1


async def test_a_held_job_can_be_cancelled_and_takes_nothing(town: Town) -> None:
    await limit(town, pictures=0)
    card = await ask(town)
    await town.say(Cancel(job=card.subject.removeprefix("job:")))
    assert await counters(town) == (0, 0, 0, 0)
    assert await free_held(town.house) == 0


async def test_two_replicas_that_free_at_once_free_each_job_once(town: Town) -> None:
    await limit(town, pictures=0)
    for _ in range(6):
        await ask(town)
    await limit(town, pictures=4)
    freed = await asyncio.gather(*(free_held(town.house) for _ in range(3)))
    assert sum(freed) == 4
    assert await counters(town) == (0, 4, 0, 0)
    assert len(await events(town, "job.freed")) == 4


async def test_a_lowered_limit_holds_what_has_not_begun(town: Town) -> None:
    for _ in range(4):
        await ask(town)
    await limit(town, pictures=2)
    await town.settle()
    assert await counters(town) == (2, 0, 1000, 0)
    assert [bool(job.hold) for job in await jobs(town)] == [False, False, True, True]


class CancelledMeanwhile(RenderingWorker):
    """Somebody cancels what it has just claimed and is about to hold."""

    by: Actor

    async def _hold(self, job: Job, kit: BrandKit, budget: Budget) -> None:
        assert self._house.door is not None
        await self._house.door.dispatch(Cancel(job=job.id), self.by)
        await super()._hold(job, kit, budget)


async def test_a_job_cancelled_before_it_is_held_does_not_stop_the_worker(town: Town) -> None:
    await ask(town)
    await limit(town, pictures=0)
    worker = CancelledMeanwhile(town.house, "one")
    worker.by = town.actor("mia")
    assert await worker.run_one()
    assert [job.state for job in await jobs(town)] == [JobState.CANCELLED]
    assert await counters(town) == (0, 0, 0, 0)


async def test_nothing_that_many_ask_at_once_goes_beyond_the_limit(town: Town) -> None:
    await limit(town, pictures=40)
    await asyncio.gather(*(ask(town) for _ in range(100)))
    every = await jobs(town)
    assert len(every) == 100
    assert sum(not job.hold for job in every) == 40
    assert await counters(town) == (0, 40, 0, 0)


async def test_a_calendar_entry_is_held_too_and_its_owner_is_told(town: Town) -> None:
    await limit(town, pictures=0)
    calendar = Actor(platform="calendar", user="calendar", name="Calendar")
    caller = Caller(person=town.people["mia"], actor=calendar)
    async with town.house.store.write() as tx:
        brief = Brief(words="innovation")
        await queue_for_slot(town.house, tx, caller, town.kit, brief, new_id())
    await town.settle()
    [job] = await jobs(town)
    assert job.hold == "brand:acme:acme"
    [told] = [card for card in town.chat.shown("@mia") if "calendar" in card.title]
    assert told.title == "A calendar entry of Acme waits: innovation"
    assert told.lines[0].startswith("Held: ")
