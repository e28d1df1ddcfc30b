"""Counting everything, in SQL."""

from sqlalchemy import ColumnElement, Table, func, select

from bot.core.lives import JobState
from bot.core.ports.census import Counts
from storage.sql_table import Session
from storage.steps import LEASED
from storage.tables import (
    AssetRow,
    EventRow,
    JobRow,
    OutgoingRow,
    PublicationRow,
    TimelineRow,
    table_of,
)

_JOBS = table_of(JobRow)
_LARGE = {
    "jobs": _JOBS,
    "assets": table_of(AssetRow),
    "ledger": table_of(EventRow),
    "timeline": table_of(TimelineRow),
    "outbox": table_of(OutgoingRow),
}


class SqlCensus:
    """The Census port."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def counts(self) -> Counts:
        """See the port."""
        waits = (_JOBS.c.state == JobState.QUEUED, _JOBS.c.hold == "")
        held = (_JOBS.c.state == JobState.QUEUED, _JOBS.c.hold != "")
        jobs = {JobState.QUEUED.value: await self._number(_JOBS, *waits)}
        jobs["held"] = await self._number(_JOBS, *held)
        for state in LEASED:
            jobs[state.value] = await self._number(_JOBS, _JOBS.c.state == state)
        oldest = await self._session.first(select(func.min(_JOBS.c.created_at)).where(*waits))
        return Counts(
            jobs=jobs,
            oldest_queued=oldest[0] if oldest else None,
            publications=await self._by_state(table_of(PublicationRow)),
            messages=await self._by_state(_LARGE["outbox"]),
            rows={name: await self._number(table) for name, table in _LARGE.items()},
        )

    async def _number(self, table: Table, *conditions: ColumnElement[bool]) -> int:
        query = select(func.count()).select_from(table).where(*conditions)
        return await self._session.number(query)

    async def _by_state(self, table: Table) -> dict[str, int]:
        query = select(table.c.state, func.count().label("n")).group_by(table.c.state)
        return {row["state"].value: row["n"] for row in await self._session.rows(query)}
