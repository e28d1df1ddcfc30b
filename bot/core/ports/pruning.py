"""Port to taking out of the records what nobody needs any more. Never the ledger, never assets."""

from collections.abc import Collection
from datetime import datetime
from typing import Protocol


class Pruning(Protocol):
    """Deletes what is finished and old; the counts are of what was deleted."""

    async def outbox(self, before: datetime) -> int:
        """Messages that were done with before then. The newest sent one of each subject and place
        stays: it says where the card stands."""
        ...

    async def deliveries(self, before: datetime) -> int:
        """Deliveries that were taken before then: no platform sends one again so late."""
        ...

    async def unnamed(self, files: Collection[str]) -> set[str]:
        """Which of these file hashes no row names, in any column of any table but those of
        uploads and of files sent elsewhere."""
        ...
