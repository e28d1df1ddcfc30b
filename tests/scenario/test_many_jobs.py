"""Several jobs and pictures at once: all of them fed to the engine, each ending on its own."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest

from bot.core.commands import Cancel, Imagine
from bot.core.crew import RenderingCrew
from bot.core.errors import Unavailable
from bot.core.jobs import INTERACTIVE, OVERNIGHT, Job
from bot.core.lives import JobState
from bot.core.rendering import MAX_STARTS, SUSPECT, RenderingWorker
from brand.spec import Picture, Progress, RenderFailed, RenderRequest, RenderUnavailable
from brand.templates import Brief
from tests.fakes.renderer import FakeRenderer
from tests.fakes.town import Town


class Gate:
    """Holds every render until it is opened, and knows which ones stand at it."""

    def __init__(self, town: Town) -> None:
        self.waiting: list[RenderRequest] = []
        self._open = asyncio.Event()
        town.renderer.before_picture = self.hold

    async def hold(self, request: RenderRequest) -> None:
        self.waiting.append(request)
        await self._open.wait()

    def open(self) -> None:
        self._open.set()


async def until(true: Callable[[], bool]) -> None:
    """Let other tasks run until it is so."""
    for _ in range(2000):
        if true():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("it never came to be")


async def all_are(town: Town, state: JobState) -> None:
    """Let other tasks run until every job is in this state."""
    for _ in range(2000):
        if all(job.state is state for job in await jobs(town)):
            return
        await asyncio.sleep(0.002)
    raise AssertionError("they never came to be")


async def ask(town: Town, words: str = "a red mug", who: str = "mia", **brief: object) -> None:
    await town.say(Imagine(brief=Brief(words=words, **brief)), who)  # type: ignore[arg-type]


async def jobs(town: Town) -> list[Job]:
    async with town.house.store.read() as tx:
        return sorted(await tx.jobs.recent(limit=100), key=lambda job: job.created_at)


async def test_all_pictures_of_a_job_are_rendered_side_by_side(town: Town) -> None:
    gate = Gate(town)
    await ask(town, n=3)
    work = asyncio.create_task(RenderingWorker(town.house, "w").run_one())
    await until(lambda: len(gate.waiting) == 3)
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
    await until(lambda: len(gate.waiting) == 4)
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
    await until(lambda: len(gate.waiting) == 4)
    for _ in range(3):
        await ask(town, "a blue hat")
    await until(lambda: len(gate.waiting) == 6)
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
    await until(lambda: len(gate.waiting) == 2)
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
    await until(lambda: len(gate.waiting) == 2)
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
    await until(lambda: len(gate.waiting) == 2)
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
    while (await jobs(town))[0].state is not JobState.DONE:
        await town.clock.advance(2)
        await asyncio.sleep(0.002)
    stop.set()
    await task


async def test_a_job_over_which_the_service_dies_again_and_again_is_given_up(town: Town) -> None:
    def die(_: RenderRequest) -> None:
        raise RenderUnavailable("it died")

    town.renderer.before_picture = die
    await ask(town)
    worker = RenderingWorker(town.house, "w")
    for _ in range(MAX_STARTS):
        assert await worker.run_one()
        assert (await jobs(town))[0].state is JobState.QUEUED
    assert await worker.run_one()
    [job] = await jobs(town)
    assert job.state is JobState.FAILED
    assert "never finished" in job.error


class Deadly:
    """A service that dies, with all that runs in it, whenever it makes the picture of one seed.
    A picture of another seed is done once nothing else runs beside it."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._dead = asyncio.Event()
        self._runs: set[str] = set()
        self.deaths: list[int] = []
        """How many pictures it took along, each time."""

    @property
    def _lonely(self) -> bool:
        """Whether one picture alone runs, after all six have run twice."""
        return len(self._runs) == 1 and len(self.deaths) >= SUSPECT

    async def render(self, request: RenderRequest) -> AsyncIterator[Progress | Picture]:
        """As the port."""
        self._runs.add(request.render_id)
        dead = self._dead
        yield Progress(done=1, total=2)
        if request.spec.seed == self._seed:
            await until(lambda: len(self._runs) == 6 or self._lonely)
            self.deaths.append(len(self._runs))
            self._runs.clear()
            self._dead = asyncio.Event()
            dead.set()
        await until(lambda: dead.is_set() or self._lonely)
        if dead.is_set():
            raise RenderUnavailable("it died")
        self._runs.discard(request.render_id)
        async for event in FakeRenderer().render(request):
            yield event


