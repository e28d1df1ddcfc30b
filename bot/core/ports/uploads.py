"""Port to pictures that people brought: who may begin from which file, and how much waits."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A picture's file that somebody brought. It is theirs alone to begin from."""

    person: str
    sha256: str
    bytes: int
    at: datetime
    """When it was brought last."""
    job: str = ""
    """The newest job that it was used in; empty: none yet."""


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """What a person has brought that no finished picture was made of."""

    files: int = 0
    bytes: int = 0


class Uploads(Protocol):
    """Uploads by person and file. The same bytes of two people are two uploads of one file."""

    async def put(self, upload: Upload) -> None:
        """Keep it; brought again it counts from then, and its job stays."""
        ...

    async def get(self, person: str, sha256: str) -> Upload | None:
        """This person's upload of this file, or None."""
        ...

    async def use(self, person: str, files: Collection[str], job: str) -> None:
        """Those of these files that the person brought are used in this job now."""
        ...

    async def waiting(self, person: str, since: datetime) -> Waiting:
        """How much of the person's stands in unfinished jobs, or was brought since then and is
        in no job that is done."""
        ...

    async def purge(self, before: datetime) -> int:
        """Forget those brought before then that no job used; how many."""
        ...
