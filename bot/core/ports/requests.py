"""Port to what programs asked with a key of their own, so that asking again does nothing twice."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, kw_only=True)
class KeptRequest:
    """A request of a program that was carried out, with the answer it got."""

    person: str
    """Whose API key it came with."""
    key: str
    """SHA-256 of the idempotency key: what a program wrote into it is not kept."""
    content: str
    """SHA-256 of what was asked for."""
    job: str
    answer: dict[str, Any]
    """The answer as plain JSON."""
    created_at: datetime


class Requests(Protocol):
    """Requests that were carried out, by person and idempotency key."""

    async def add(self, request: KeptRequest) -> None:
        """Raises Conflict if the person has used this key."""
        ...

    async def get(self, person: str, key: str) -> KeptRequest | None:
        """The request that came with this key, or None."""
        ...

    async def drop(self, request: KeptRequest) -> None:
        """Forget this request; nothing happens if its key stands for another job by now."""
        ...

    async def purge(self, before: datetime) -> int:
        """Forget requests made before this time; how many."""
        ...

    async def forget(self, person: str) -> int:
        """Forget all requests of a person; how many."""
        ...
