"""Counting everything, in memory."""

from collections import Counter
from typing import TYPE_CHECKING

from bot.core.lives import JobState
from bot.core.ports.census import Counts
from storage.memory_tables import Table, Tables
from storage.memory_timeline import MemoryTimeline
from storage.steps import LEASED

if TYPE_CHECKING:
    from bot.core.assets import Asset
    from bot.core.jobs import Job
    from bot.core.ledger import Event
    from bot.core.ports import Outgoing
    from bot.core.publications import Publication


class MemoryCensus:
    """The Census port."""

    def __init__(self, tables: Tables, timeline: MemoryTimeline) -> None:
        self._jobs: Table[Job] = Table(tables, "job")
        self._assets: Table[Asset] = Table(tables, "asset")
        self._events: Table[Event] = Table(tables, "event")
        self._messages: Table[Outgoing] = Table(tables, "message")
        self._publications: Table[Publication] = Table(tables, "publication")
        self._timeline = timeline

    async def counts(self) -> Counts:
        """See the port."""
        queued = [job for job in self._jobs if job.state is JobState.QUEUED]
        free = [job for job in queued if not job.hold]
        jobs = {"queued": len(free), "held": len(queued) - len(free)}
        for state in LEASED:
            jobs[state.value] = sum(job.state is state for job in self._jobs)
        return Counts(
            jobs=jobs,
            oldest_queued=min((job.created_at for job in free), default=None),
            publications=Counter(each.state.value for each in self._publications),
            messages=Counter(each.state.value for each in self._messages),
            rows={
                "jobs": len(list(self._jobs)),
                "assets": len(list(self._assets)),
                "ledger": len(list(self._events)),
                "timeline": self._timeline.count(),
                "outbox": len(list(self._messages)),
            },
        )
