"""Port to the numbers of the records as a whole, for metrics and health."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Counts:
    """How much there is. States that nothing is in may be missing."""

    jobs: Mapping[str, int] = field(default_factory=dict)
    """Unfinished ones by state; `held` are those queued that a budget holds."""
    oldest_queued: datetime | None = None
    """When the oldest job came that waits and is not held."""
    publications: Mapping[str, int] = field(default_factory=dict)
    """By state."""
    messages: Mapping[str, int] = field(default_factory=dict)
    """Of the outbox, by state."""
    rows: Mapping[str, int] = field(default_factory=dict)
    """Of the large tables: jobs, assets, ledger, timeline, outbox."""


class Census(Protocol):
    """Counting everything."""

    async def counts(self) -> Counts:
        """How much there is now."""
        ...
