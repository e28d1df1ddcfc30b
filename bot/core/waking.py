"""The loops that work things off, and how they wait: until something is signalled, a while has
passed, or they shall stop."""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import ClassVar

from bot.core.errors import Conflict, Unavailable
from bot.core.house import House
from bot.core.ports import Signals

log = logging.getLogger(__name__)

RENEWALS = 3  # in the time of a lease: two may be late before it is lost


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
        """Work until `stop` is set. A store that does not answer is waited for."""
        house = self._house
        async with _woken(house.signals, self.topic) as awake:
            while not stop.is_set():
                awake.clear()
                try:
                    worked = await self.run_one()
                except Unavailable:
                    log.exception("%s waits for the house to answer", self._name)
                    await first_of(stop.wait(), house.clock.sleep(self.poll_s))
                    continue
                if not worked:
                    await first_of(stop.wait(), awake.wait(), house.clock.sleep(self.poll_s))


@asynccontextmanager
async def renewed(house: House, renew: Callable[[], Awaitable[object]]) -> AsyncIterator[None]:
    """Call `renew` several times a lease while the block runs; a lease that is lost stays so."""

    async def keep() -> None:
        while True:
            await house.clock.sleep(house.lease.total_seconds() / RENEWALS)
            try:
                await renew()
            except Unavailable:
                log.exception("A lease could not be renewed")
            except Conflict:
                return

    task = asyncio.create_task(keep())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


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
