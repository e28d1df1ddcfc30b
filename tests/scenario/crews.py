"""Asking for jobs in scenarios, and waiting for crews that work on several at once."""

import asyncio

from bot.core.commands import Imagine
from bot.core.jobs import Job
from bot.core.lives import JobState
from brand.spec import RenderRequest
from brand.templates import Brief
from tests.fakes.town import Town
from tests.fakes.waiting import ENOUGH_S, until


class Gate:
    """Holds every render until it is opened, and knows which ones stand at it."""

    def __init__(self, town: Town) -> None:
        self.waiting: list[RenderRequest] = []
        self._came = asyncio.Condition()
        self._open = asyncio.Event()
        town.renderer.before_picture = self.hold

    async def hold(self, request: RenderRequest) -> None:
        async with self._came:
            self.waiting.append(request)
            self._came.notify_all()
        await self._open.wait()

    async def holds(self, count: int) -> None:
        """Return once so many renders stand here."""
        async with asyncio.timeout(ENOUGH_S), self._came:
            await self._came.wait_for(lambda: len(self.waiting) == count)

    def open(self) -> None:
        self._open.set()


async def all_are(town: Town, state: JobState) -> None:
    """Return once every job is in this state. Whoever changes a job signals it."""
    async with asyncio.timeout(ENOUGH_S), town.house.signals.subscribe() as changes:
        while not all(job.state is state for job in await jobs(town)):
            await anext(changes)


async def driven_to(town: Town, *states: JobState) -> None:
    """Drive the clock until every job is in one of these states."""

    async def are_there() -> bool:
        await town.clock.advance(2)
        return all(job.state in states for job in await jobs(town))

    await until(are_there, within_s=ENOUGH_S)


async def ask(town: Town, words: str = "a red mug", who: str = "mia", **brief: object) -> None:
    await town.say(Imagine(brief=Brief(words=words, **brief)), who)  # type: ignore[arg-type]


async def jobs(town: Town) -> list[Job]:
    async with town.house.store.read() as tx:
        return sorted(await tx.jobs.recent(limit=100), key=lambda job: job.created_at)


async def settled_in_time(town: Town) -> None:
    """Work everything off while the time goes on."""
    settling = asyncio.create_task(town.settle())

    async def has_ended() -> bool:
        await town.clock.advance(2)
        return settling.done()

    await until(has_ended, within_s=ENOUGH_S)
    await settling
