"""A delivery counts once: it is marked taken in the very transaction of the change it makes.

Marking it before would lose it in a crash between the two; marking it after would do it twice.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from bot.core.errors import Conflict
from bot.core.messages import Actor
from bot.core.ports import Clock, Store, Transaction


class AlreadyTaken(Conflict):
    """This delivery came in twice; it was done once."""


class OnceStore:
    """A store whose first write transaction also takes the actor's delivery."""

    def __init__(self, store: Store, actor: Actor, clock: Clock) -> None:
        self._store = store
        self._actor = actor
        self._clock = clock
        self._taken = not actor.delivery

    def read(self) -> AbstractAsyncContextManager[Transaction]:
        """As the store itself."""
        return self._store.read()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Transaction]:
        """As the store itself. Raises AlreadyTaken for a delivery that was done before."""
        async with self._store.write() as tx:
            if not self._taken and not await tx.deliveries.take(
                self._actor.platform, self._actor.delivery, self._clock.now()
            ):
                raise AlreadyTaken("This came in twice; it was done once.")
            yield tx
        self._taken = True

    async def compact(self) -> bool:
        """As the store itself."""
        return await self._store.compact()

    async def is_current(self) -> bool:
        """As the store itself."""
        return await self._store.is_current()

    async def close(self) -> None:
        """Nothing of its own to release."""
