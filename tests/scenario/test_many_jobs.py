"""Several jobs and pictures at once: all of them fed to the engine, each ending on its own."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace

from bot.core.commands import Cancel
from bot.core.crew import RenderingCrew
from bot.core.errors import Unavailable
from bot.core.jobs import INTERACTIVE, OVERNIGHT
from bot.core.live import LiveProgress
from bot.core.lives import JobState
from bot.core.rendering import RenderingWorker
from brand.spec import Picture, Progress, RenderFailed, RenderRequest
from tests.fakes.town import Town
from tests.fakes.waiting import until
from tests.scenario.crews import Gate, all_are, ask, driven_to, jobs


async def test_all_pictures_of_a_job_are_rendered_side_by_side(town: Town) -> None:
    gate = Gate(town)
    await ask(town, n=3)
    work = asyncio.create_task(RenderingWorker(town.house, "w").run_one())
    await gate.holds(3)
    gate.open()
    await work
    [job] = await jobs(town)
    assert job.state is JobState.DONE
    assert [item.index for item in job.items if item.asset] == [0, 1, 2]


async def test_a_request_says_whose_turn_it_takes(town: Town) -> None:
    await ask(town)
    await town.settle()
    assert [r.team for r in town.renderer.requests] == [town.people["mia"].id]


async def test_a_card_shows_the_pictures_progress_in_one(town: Town) -> None:
    gate = Gate(town)
    await ask(town, n=4)
    work = asyncio.create_task(RenderingWorker(town.house, "w").run_one())
    await gate.holds(4)
    [job] = await jobs(town)
    live = town.house.live.get(job.id)
    assert live is not None
    assert (live.fraction, live.pictures) == (1.0, 4)
    gate.open()
    await work
    assert town.house.live.get(job.id) is None


async def test_one_failing_picture_stops_its_siblings_and_the_job_fails_once(town: Town) -> None:
    async def hold(request: RenderRequest) -> None:
        if request.spec.seed == 8:
            raise RenderFailed("the model gave no numbers")
        await asyncio.Event().wait()

    town.renderer.before_picture = hold
    await ask(town, n=3, seed=7)
    await RenderingWorker(town.house, "w").run_one()
    [job] = await jobs(town)
    assert job.state is JobState.FAILED
    assert "no numbers" in job.error
    assert town.renderer.cancelled >= {item.render_id for item in job.items if item.index != 1}


async def test_a_crew_has_several_jobs_in_hand_and_leaves_places_to_who_waits(
    town: Town,
) -> None:
    gate = Gate(town)
    for _ in range(8):
        await ask(town)
    async with town.house.store.write() as tx:
        for job in await tx.jobs.recent(limit=100):
            await tx.jobs.update(replace(job, priority=OVERNIGHT), was=job)
    crew, stop = RenderingCrew(town.house, "c", jobs=6), asyncio.Event()
    task = asyncio.create_task(crew.run(stop))
    await gate.holds(4)
    for _ in range(3):
        await ask(town, "a blue hat")
    await gate.holds(6)
    assert [r.priority for r in gate.waiting] == [OVERNIGHT] * 4 + [INTERACTIVE] * 2
    gate.open()
    await all_are(town, JobState.DONE)
    stop.set()
    await task


async def test_a_stopped_crew_ends_what_it_has_in_hand_and_takes_nothing_new(town: Town) -> None:
    gate = Gate(town)
    for _ in range(3):
        await ask(town)
    crew, stop = RenderingCrew(town.house, "c", jobs=2), asyncio.Event()
    task = asyncio.create_task(crew.run(stop))
    await gate.holds(2)
    stop.set()
    gate.open()
    await task
    states = sorted(job.state.value for job in await jobs(town))
    assert states == ["done", "done", "queued"]


async def test_a_cancelled_crew_gives_everything_back_uncounted(town: Town) -> None:
    gate = Gate(town)
    for _ in range(2):
        await ask(town)
    task = asyncio.create_task(RenderingCrew(town.house, "c").run(asyncio.Event()))
    await gate.holds(2)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    given_back = await jobs(town)
    assert [job.state for job in given_back] == [JobState.QUEUED] * 2
    assert [(job.fence, job.starts) for job in given_back] == [(1, 0)] * 2


async def test_cancelling_one_job_of_a_crew_leaves_the_others(town: Town) -> None:
    gate = Gate(town)
    await ask(town, "a red mug")
    await ask(town, "a blue hat")
    crew, stop = RenderingCrew(town.house, "c"), asyncio.Event()
    task = asyncio.create_task(crew.run(stop))
    await gate.holds(2)
    first, _ = await jobs(town)
    await town.say(Cancel(job=first.id))
    gate.open()
    await until(lambda: not crew.in_hand)
    stop.set()
    await task
    assert [job.state for job in await jobs(town)] == [JobState.CANCELLED, JobState.DONE]


async def test_a_store_that_is_away_stops_no_crew(town: Town) -> None:
    def away(*_: object) -> object:
        raise Unavailable("the database is away")

    real, town.studio.check = town.studio.check, away  # type: ignore[method-assign]
    await ask(town)
    crew, stop = RenderingCrew(town.house, "c"), asyncio.Event()
    task = asyncio.create_task(crew.run(stop))
    await all_are(town, JobState.CHECKING)
    await until(lambda: not crew.in_hand)
    town.studio.check = real  # type: ignore[method-assign]
    town.clock.jump(town.house.lease.total_seconds() + 1)
    await driven_to(town, JobState.DONE)
    stop.set()
    await task


def tell_only(town: Town, told: Mapping[int, Progress], *, after: asyncio.Event) -> asyncio.Event:
    """Pictures tell this by their seeds, the second one `after`; they go on once that is seen."""
    seen = asyncio.Event()

    async def render(request: RenderRequest) -> AsyncIterator[Progress | Picture]:
        if request.spec.seed != min(told):
            await after.wait()
        yield told[request.spec.seed]
        await seen.wait()
        async for event in real(request):
            if isinstance(event, Picture):
                yield event

    real, town.renderer.render = town.renderer.render, render  # type: ignore[method-assign]
    return seen


async def test_the_longest_wait_and_the_least_place_are_told(town: Town) -> None:
    told = {7: Progress(done=1, total=4, eta_s=9.0, place=2, preview=b"7")}
    told[8] = Progress(done=3, total=4, eta_s=1.0, place=0)
    after = asyncio.Event()
    after.set()
    seen = tell_only(town, told, after=after)
    await ask(town, n=2, seed=7)
    work = asyncio.create_task(RenderingWorker(town.house, "w").run_one())
    live = await live_at(town, 0.5)
    assert (live.eta_s, live.place, live.preview) == (9.0, 0, b"7")
    seen.set()
    await work


async def test_what_is_left_runs_down_while_the_slowest_picture_says_nothing(town: Town) -> None:
    told = {
        number: Progress(done=1, total=4, eta_s=9.0 if number == 7 else 1.0) for number in (7, 8)
    }
    after = asyncio.Event()
    seen = tell_only(town, told, after=after)
    await ask(town, n=2, seed=7)
    work = asyncio.create_task(RenderingWorker(town.house, "w").run_one())
    assert (await live_at(town, 0.125)).eta_s == 9.0
    town.clock.jump(3)
    after.set()
    assert (await live_at(town, 0.25)).eta_s == 6.0
    seen.set()
    await work


async def live_at(town: Town, fraction: float) -> LiveProgress:
    """What is told of the only job once it is that far."""
    [job] = await jobs(town)
    await until(lambda: getattr(town.house.live.get(job.id), "fraction", 0) == fraction)
    live = town.house.live.get(job.id)
    assert live is not None
    return live
