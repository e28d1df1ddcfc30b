"""Writers in turn: first come, first served, and never one inside another."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turns:
    """One writer at a time in this process."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._holder: asyncio.Task[object] | None = None

    @asynccontextmanager
    async def mine(self) -> AsyncIterator[None]:
        """Wait for the turn and keep it for the block. Raises RuntimeError inside a turn."""
        task = asyncio.current_task()
        if task is not None and self._holder is task:
            raise RuntimeError(
                "A write inside a write would wait for itself: pass the transaction on."
            )
        async with self._lock:
            self._holder = task
            try:
                yield
            finally:
                self._holder = None
