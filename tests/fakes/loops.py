"""The loops of a worker, at work in a test."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Protocol


class Runs(Protocol):
    """A loop: renders, publishes, sends or paints until it is told to stop."""

    async def run(self, stop: asyncio.Event) -> None:
        """Work until then."""
        ...


@asynccontextmanager
async def looping(loops: Sequence[Runs]) -> AsyncIterator[None]:
    """All of them while the block runs. A loop that breaks breaks the test."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        for loop in loops:
            tasks.create_task(loop.run(stop))
        try:
            yield
        finally:
            stop.set()
