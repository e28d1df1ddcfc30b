"""The store in a database: SQLite with no service at all, PostgreSQL when outgrown.

store = await open_store("sqlite:///data/housestyle.db")    # upgraded, ready
async with store.write() as tx:
    job = await tx.jobs.claim("worker-1", now=clock.now(), lease=LEASE)
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.core.ports import Store, Timeline, Transaction
from storage.engines import WRITES, create_engine
from storage.errors import StoreBusy, StoreUnavailable
from storage.memory import MemoryStore
from storage.revision import is_newest
from storage.sql_assets import SqlAssets
from storage.sql_brands import SqlKits, SqlLoras
from storage.sql_budgets import SqlBudgets
from storage.sql_calendar import SqlSchedules
from storage.sql_census import SqlCensus
from storage.sql_erasure import SqlErasure
from storage.sql_installs import SqlInstalls, SqlSentFiles
from storage.sql_jobs import SqlJobs
from storage.sql_keys import SqlAccountLinks, SqlKeys
from storage.sql_ledger import SqlLedger
from storage.sql_outbox import SqlDeliveries, SqlOutbox
from storage.sql_people import SqlPeople
from storage.sql_pruning import SqlPruning
from storage.sql_requests import SqlRequests
from storage.sql_reviews import SqlPublications, SqlReviews
from storage.sql_table import Session
from storage.sql_timeline import SqlTimeline
from storage.sql_uploads import SqlUploads
from storage.sqlite_file import rewrite
from storage.turns import Turns

_POSTGRES_BLOCKED = frozenset({"40001", "40P01", "55P03"})  # serialization, deadlock, lock timeout


class OpenStore(Store, Protocol):
    """A store that also keeps the local chat's timeline."""

    @property
    def timeline(self) -> Timeline:
        """The local chat's memory."""
        ...


async def open_store(url: str) -> OpenStore:
    """The store at this address, upgraded to this version's tables; `memory:` keeps nothing.

    Raises Mistake for an address that names no database, StoreUnavailable, StoreTooNew.
    """
    if url == "memory:":
        return MemoryStore()
    await upgrade(url)
    return SqlStore(create_engine(url))


async def upgrade(url: str, revision: str = "head") -> None:
    """Bring the tables to a revision. Several processes may do so at once."""
    engine = create_engine(url)
    try:
        async with _spoken():
            if revision == "head" and await is_newest(engine):
                return
            from storage import upgrades  # alembic takes a while to load, and is seldom needed

            await upgrades.upgrade(engine, revision)
    finally:
        await engine.dispose()


class SqlTransaction(Transaction):
    """The Transaction port on one connection."""

    def __init__(self, session: Session) -> None:
        self.jobs = SqlJobs(session)
        self.assets = SqlAssets(session)
        self.reviews = SqlReviews(session)
        self.publications = SqlPublications(session)
        self.schedules = SqlSchedules(session)
        self.loras = SqlLoras(session)
        self.people = SqlPeople(session)
        self.kits = SqlKits(session)
        self.keys = SqlKeys(session)
        self.links = SqlAccountLinks(session)
        self.budgets = SqlBudgets(session)
        self.outbox = SqlOutbox(session)
        self.ledger = SqlLedger(session)
        self.deliveries = SqlDeliveries(session)
        self.requests = SqlRequests(session)
        self.erasure = SqlErasure(session)
        self.census = SqlCensus(session)
        self.pruning = SqlPruning(session)
        self.uploads = SqlUploads(session)
        self.installs = SqlInstalls(session)
        self.sent_files = SqlSentFiles(session)


class SqlStore:
    """The Store port on a database engine."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._postgresql = engine.dialect.name == "postgresql"
        # SQLite has one writer anyway; waiting for it in turn is fairer than polling its lock.
        self._turns = Turns(alone=not self._postgresql)
        self.timeline = SqlTimeline(self._reading, self._writing)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Transaction]:
        """See the port. Raises StoreBusy and StoreUnavailable too."""
        async with self._writing() as session:
            yield SqlTransaction(session)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Transaction]:
        """See the port. Raises StoreUnavailable too."""
        async with self._reading() as session:
            yield SqlTransaction(session)

    async def compact(self) -> bool:
        """See the port. PostgreSQL reuses the space of deleted rows by itself (autovacuum)."""
        if self._postgresql:
            return True
        path = str(self._engine.url.database)
        async with self._turns.mine():
            return await asyncio.to_thread(rewrite, path)

    async def is_current(self) -> bool:
        """See the port."""
        async with _spoken():
            return await is_newest(self._engine)

    async def close(self) -> None:
        """See the port."""
        await self._engine.dispose()

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[Session]:
        async with self._turns.mine(), _spoken(), self._engine.connect() as connection:
            await connection.execution_options(**{WRITES: True})
            async with connection.begin():
                yield Session(connection, writable=True)

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[Session]:
        async with _spoken(), self._engine.connect() as connection:
            if self._postgresql:
                await connection.execution_options(
                    isolation_level="REPEATABLE READ", postgresql_readonly=True
                )
            async with connection.begin():
                yield Session(connection, writable=False)


@asynccontextmanager
async def _spoken() -> AsyncIterator[None]:
    """Turn the driver's errors into the store's."""
    try:
        yield
    except PoolTimeout as exc:
        raise StoreBusy("Too many things use the database at once.", fix="Try again.") from exc
    except DBAPIError as exc:
        if _is_blocked(exc):
            raise StoreBusy("The database is busy with other work.", fix="Try again.") from exc
        # SQLite says of a file that is no database only that it is a DatabaseError.
        if isinstance(exc, OperationalError | InterfaceError) or type(exc) is DatabaseError:
            raise StoreUnavailable(
                f"The database does not answer: {exc.orig}",
                fix="Check the database's address in the settings, and that it runs.",
            ) from exc
        raise


def _is_blocked(exc: DBAPIError) -> bool:
    if getattr(exc.orig, "sqlstate", None) in _POSTGRES_BLOCKED:
        return True
    return "database is locked" in str(exc.orig)
