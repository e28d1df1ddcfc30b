"""Open event streams. Each waits for the stop of all, so that none holds up a shutdown."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress

from bot.core.ports import Signal


class Streams:
    """How many streams are open, and the one switch that ends them."""

    def __init__(self) -> None:
        self._stop: asyncio.Event | None = None
        self._stopped = False
        self.open = 0
        self._waiting = Counter[str]()

    @contextmanager
    def waiting(self, job_id: str) -> Iterator[None]:
        """A client waits for this job within the block."""
        self._waiting[job_id] += 1
        try:
            yield
        finally:
            self._waiting[job_id] -= 1
            if not self._waiting[job_id]:
                del self._waiting[job_id]

    def others_wait(self, job_id: str) -> bool:
        """Whether more than one client waits for this job in this process."""
        return self._waiting[job_id] > 1

    def stop(self) -> None:
        """End every stream now, and those that would begin. Call it from the event loop's
        thread, before the server waits for its connections."""
        self._stopped = True
        if self._stop is not None:
            self._stop.set()

    async def until_stopped(
        self, signals: AsyncIterator[Signal], *, every_s: float
    ) -> AsyncIterator[Signal | None]:
        """The signals until the stop; None whenever `every_s` seconds went by without one."""
        if self._stop is None:
            self._stop = asyncio.Event()
        if self._stopped:
            return
        self.open += 1
        stop = asyncio.create_task(self._stop.wait())
        following: asyncio.Task[Signal | None] | None = None
        try:
            while not stop.done():
                following = following or asyncio.create_task(_next(signals))
                await asyncio.wait(
                    {stop, following}, timeout=every_s, return_when=asyncio.FIRST_COMPLETED
                )
                if stop.done():
                    return
                if not following.done():
                    yield None
                    continue
                signal = following.result()
                if signal is None:
                    return
                following = None
                yield signal
        finally:
            self.open -= 1
            for task in (stop, following):
                if task is not None:
                    task.cancel()
                    with suppress(asyncio.CancelledError):
                        await task


async def _next(signals: AsyncIterator[Signal]) -> Signal | None:
    return await anext(signals, None)
