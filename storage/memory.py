"""The store in memory: for trying things out, and for tests. Nothing outlives the process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.core.ports import Transaction
from storage.memory_assets import MemoryAssets
from storage.memory_budgets import MemoryBudgets
from storage.memory_calendar import MemorySchedules
from storage.memory_census import MemoryCensus
from storage.memory_erasure import MemoryErasure
from storage.memory_installs import MemoryInstalls, MemorySentFiles
from storage.memory_jobs import MemoryJobs
from storage.memory_keys import MemoryAccountLinks, MemoryKeys
from storage.memory_ledger import MemoryLedger
from storage.memory_outbox import MemoryDeliveries, MemoryOutbox
from storage.memory_people import MemoryKits, MemoryLoras, MemoryPeople
from storage.memory_pruning import MemoryPruning
from storage.memory_requests import MemoryRequests
from storage.memory_reviews import MemoryPublications, MemoryReviews
from storage.memory_tables import State, Tables
from storage.memory_timeline import MemoryTimeline
from storage.memory_uploads import MemoryUploads
from storage.turns import Turns


class MemoryTransaction(Transaction):
    """The Transaction port on one view of the tables."""

    def __init__(self, tables: Tables, timeline: MemoryTimeline) -> None:
        self.jobs = MemoryJobs(tables)
        self.assets = MemoryAssets(tables)
        self.reviews = MemoryReviews(tables)
        self.publications = MemoryPublications(tables)
        self.schedules = MemorySchedules(tables)
        self.loras = MemoryLoras(tables)
        self.people = MemoryPeople(tables)
        self.kits = MemoryKits(tables)
        self.keys = MemoryKeys(tables)
        self.links = MemoryAccountLinks(tables)
        self.budgets = MemoryBudgets(tables)
        self.outbox = MemoryOutbox(tables)
        self.ledger = MemoryLedger(tables)
        self.deliveries = MemoryDeliveries(tables)
        self.requests = MemoryRequests(tables)
        self.pruning = MemoryPruning(tables)
        self.uploads = MemoryUploads(tables)
        self.installs = MemoryInstalls(tables)
        self.sent_files = MemorySentFiles(tables)
        self.erasure = MemoryErasure(tables, timeline)
        self.census = MemoryCensus(tables, timeline)


class MemoryStore:
    """The Store port. Writers take turns; readers see the state of when they began."""

    def __init__(self) -> None:
        self._state: State = {}
        self._turns = Turns(alone=True)
        self.timeline = MemoryTimeline()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[MemoryTransaction]:
        """See the port."""
        async with self._turns.mine():
            tables = Tables(self._state, writable=True)
            yield MemoryTransaction(tables, self.timeline)
            self._state = tables.result()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[MemoryTransaction]:
        """See the port."""
        yield MemoryTransaction(Tables(self._state, writable=False), self.timeline)

    async def compact(self) -> bool:
        """See the port. Nothing is on a disk."""
        return True

    async def is_current(self) -> bool:
        """See the port."""
        return True

    async def close(self) -> None:
        """Nothing to release; the records stay until the object goes."""
