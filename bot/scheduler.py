"""The clock that ticks: APScheduler calls the use cases that only need the time to pass.

It holds no truth of its own (its job store is memory): what is due stands in the records, so a
tick that was missed, doubled or run on two machines at once changes nothing.
"""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.core.house import House
from bot.core.reviewing import expire_overdue

log = logging.getLogger(__name__)

TICK_S = 20


@asynccontextmanager
async def ticking(house: House) -> AsyncIterator[None]:
    """Tick while the block runs."""
    scheduler = AsyncIOScheduler(timezone="UTC")
    scheduler.add_job(
        _quietly(lambda: expire_overdue(house)),
        "interval",
        seconds=TICK_S,
        id="expire-reviews",
        coalesce=True,
        max_instances=1,
        misfire_grace_time=None,  # the default of 1 s would drop ticks on a busy machine
    )
    scheduler.start()
    try:
        yield
    finally:
        scheduler.shutdown(wait=False)


def _quietly(work: Callable[[], Awaitable[int]]) -> Callable[[], Awaitable[None]]:
    async def tick() -> None:
        done = await work()
        if done:
            log.info("%s reviews expired", done, extra={"action": "reviews.expired"})

    return tick
