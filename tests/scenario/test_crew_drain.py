"""A crew that is told to stop: one job's trouble takes no other one along."""

import asyncio

import pytest

from bot.core.commands import Imagine
from bot.core.crew import RenderingCrew
from bot.core.errors import Unavailable
from bot.core.jobs import Job
from bot.core.lives import JobState
from brand.kit import BrandKit
from brand.spec import RenderRequest
from brand.templates import Brief
from tests.fakes.town import Town
from tests.fakes.waiting import ENOUGH_S, until


class Stop(asyncio.Event):
    """Tells whoever sets it that it was seen: from then on the crew takes no more jobs."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = asyncio.Event()

    def is_set(self) -> bool:
        """As ever."""
        if found := super().is_set():
            self.seen.set()
        return found


async def job_of(town: Town, words: str) -> Job:
    async with town.house.store.read() as tx:
        return next(job for job in await tx.jobs.recent(limit=10) if job.brief.words == words)


async def rendering_two(
    town: Town, began: list[str]
) -> tuple[RenderingCrew, Stop, asyncio.Task[None]]:
    """A crew with a mug and a hat in hand, what stops it, and its run."""
    for words in ("a mug", "a hat"):
        await town.say(Imagine(brief=Brief(words=words)))
    crew, stop = RenderingCrew(town.house, "c"), Stop()
    task = asyncio.create_task(crew.run(stop))
    await until(lambda: len(began) == 2)
    return crew, stop, task


async def test_what_a_stopped_crew_has_in_hand_ends_though_one_job_can_t_be_stored(
    town: Town,
) -> None:
    """Before, the first error cancelled all others in the middle of their renders."""
    mug_may_end, hat_may_end = asyncio.Event(), asyncio.Event()
    began: list[str] = []
    real = town.studio.check

    async def held(request: RenderRequest) -> None:
        began.append(request.spec.prompt)
        await (mug_may_end if "mug" in request.spec.prompt else hat_may_end).wait()

    async def check(png: bytes, spec: object, kit: BrandKit, known: object) -> object:
        if "mug" in spec.prompt:  # type: ignore[attr-defined]
            raise Unavailable("the database is away")
        return await real(png, spec, kit, known)  # type: ignore[arg-type]

    town.renderer.before_picture = held
    town.studio.check = check  # type: ignore[method-assign, assignment]
    crew, stop, task = await rendering_two(town, began)
    stop.set()
    await asyncio.wait_for(stop.seen.wait(), ENOUGH_S)
    mug_may_end.set()
    await until(lambda: crew.in_hand == 1)
    assert not task.done(), "the hat is in hand yet"
    hat_may_end.set()
    with pytest.raises(Unavailable, match="away"):
        await asyncio.wait_for(task, ENOUGH_S)
    assert (await job_of(town, "a hat")).state is JobState.DONE
    assert (await job_of(town, "a mug")).state is JobState.CHECKING, "its lease runs out"
    assert not town.renderer.cancelled


async def test_every_job_that_could_not_be_ended_is_told_of(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    may_end, began = asyncio.Event(), list[str]()

    async def held(request: RenderRequest) -> None:
        began.append(request.spec.prompt)
        await may_end.wait()

    async def check(*_: object) -> object:
        raise Unavailable("the database is away")

    town.renderer.before_picture = held
    town.studio.check = check  # type: ignore[method-assign, assignment]
    _, stop, task = await rendering_two(town, began)
    stop.set()
    may_end.set()
    with pytest.raises(Unavailable):
        await asyncio.wait_for(task, ENOUGH_S)
    assert "Another job could not be ended" in caplog.text
