"""The engine behind the service's own queue, fed with the benchmark's traffic."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from brand.spec import Picture, RenderError
from generation.engines import Engine
from generation.render_queue import RenderQueue
from generation.settings import Limits
from tests.benchmarks.engine_parts.traffic import Arrival

ROOM = Limits(queued=10_000, keep_seconds=0)


class Files:
    """The files that requests name, in a folder."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def path(self, sha256: str) -> Path:
        """Where it lies."""
        if self._folder is None:
            raise FileNotFoundError(sha256)
        return self._folder / sha256


def fly(engine: Engine, arrivals: Sequence[Arrival], *, files: Path | None = None) -> list[float]:
    """The seconds each waited from its arrival to its picture."""
    return asyncio.run(_fly(engine, arrivals, Files(files)))


async def _fly(engine: Engine, arrivals: Sequence[Arrival], files: Files) -> list[float]:
    queue = RenderQueue(AsLoaded(engine), files, lambda _: None, ROOM)
    queue.start()
    await queue.loaded.wait()
    began = time.perf_counter()
    try:
        return await asyncio.gather(*(_one(queue, arrival, began) for arrival in arrivals))
    finally:
        queue.stop()


async def _one(queue: RenderQueue, arrival: Arrival, began: float) -> float:
    await asyncio.sleep(began + arrival.at - time.perf_counter())
    # A fresh name each time: the same name would hand out the picture of the run before.
    request = replace(arrival.request, render_id=f"{arrival.request.render_id}-{began:.6f}")
    render, _ = queue.submit(request)
    async for event in render.events():
        if isinstance(event, RenderError):
            raise event
    if not isinstance(render.picture, Picture):
        raise TypeError("the render ended without a picture")
    return time.perf_counter() - began - arrival.at


class AsLoaded:
    """The engine as it is: a queue of its own for each run must not load it again."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __getattr__(self, name: str) -> object:
        return getattr(self._engine, name)

    def load(self) -> None:
        """It is loaded already."""
