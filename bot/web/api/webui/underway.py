"""Which jobs a member's clients wait for on open requests: what `progress` and `interrupt` mean.

Only these, so that a client's Interrupt never stops what the same person asked for in a chat.
"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager


class Underway:
    """The open requests of this process, by person."""

    def __init__(self) -> None:
        self._jobs: dict[str, list[str]] = defaultdict(list)

    @contextmanager
    def waiting(self, person: str, job: str) -> Iterator[None]:
        """For as long as a request waits for this job."""
        self._jobs[person].append(job)
        try:
            yield
        finally:
            self._jobs[person].remove(job)
            if not self._jobs[person]:
                del self._jobs[person]

    def of(self, person: str) -> tuple[str, ...]:
        """Oldest first."""
        return tuple(self._jobs.get(person, ()))
