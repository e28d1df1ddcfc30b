"""Pausing jobs: in the queue, in the middle of a render, for too long; and who may."""

import asyncio
from datetime import timedelta

from bot.core.commands import Cancel, PauseJob, ResumeJob
from bot.core.crew import RenderingCrew
from bot.core.jobs import PAUSED_AT_MOST, Job
from bot.core.lives import JobState
from bot.core.pausing import TOO_LONG, give_up_paused
from bot.core.rendering import RenderingWorker
from bot.core.telling import current_job_card
from tests.fakes.town import Town
from tests.fakes.waiting import until
from tests.scenario.crews import ask, jobs


async def only(town: Town) -> Job:
    [job] = await jobs(town)
    return job


async def paused_in_the_service(town: Town, renders: int = 1) -> None:
    await until(lambda: len(town.renderer.paused) == renders)


async def begun(town: Town) -> None:
    await until(lambda: len(town.renderer.requests) > 0)


async def test_a_paused_job_is_not_taken_until_it_is_resumed(town: Town) -> None:
    await ask(town)
    card = await town.say(PauseJob())
    assert card.state == "paused"
    assert card.status == "Paused. It waits until it is resumed, for 24 hours at most."
    assert [button.label for button in card.buttons] == ["Resume", "Cancel"]
    await town.settle()
    assert town.renderer.requests == []
    card = await town.say(ResumeJob())
    assert "next in line" in card.status
    assert [button.label for button in card.buttons] == ["Pause", "Cancel"]
    await town.settle()
    assert (await only(town)).state is JobState.DONE


async def test_saying_it_twice_changes_nothing_and_an_ended_job_refuses(town: Town) -> None:
    await ask(town)
    job = await only(town)
    await town.say(PauseJob(job=job.id))
    once = await only(town)
    await town.say(PauseJob(job=job.id))
    assert await only(town) == once
    await town.say(Cancel(job=job.id))
    for command in (PauseJob(job=job.id), ResumeJob(job=job.id)):
        card = await town.say(command)
        assert card.kind == "error"
        assert "cancelled already" in card.lines[0]


async def test_who_may_cancel_may_pause_and_nobody_else(town: Town) -> None:
    await ask(town, who="ana")
    job = await only(town)
    assert (await town.say(PauseJob(job=job.id), "mia")).kind == "error"
    assert not (await only(town)).is_paused
    assert (await town.say(PauseJob(job=job.id), "ben")).kind == "job"
    assert (await only(town)).is_paused


async def test_one_that_is_rendered_waits_with_its_lease_kept_and_goes_on(town: Town) -> None:
    reached = asyncio.Event()

    async def hold(_: object) -> None:
        await reached.wait()

    town.renderer.before_picture = hold
    await ask(town)
    work = asyncio.create_task(RenderingWorker(town.house, "w").run_one())
    await begun(town)
    card = await town.say(PauseJob())
    assert card.status.startswith("Paused while it was rendered.")
    await paused_in_the_service(town)
    reached.set()
    job = await only(town)
    live = town.house.live.get(job.id)
    assert live is not None
    assert (live.paused, live.eta_s) == (True, None)

    began = job.lease_until
    assert began

    async def renewed() -> bool:
        await town.clock.advance(1)
        lasts = (await only(town)).lease_until
        return lasts is not None and lasts > began + 5 * town.house.lease

    await until(renewed)
    assert not work.done()
    kept = await only(town)
    assert (kept.state, kept.worker, kept.fence) == (JobState.RENDERING, "w", job.fence)
    await town.say(ResumeJob())
    await work
    assert (await only(town)).state is JobState.DONE
    assert len(town.renderer.requests) == 1


async def test_others_have_the_places_of_what_is_paused(town: Town) -> None:
    await ask(town)
    first = await only(town)
    stop = asyncio.Event()
    gate = asyncio.Event()
    town.renderer.before_picture = lambda _: gate.wait()
    crew = asyncio.create_task(RenderingCrew(town.house, "w", jobs=1).run(stop))
    await begun(town)
    await town.say(PauseJob(job=first.id))
    await paused_in_the_service(town)
    gate.set()
    await ask(town, "a blue chair", who="ana")

    async def done() -> bool:
        await town.clock.advance(1)
        return JobState.DONE in [job.state for job in await jobs(town)]

    await until(done)
    states = {job.id: job.state for job in await jobs(town)}
    assert states.pop(first.id) is JobState.RENDERING
    assert list(states.values()) == [JobState.DONE]
    await town.say(ResumeJob(job=first.id))

    async def all_done() -> bool:
        await town.clock.advance(1)
        return {job.state for job in await jobs(town)} == {JobState.DONE}

    await until(all_done)
    stop.set()
    await town.clock.advance(5)
    await crew


async def test_a_worker_that_stops_leaves_the_job_paused_in_the_queue(town: Town) -> None:
    await ask(town)
    work = asyncio.create_task(RenderingWorker(town.house, "w").run_one())
    town.renderer.before_picture = lambda _: asyncio.Event().wait()
    await begun(town)
    await town.say(PauseJob())
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    job = await only(town)
    assert (job.state, job.is_paused) == (JobState.QUEUED, True)
    assert not await RenderingWorker(town.house, "w2").run_one()


async def test_what_is_paused_for_a_day_is_cancelled_with_the_reason(town: Town) -> None:
    await ask(town)
    await town.say(PauseJob())
    await town.clock.advance_to(town.clock.now() + PAUSED_AT_MOST - timedelta(minutes=1))
    assert await give_up_paused(town.house) == 0
    await town.clock.advance_to(town.clock.now() + timedelta(minutes=1))
    assert await give_up_paused(town.house) == 1
    assert await give_up_paused(town.house) == 0
    job = await only(town)
    assert (job.state, job.error) == (JobState.CANCELLED, TOO_LONG)
    async with town.house.store.read() as tx:
        card = await current_job_card(tx, job, town.kit)
        [event] = [e for e in await tx.ledger.recent(limit=100) if e.action == "job.cancelled"]
    assert card.status == f"Cancelled. {TOO_LONG} Nothing was posted."
    assert event.actor == "system"
