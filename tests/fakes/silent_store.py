"""A store that answers when a test lets it: a database that has gone silent."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from bot.core.ports import Timeline
from storage.database import OpenStore


class SilentStore:
    """The OpenStore port. After `hush` every transaction waits for `speak` before it begins."""

    def __init__(self, store: OpenStore) -> None:
        self._store = store
        self._speaking = asyncio.Event()
        self._speaking.set()
        self.waiting = 0
        """Transactions that wait now."""

    def hush(self) -> None:
        """Answer nobody from now on."""
        self._speaking.clear()

    def speak(self) -> None:
        """Answer again."""
        self._speaking.set()

    @property
    def timeline(self) -> Timeline:
        """As the store's."""
        return self._store.timeline

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Any]:
        """As the store's, in its time."""
        await self._heard()
        async with self._store.read() as tx:
            yield tx

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Any]:
        """As the store's, in its time."""
        await self._heard()
        async with self._store.write() as tx:
            yield tx

    async def compact(self) -> bool:
        """As the store's."""
        return await self._store.compact()

    async def is_current(self) -> bool:
        """As the store's."""
        return await self._store.is_current()

    async def close(self) -> None:
        """As the store's."""
        await self._store.close()

    async def _heard(self) -> None:
        self.waiting += 1
        try:
            await self._speaking.wait()
        finally:
            self.waiting -= 1
