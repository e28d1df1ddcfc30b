"""A clock that stands still until a test drives it."""

import asyncio
import heapq
import itertools
from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
"""A Monday morning."""
_ROUNDS = 20
"""Turns of the event loop that woken tasks get before time moves on."""


class DrivenClock:
    """The Clock port. `sleep` returns when `advance` has driven the time past its end.

    clock = DrivenClock()
    task = asyncio.create_task(ticker(clock))
    await clock.advance(60)
    """

    def __init__(self, start: datetime = START) -> None:
        self._now = start
        self._sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()

    def now(self) -> datetime:
        """Aware UTC."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock was driven that far."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken = asyncio.get_running_loop().create_future()
        until = self._now + timedelta(seconds=seconds)
        heapq.heappush(self._sleepers, (until, next(self._numbers), woken))
        await woken

    @property
    def sleeping(self) -> int:
        """How many tasks wait for this clock."""
        return sum(not woken.done() for _, _, woken in self._sleepers)

    async def advance(self, seconds: float) -> None:
        """Drive the time on. Sleepers wake in order, each at its own time."""
        await self.advance_to(self._now + timedelta(seconds=seconds))

    async def advance_to(self, end: datetime) -> None:
        """As `advance`, to a point in time."""
        await self._settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            until, _, woken = heapq.heappop(self._sleepers)
            self._now = max(self._now, until)  # after a jump they are late, as in life
            if not woken.done():
                woken.set_result(None)
                await self._settle()
        self._now = end
        await self._settle()

    def jump(self, seconds: float) -> None:
        """Move the time on without waking anyone: what a stopped machine sees afterwards."""
        self._now += timedelta(seconds=seconds)

    async def _settle(self) -> None:
        for _ in range(_ROUNDS):
            await asyncio.sleep(0)
