"""Whose messages and posts this process sends: those for the platforms that it is connected to."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from bot.core.house import House

NOBODY = timedelta(hours=1)
"""After so long no process seems to be connected: any may then say that it can't be sent."""
CONNECT = "An admin gives the processes that send that platform's settings."

T = TypeVar("T", covariant=True)


class Claims(Protocol[T]):
    """A store's claim."""

    async def __call__(
        self, worker: str, *, now: datetime, lease: timedelta, platforms: Collection[str] | None
    ) -> T | None:
        """See the stores."""
        ...


async def claimed(house: House, claim: Claims[T], worker: str, now: datetime) -> T | None:
    """The next one that is this process's to send, or that nobody has taken for so long that it
    has to be told of; None if there is none."""
    mine = await claim(worker, now=now, lease=house.lease, platforms=house.chats)
    if mine is not None:
        return mine
    return await claim(worker, now=now - NOBODY, lease=house.lease + NOBODY, platforms=None)


def is_ours(house: House, platform: str, due: datetime | None) -> bool:
    """Whether this process looks after what has been due since then."""
    return platform in house.chats or due is None or due <= house.clock.now() - NOBODY
