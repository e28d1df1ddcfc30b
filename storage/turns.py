"""Writers in turn: first come, first served, and never one inside another."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from weakref import WeakSet


class Turns:
    """Writers of this process: one at a time if `alone`, else side by side."""

    def __init__(self, *, alone: bool) -> None:
        self._lock = asyncio.Lock() if alone else None
        self._writing: WeakSet[asyncio.Task[object]] = WeakSet()

    @asynccontextmanager
    async def mine(self) -> AsyncIterator[None]:
        """Wait for the turn and keep it for the block. Raises RuntimeError inside a turn."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("A write needs a running task.")
        if task in self._writing:
            raise RuntimeError(
                "A write inside a write would wait for itself: pass the transaction on."
            )
        async with AsyncExitStack() as stack:
            if self._lock is not None:
                await stack.enter_async_context(self._lock)
            self._writing.add(task)
            try:
                yield
            finally:
                self._writing.discard(task)
