"""How good the time left is that requests are told: after three steps, in a full queue."""

import asyncio
import statistics
import time

from brand.spec import Progress, RenderError
from generation.engines import Engine
from generation.render_queue import RenderQueue
from tests.benchmarks.engine_parts.flying import ROOM, AsLoaded, Files
from tests.benchmarks.engine_parts.traffic import Arrival

STEPS_SEEN = 3


def eta_error(engine: Engine, arrivals: list[Arrival]) -> float:
    """Median of |told - true| / true seconds left, told after three evaluations of each request."""
    return statistics.median(asyncio.run(_errors(engine, arrivals)))


async def _errors(engine: Engine, arrivals: list[Arrival]) -> list[float]:
    queue = RenderQueue(AsLoaded(engine), Files(None), lambda _: None, ROOM)
    queue.start()
    await queue.loaded.wait()
    try:
        return await asyncio.gather(*(_error(queue, arrival) for arrival in arrivals))
    finally:
        queue.stop()


async def _error(queue: RenderQueue, arrival: Arrival) -> float:
    render, _ = queue.submit(arrival.request)
    told: tuple[float, float] | None = None
    async for event in render.events():
        if isinstance(event, RenderError):
            raise event
        late_enough = isinstance(event, Progress) and event.done >= STEPS_SEEN
        if told is None and late_enough and isinstance(event, Progress) and event.eta_s is not None:
            told = (time.perf_counter(), event.eta_s)
    if told is None:
        raise ValueError("a request was never told how long it would take")
    left = time.perf_counter() - told[0]
    return abs(told[1] - left) / left
