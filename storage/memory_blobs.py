"""Blobs, deliveries and signals in memory."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from bot.core.errors import CorruptBlob
from bot.core.ports import Delivery, Signal
from brand.spec import sha256_hex
from storage.codec import encode
from storage.steps import missing

MAX_WAITING = 1000
"""Signals kept for a slow reader; older ones are dropped then."""


class MemoryBlobs:
    """The BlobStore port."""

    def __init__(self) -> None:
        self._blobs: dict[str, bytes] = {}
        self._touched: dict[str, float] = {}

    async def put(self, data: bytes) -> str:
        """See the port."""
        sha256 = sha256_hex(data)
        self._blobs.setdefault(sha256, bytes(data))
        self._touched[sha256] = time.time()
        return sha256

    async def get(self, sha256: str) -> bytes:
        """See the port."""
        if sha256 not in self._blobs:
            raise missing("file", sha256)
        data = self._blobs[sha256]
        if sha256_hex(data) != sha256:
            raise CorruptBlob(sha256)
        return data

    async def exists(self, sha256: str) -> bool:
        """See the port."""
        if sha256 in self._blobs:
            self._touched[sha256] = time.time()
        return sha256 in self._blobs

    async def remove(self, sha256: str) -> None:
        """See the port."""
        self._blobs.pop(sha256, None)
        self._touched.pop(sha256, None)

    async def untouched(self, since: datetime) -> AsyncIterator[str]:
        """See the port."""
        for sha256 in sorted(self._blobs):
            if self._touched[sha256] < since.timestamp():
                yield sha256

    async def sweep(self, sha256: str, since: datetime) -> bool:
        """See the port."""
        old = self._touched.get(sha256, since.timestamp()) < since.timestamp()
        if old:
            await self.remove(sha256)
        return old

    async def all(self) -> AsyncIterator[str]:
        """See the port."""
        for sha256 in sorted(self._blobs):
            yield sha256


class MemoryInbox:
    """The Inbox port; nothing outlives the process."""

    def __init__(self) -> None:
        self._pending: dict[tuple[str, str], Delivery] = {}

    async def put(self, delivery: Delivery) -> None:
        """See the port."""
        encode(delivery)
        self._pending.setdefault((delivery.platform, delivery.id), delivery)

    async def done(self, platform: str, delivery_id: str) -> None:
        """See the port."""
        self._pending.pop((platform, delivery_id), None)

    async def tidy(self) -> int:
        """See the port."""
        return 0

    async def pending(self, platform: str = "") -> Sequence[Delivery]:
        """See the port."""
        wanted = (one for one in self._pending.values() if platform in ("", one.platform))
        return sorted(wanted, key=lambda delivery: delivery.received_at)


class MemorySignals:
    """The Signals port, within one process and event loop."""

    def __init__(self) -> None:
        self._readers: dict[asyncio.Queue[Signal], tuple[str, ...]] = {}

    def publish(self, signal: Signal) -> None:
        """See the port."""
        for queue, topics in self._readers.items():
            if _wanted(signal.topic, topics):
                if queue.full():
                    queue.get_nowait()
                queue.put_nowait(signal)

    @asynccontextmanager
    async def subscribe(self, *topics: str) -> AsyncIterator[AsyncIterator[Signal]]:
        """See the port."""
        queue: asyncio.Queue[Signal] = asyncio.Queue(MAX_WAITING)
        self._readers[queue] = topics
        try:
            yield _each(queue)
        finally:
            del self._readers[queue]


async def _each(queue: asyncio.Queue[Signal]) -> AsyncIterator[Signal]:
    while True:
        yield await queue.get()


def _wanted(topic: str, topics: tuple[str, ...]) -> bool:
    if not topics:
        return True
    return any(
        topic.startswith(wanted[:-1]) if wanted.endswith("*") else topic == wanted
        for wanted in topics
    )
