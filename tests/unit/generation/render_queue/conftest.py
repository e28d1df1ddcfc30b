"""Queues on an engine whose pace a test sets."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest

from brand.spec import (
    RenderRequest,
)
from generation.engines import Engine
from generation.render_queue import RenderQueue
from generation.settings import Limits
from tests.fakes.generation_service import SteppedEngine
from tests.unit.generation.render_queue.asking import NoInputs, Starter, allow


@pytest.fixture
def engine() -> SteppedEngine:
    return SteppedEngine()


@pytest.fixture
async def start(engine: SteppedEngine) -> AsyncIterator[Starter]:
    """Starts queues, on this test's engine if no other is given."""
    started: list[RenderQueue] = []

    async def new_queue(
        check: Callable[[RenderRequest], None] = allow,
        *,
        on: Engine = engine,
        **limits: float,
    ) -> RenderQueue:
        queue = RenderQueue(on, NoInputs(), check, replace(Limits(), **limits))
        started.append(queue)
        queue.start()
        await queue.loaded.wait()
        return queue

    yield new_queue
    for queue in started:
        queue.stop()
