"""Waiting in tests for what happens in another task or thread."""

import asyncio
import inspect
import threading
import time
from collections.abc import Callable

STEP_S = 0.01
ENOUGH_S = 60.0
"""For whatever a test waits for, on any machine: only a failure takes so long."""


async def until(condition: Callable[[], object], within_s: float = ENOUGH_S) -> None:
    """Return once `condition`, which may be awaitable, holds; TimeoutError if it never does.

    For state that nothing tells of; where an event can, wait for the event.
    """
    async with asyncio.timeout(within_s):
        while not await _value(condition()):  # noqa: ASYNC110 - it watches state that has no event
            await asyncio.sleep(STEP_S)


async def happened(event: threading.Event, within_s: float = ENOUGH_S) -> None:
    """Return once another thread has set the event; TimeoutError if it never does."""
    if not await asyncio.to_thread(event.wait, within_s):
        raise TimeoutError("it never came about")


def wait_until(condition: Callable[[], object], within_s: float = ENOUGH_S) -> None:
    """As `until`, for a thread that has no event loop."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("it never came about")
        time.sleep(STEP_S)


async def _value(found: object) -> object:
    return await found if inspect.isawaitable(found) else found
