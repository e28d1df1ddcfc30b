"""Jobs over which the generation service dies: tried again, suspected, given up alone."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.core.crew import RenderingCrew
from bot.core.errors import Unavailable
from bot.core.lives import JobState
from bot.core.rendering import MAX_STARTS, SUSPECT, RenderingWorker
from brand.spec import Picture, Progress, RenderRequest, RenderUnavailable
from tests.fakes.renderer import FakeRenderer
from tests.fakes.town import Town
from tests.fakes.waiting import ENOUGH_S, until
from tests.scenario.crews import all_are, ask, driven_to, jobs


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
    await driven_to(town, JobState.DONE, JobState.FAILED)
    stop.set()
    await task
    states = {job.items[0].spec.seed: job.state for job in await jobs(town)}
    assert states == {seed: JobState.FAILED if seed == 2 else JobState.DONE for seed in range(6)}
    assert service.deaths == [6] * SUSPECT + [1] * (MAX_STARTS - SUSPECT)


async def test_a_suspect_waits_until_all_else_in_hand_is_done_and_nothing_joins_it(
    town: Town,
) -> None:
    gates = {seed: asyncio.Event() for seed in range(3)}
    begun: asyncio.Queue[int] = asyncio.Queue()

    async def hold(request: RenderRequest) -> None:
        begun.put_nowait(request.spec.seed)
        await gates[request.spec.seed].wait()

    town.renderer.before_picture = hold
    for seed in gates:
        await ask(town, f"mug {seed}", seed=seed)
    async with town.house.store.write() as tx:
        suspect = next(j for j in await tx.jobs.unfinished() if j.items[0].spec.seed == 1)
        await tx.jobs.update(replace(suspect, starts=SUSPECT), was=suspect)
    crew = RenderingCrew(town.house, "c")
    for seed in gates:
        assert await crew.run_one()
        assert not await crew.run_one(), "nothing joins it"
        assert await asyncio.wait_for(begun.get(), ENOUGH_S) == seed
        gates[seed].set()
        await until(lambda: not crew.in_hand)
    await all_are(town, JobState.DONE)
    assert begun.empty()


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
