"""The clock that ticks: APScheduler calls the use cases that only need the time to pass.

It holds no truth of its own (its job store is memory): what is due stands in the records, so a
tick that was missed, doubled or run on two machines at once changes nothing.
"""

import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.core.access import purge
from bot.core.anchors import anchor_due
from bot.core.freeing import free_held
from bot.core.house import House
from bot.core.pausing import give_up_paused
from bot.core.planning import advance, plan_ahead, post_due
from bot.core.planning_digest import tell_week
from bot.core.pruning import prune_due
from bot.core.reviewing import expire_overdue
from bot.core.trail import check_due

log = logging.getLogger(__name__)

TICK_S = 20


@dataclass(frozen=True, kw_only=True)
class Tick:
    """Work that is looked for again and again.

    It must be safe on several machines at once: the truth is in the records, compared and set.
    """

    name: str
    work: Callable[[House], Awaitable[int]]
    """Does what is due now and returns how much that was."""
    sentence: str
    """What the log says after something was done; {count} is how much."""
    seconds: float = TICK_S


TICKS: tuple[Tick, ...] = (
    Tick(name="expire-reviews", work=expire_overdue, sentence="{count} reviews expired"),
    Tick(name="calendar-plan", work=plan_ahead, sentence="{count} slots planned", seconds=60),
    Tick(name="calendar-advance", work=advance, sentence="{count} slots went on"),
    Tick(name="calendar-post", work=post_due, sentence="{count} slots came due", seconds=5),
    Tick(name="calendar-week", work=tell_week, sentence="{count} weeks told", seconds=60),
    Tick(name="check-ledger", work=check_due, sentence="{count} checks of the ledger", seconds=600),
    Tick(name="prune", work=prune_due, sentence="{count} old things were removed", seconds=600),
    Tick(name="anchor-ledger", work=anchor_due, sentence="{count} anchors of the ledger made"),
    Tick(name="purge-keys", work=purge, sentence="{count} old keys forgotten", seconds=3600),
    Tick(name="give-up-paused", work=give_up_paused, sentence="{count} paused jobs given up"),
    Tick(name="free-held", work=free_held, sentence="{count} held jobs go on"),
)


@asynccontextmanager
async def ticking(house: House, ticks: tuple[Tick, ...] = TICKS) -> AsyncIterator[None]:
    """Tick while the block runs."""
    scheduler = AsyncIOScheduler(timezone="UTC")
    for tick in ticks:
        scheduler.add_job(
            _runner(house, tick),
            "interval",
            seconds=tick.seconds,
            id=tick.name,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,  # the default of 1 s would drop ticks on a busy machine
        )
    scheduler.start()
    try:
        yield
    finally:
        scheduler.shutdown(wait=False)


def _runner(house: House, tick: Tick) -> Callable[[], Awaitable[None]]:
    async def run() -> None:
        began, outcome = time.perf_counter(), "failed"
        try:
            with house.watch.span("tick", tick=tick.name):
                done = await tick.work(house)
            outcome = "done"
        finally:
            house.watch.count("ticks", tick=tick.name, outcome=outcome)
            house.watch.time("tick", time.perf_counter() - began, tick=tick.name)
        if done:
            log.info(tick.sentence.format(count=done), extra={"action": f"tick.{tick.name}"})

    return run
