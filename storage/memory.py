"""The store in memory: for trying things out, and for tests. Nothing outlives the process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.core import ports
from storage.memory_assets import MemoryAssets
from storage.memory_calendar import MemorySchedules
from storage.memory_jobs import MemoryJobs
from storage.memory_outbox import MemoryDeliveries, MemoryLedger, MemoryOutbox
from storage.memory_people import MemoryKeys, MemoryKits, MemoryLoras, MemoryPeople
from storage.memory_reviews import MemoryPublications, MemoryReviews
from storage.memory_tables import State, Tables
from storage.memory_timeline import MemoryTimeline
from storage.turns import Turns


class MemoryTransaction:
    """The Transaction port on one view of the tables."""

    def __init__(self, tables: Tables) -> None:
        self.jobs: ports.Jobs = MemoryJobs(tables)
        self.assets: ports.Assets = MemoryAssets(tables)
        self.reviews: ports.Reviews = MemoryReviews(tables)
        self.publications: ports.Publications = MemoryPublications(tables)
        self.schedules: ports.Schedules = MemorySchedules(tables)
        self.loras: ports.Loras = MemoryLoras(tables)
        self.people: ports.People = MemoryPeople(tables)
        self.kits: ports.Kits = MemoryKits(tables)
        self.keys: ports.Keys = MemoryKeys(tables)
        self.outbox: ports.Outbox = MemoryOutbox(tables)
        self.ledger: ports.Ledger = MemoryLedger(tables)
        self.deliveries: ports.Deliveries = MemoryDeliveries(tables)


class MemoryStore:
    """The Store port. Writers take turns; readers see the state of when they began."""

    def __init__(self) -> None:
        self._state: State = {}
        self._turns = Turns()
        self.timeline = MemoryTimeline()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[MemoryTransaction]:
        """See the port."""
        async with self._turns.mine():
            tables = Tables(self._state, writable=True)
            yield MemoryTransaction(tables)
            self._state = tables.result()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[MemoryTransaction]:
        """See the port."""
        yield MemoryTransaction(Tables(self._state, writable=False))

    async def close(self) -> None:
        """Nothing to release; the records stay until the object goes."""
