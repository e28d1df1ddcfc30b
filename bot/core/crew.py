"""Several jobs at once: the engine renders rows of many pictures in one batch, so it wants them."""

import asyncio
import logging

from bot.core.house import House
from bot.core.jobs import INTERACTIVE, OVERNIGHT
from bot.core.ports import Signal
from bot.core.rendering import Claimed, RenderingWorker

log = logging.getLogger(__name__)

JOBS = 6
INTERACTIVE_ONLY = 3
"""One of so many places is never taken by overnight work: whoever waits at a screen comes
first."""


class RenderingCrew(RenderingWorker):
    """A worker with several jobs in hand."""

    def __init__(self, house: House, name: str, *, jobs: int = JOBS) -> None:
        super().__init__(house, name)
        self._jobs = jobs
        self._overnight = max(1, jobs - jobs // INTERACTIVE_ONLY)
        self._running: dict[asyncio.Task[None], Claimed] = {}

    @property
    def in_hand(self) -> int:
        """How many jobs it works on while it claims another one."""
        return sum(not task.done() for task in self._running)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set and what is in hand has ended; cancelled, all of it goes back
        to the queue. Raises what a job could not deal with itself, once all others have ended."""
        try:
            await super().run(stop)
            if self._running:
                await asyncio.wait(self._running)
            self._reap()
        finally:
            for task in self._running:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)
            self._running.clear()

    async def run_one(self) -> bool:
        """Take one job in hand; False without room for it or without one."""
        self._reap()
        beside = [claimed for claimed in self._running.values() if not self._waits(claimed)]
        if len(self._running) >= 2 * self._jobs:
            return False
        if len(beside) >= self._jobs or any(claimed.is_suspect for claimed in beside):
            return False
        overnight = sum(claimed.job.priority < INTERACTIVE for claimed in beside)
        least = OVERNIGHT if overnight < self._overnight else INTERACTIVE
        claimed = await self.claim(least=least)
        if claimed is None:
            return False
        task = asyncio.create_task(self.work_off(claimed))
        self._running[task] = claimed
        task.add_done_callback(lambda _: self._wake())
        return True

    def _waits(self, claimed: Claimed) -> bool:
        """Whether it is paused: others have its place meanwhile."""
        live = self._house.live.get(claimed.job.id)
        return live is not None and live.paused

    def _reap(self) -> None:
        """Let go of all jobs that ended. Raises what one of them could not deal with itself; what
        others could not is in the log."""
        ended = [task for task in self._running if task.done()]
        for task in ended:
            del self._running[task]
        # One that was cancelled has given its job back.
        ends = [task.exception() for task in ended if not task.cancelled()]
        failed = [exc for exc in ends if exc is not None]
        for exc in failed[1:]:
            log.error("Another job could not be ended", exc_info=exc)
        if failed:
            raise failed[0]

    def _wake(self) -> None:
        self._house.signals.publish(Signal(topic=self.topic, kind="room", data={}))
