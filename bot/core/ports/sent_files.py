"""Port to the files that stand on a platform already, so that no picture is uploaded twice."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

PASSING = "passing:"
"""Begins the key of a file that is to be taken away again, as a preview; the rest is its id."""


@dataclass(frozen=True, kw_only=True)
class SentFile:
    """A file of ours in a workspace."""

    platform: str
    team: str
    """Key of the workspace."""
    key: str
    """SHA-256 of what is shown; for a passing file see PASSING. The platform's adapter may put
    a word and a place before it, for a file that stands there by itself."""
    file: str
    """The platform's id of it."""
    ready: bool
    """Whether the platform has processed it."""
    at: datetime
    """When it was uploaded."""


class SentFiles(Protocol):
    """Uploaded files by workspace and contents."""

    async def put(self, sent: SentFile) -> None:
        """Keep it; an upload of the same contents takes the place of the earlier one."""
        ...

    async def get(self, platform: str, team: str, key: str) -> SentFile | None:
        """The file with these contents in this workspace, or None."""
        ...

    async def drop(self, platform: str, team: str, key: str) -> None:
        """Forget it; no error if it is gone."""
        ...

    async def by_file(self, platform: str, team: str, file: str) -> SentFile | None:
        """What we know of the platform's file, or None."""
        ...

    async def passing(self, platform: str, *, before: datetime, limit: int) -> Sequence[SentFile]:
        """Passing files that were uploaded before then and still stand, the oldest first."""
        ...

    async def purge(self, before: datetime) -> int:
        """Forget those uploaded before then; how many."""
        ...