async def test_a_job_that_kills_the_service_is_given_up_without_those_beside_it(
    town: Town,
) -> None:
    service = Deadly(seed=2)
    town.renderer.render = service.render  # type: ignore[method-assign]
    for seed in range(6):
        await ask(town, f"mug {seed}", seed=seed)
    crew, stop = RenderingCrew(town.house, "c"), asyncio.Event()
    task = asyncio.create_task(crew.run(stop))
    for _ in range(2000):
        if all(job.state in (JobState.DONE, JobState.FAILED) for job in await jobs(town)):
            break
        await town.clock.advance(2)
        await asyncio.sleep(0.002)
    stop.set()
    await task
    states = {job.items[0].spec.seed: job.state for job in await jobs(town)}
    assert states == {seed: JobState.FAILED if seed == 2 else JobState.DONE for seed in range(6)}
    assert service.deaths == [6] * SUSPECT + [1] * (MAX_STARTS - SUSPECT)


async def test_a_suspect_waits_until_all_else_in_hand_is_done_and_nothing_joins_it(
    town: Town,
) -> None:
    gates = {seed: asyncio.Event() for seed in range(3)}
    begun: list[int] = []

    async def hold(request: RenderRequest) -> None:
        begun.append(request.spec.seed)
        await gates[request.spec.seed].wait()

    town.renderer.before_picture = hold
    for seed in gates:
        await ask(town, f"mug {seed}", seed=seed)
    async with town.house.store.write() as tx:
        suspect = next(j for j in await tx.jobs.unfinished() if j.items[0].spec.seed == 1)
        await tx.jobs.update(replace(suspect, starts=SUSPECT), was=suspect)
    crew, stop = RenderingCrew(town.house, "c"), asyncio.Event()
    task = asyncio.create_task(crew.run(stop))
    for seed in gates:
        await until(lambda seed=seed: begun[seed:] == [seed])  # type: ignore[misc]
        await asyncio.sleep(0.05)
        assert begun == list(range(seed + 1))
        gates[seed].set()
    await all_are(town, JobState.DONE)
    stop.set()
    await task


async def test_a_job_that_only_waited_there_when_the_service_died_did_not_start(
    town: Town,
) -> None:
    async def render(_: RenderRequest) -> AsyncIterator[Progress | Picture]:
        yield Progress(done=0, total=0, place=3)
        raise RenderUnavailable("it died")

    town.renderer.render = render  # type: ignore[method-assign]
    await ask(town)
    assert await RenderingWorker(town.house, "w").run_one()
    [job] = await jobs(town)
    assert (job.state, job.starts) == (JobState.QUEUED, 0)


@pytest.mark.parametrize("times", [3 * MAX_STARTS])
async def test_orderly_returns_to_the_queue_are_no_failed_starts(town: Town, times: int) -> None:
    await ask(town)
    town.renderer.failures = [RenderUnavailable("nothing listens")] * times
    worker = RenderingWorker(town.house, "w")
    for _ in range(times):
        assert await worker.run_one()
    assert await worker.run_one()
    [job] = await jobs(town)
    assert (job.state, job.starts) == (JobState.DONE, 0)


async def test_a_crash_while_checking_counts_the_same_render_once(town: Town) -> None:
    def crash(*_: object) -> object:
        raise Unavailable("the machine stops here")

    real, town.studio.check = town.studio.check, crash  # type: ignore[method-assign]
    await ask(town)
    worker = RenderingWorker(town.house, "w")
    with pytest.raises(Unavailable):
        await worker.run_one()
    town.studio.check = real  # type: ignore[method-assign]
    town.clock.jump(town.house.lease.total_seconds() + 1)
    assert await worker.run_one()
    [job] = await jobs(town)
    assert (job.state, job.seconds) == (JobState.DONE, 0.5)
    assert len(town.renderer.requests) == 2


async def test_the_longest_wait_and_the_least_place_are_told(town: Town) -> None:
    told = {7: Progress(done=1, total=4, eta_s=9.0, place=2, preview=b"7")}
    told[8] = Progress(done=3, total=4, eta_s=1.0, place=0)
    seen = asyncio.Event()

    async def render(request: RenderRequest) -> AsyncIterator[Progress | Picture]:
        yield told[request.spec.seed]
        await seen.wait()
        async for event in real(request):
            if isinstance(event, Picture):
                yield event

    real, town.renderer.render = town.renderer.render, render  # type: ignore[method-assign]
    await ask(town, n=2, seed=7)
    work = asyncio.create_task(RenderingWorker(town.house, "w").run_one())
    [job] = await jobs(town)
    await until(lambda: getattr(town.house.live.get(job.id), "fraction", 0) == 0.5)
    live = town.house.live.get(job.id)
    assert live is not None
    assert (live.eta_s, live.place, live.preview) == (9.0, 0, b"7")
    seen.set()
    await work
