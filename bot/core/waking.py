"""The loops that work things off, and how they wait: until something is signalled, a while has
passed, or they shall stop."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import ClassVar

from bot.core.house import House
from bot.core.ports import Signals


class Loop(ABC):
    """Does one thing after another for as long as there is something to do."""

    topic: ClassVar[str]
    """The signal that wakes it."""
    poll_s: ClassVar[float]
    """A lost signal costs at most this many seconds."""

    def __init__(self, house: House, name: str) -> None:
        self._house = house
        self._name = name

    @abstractmethod
    async def run_one(self) -> bool:
        """Do one thing; False if there is nothing to do."""

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set."""
        house = self._house
        async with _woken(house.signals, self.topic) as awake:
            while not stop.is_set():
                awake.clear()
                if await self.run_one():
                    continue
                await first_of(stop.wait(), awake.wait(), house.clock.sleep(self.poll_s))


async def first_of(*waits: Awaitable[object]) -> None:
    """Return when the first one is done; the others are cancelled."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def _woken(signals: Signals, topic: str) -> AsyncIterator[asyncio.Event]:
    awake = asyncio.Event()

    async def pump() -> None:
        async with signals.subscribe(topic) as stream:
            async for _ in stream:
                awake.set()

    task = asyncio.create_task(pump())
    try:
        yield awake
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
