"""Stopping with grace: nothing new is begun, what runs may end, and a second signal ends it now.

What does not end in time is cancelled: a job goes back to the queue, a message that was being sent
is looked up later, a delivery stays in the inbox.
"""

import asyncio
import logging
import signal
from collections.abc import Sequence
from typing import Any

log = logging.getLogger(__name__)

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopping:
    """The way from the first signal to the end. `stop` is set by the first one."""

    def __init__(self, stop: asyncio.Event, *, limit_s: float) -> None:
        self.stop = stop
        self.limit_s = limit_s
        self._now = asyncio.Event()

    def listen(self) -> None:
        """Take the signals over from here on."""
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, self.signalled)

    def signalled(self) -> None:
        """Stop; called again, stop at once."""
        if self.stop.is_set():
            log.warning("Stopping at once", extra={"action": "stop.now"})
            self._now.set()
            return
        log.warning(
            "Stopping; what runs may take %.0f s to end", self.limit_s, extra={"action": "stop"}
        )
        self.stop.set()

    async def until_ended(self, tasks: Sequence[asyncio.Task[None]]) -> None:
        """Wait for `stop`, then for the tasks, which see it themselves; cancel those that do not
        end in time. A task that dies takes the process down, so that it is seen."""
        stopped = asyncio.create_task(self.stop.wait())
        await asyncio.wait([stopped, *tasks], return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        died = [task for task in tasks if task.done() and not self.stop.is_set()]
        self.stop.set()
        await self.within_limit(tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for task in died:
            if not task.cancelled() and (failed := task.exception()):
                raise failed

    async def within_limit(self, tasks: Sequence[asyncio.Task[None]]) -> None:
        """Wait for these until the limit or the second signal."""
        clock = asyncio.get_running_loop().time
        now: asyncio.Future[Any] = asyncio.ensure_future(self._now.wait())
        left: set[asyncio.Future[Any]] = set(tasks)
        end = clock() + self.limit_s
        while left and not now.done() and clock() < end:
            done, _ = await asyncio.wait(
                {now, *left}, timeout=end - clock(), return_when=asyncio.FIRST_COMPLETED
            )
            left -= done
        now.cancel()
