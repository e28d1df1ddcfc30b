"""Waiting in tests for what happens in another task or thread."""

import asyncio
import time
from collections.abc import Callable

STEP_S = 0.01


async def until(condition: Callable[[], object], within_s: float = 10.0) -> None:
    """Return once `condition` holds; TimeoutError if it never does."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - it watches state that has no event
            await asyncio.sleep(STEP_S)


def wait_until(condition: Callable[[], object], within_s: float = 60.0) -> None:
    """The same for a thread that has no event loop."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("it never came about")
        time.sleep(STEP_S)
