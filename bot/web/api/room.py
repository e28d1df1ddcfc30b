"""Room in memory for large request bodies: so many bytes at once, the others wait in turn."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from bot.web.api.failures import RETRY_S, ApiFailure

WAIT_S = 30.0
"""How long a request waits for room; a client's own patience is longer."""
MOST_WAITING = 64
"""Requests that wait for room, at most: each is an open connection."""


class NoRoom(ApiFailure):
    """Bodies with pictures fill the memory that is set apart for them."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            status=503,
            code="too_many_pictures_at_once",
            title="Too many pictures at once",
            detail=f"Requests with pictures fill the {limit // 1024 // 1024:,} MiB that are held "
            "at once. Try again in a moment; an admin can raise `uploads.memory_mib`.",
            headers={"Retry-After": str(RETRY_S)},
        )


class Held:
    """The bytes that one body holds."""

    def __init__(self, room: "BodyRoom", size: int) -> None:
        self._room = room
        self.size = size

    def shrink(self, size: int) -> None:
        """The body was smaller than it might have been."""
        if size < self.size:
            self._room.give(self.size - size)
            self.size = size


class BodyRoom:
    """`limit` bytes for the bodies of one event loop. First come, first served."""

    def __init__(self, limit: int, *, wait_s: float = WAIT_S, most: int = MOST_WAITING) -> None:
        self._limit = limit
        self._free = limit
        self._wait_s = wait_s
        self._most = most
        self._turns: deque[tuple[int, asyncio.Future[None]]] = deque()

    @property
    def held(self) -> int:
        """Bytes that are held now."""
        return self._limit - self._free

    @asynccontextmanager
    async def holding(self, size: int) -> AsyncIterator[Held]:
        """Hold so many bytes (at most all there are) while the block runs. Raises NoRoom."""
        size = min(size, self._limit)
        await self._take(size)
        held = Held(self, size)
        try:
            yield held
        finally:
            held.shrink(0)

    async def _take(self, size: int) -> None:
        if not self._turns and size <= self._free:
            self._free -= size
            return
        if len(self._turns) >= self._most:
            raise NoRoom(self._limit)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._turns.append((size, turn))
        try:
            async with asyncio.timeout(self._wait_s):
                await turn
        except (TimeoutError, asyncio.CancelledError) as exc:
            self._leave(size, turn)
            if isinstance(exc, TimeoutError):
                raise NoRoom(self._limit) from exc
            raise

    def _leave(self, size: int, turn: asyncio.Future[None]) -> None:
        """Its turn may have come in the moment in which it gave up."""
        if turn.done() and not turn.cancelled():
            self.give(size)
            return
        with suppress(ValueError):  # `give` may have passed it over
            self._turns.remove((size, turn))
        self.give(0)  # it may have stood before others that fit

    def give(self, size: int) -> None:
        """So many bytes are free again: let those in who fit, in their order."""
        self._free += size
        while self._turns and self._turns[0][0] <= self._free:
            wanted, turn = self._turns.popleft()
            if turn.cancelled():
                continue
            self._free -= wanted
            turn.set_result(None)
