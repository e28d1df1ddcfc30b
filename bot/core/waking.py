"""How the loops wait: until something is signalled, a while has passed, or they shall stop."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from bot.core.ports import Clock, Signals


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


async def work_loop(
    step: Callable[[], Awaitable[bool]],
    *,
    stop: asyncio.Event,
    signals: Signals,
    topic: str,
    clock: Clock,
    poll_s: float,
) -> None:
    """Call `step` until it finds nothing to do, then wait for `topic` or `poll_s` seconds.

    A lost signal costs at most `poll_s`. Ends once `stop` is set.
    """
    async with _woken(signals, topic) as awake:
        while not stop.is_set():
            awake.clear()
            if await step():
                continue
            await first_of(stop.wait(), awake.wait(), clock.sleep(poll_s))
