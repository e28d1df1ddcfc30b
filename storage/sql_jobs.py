"""Jobs in SQL."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import reduce
from operator import add
from typing import Any

from sqlalchemy import ColumnElement, Tuple, func, select, tuple_, update

from bot.core.fairness import virtual_time
from bot.core.jobs import Job, Pace, QueuePlace
from bot.core.lives import JOB_STEPS, JobState
from storage.rows import Shape
from storage.sql_table import Session, SqlTable, before
from storage.steps import LEASED, lease_lost, missing
from storage.tables import JobRow, TurnRow, table_of

_SHAPE = Shape(Job, JobRow)
_TURNS = table_of(TurnRow)
FREE = ""
"""The hold of a job that no budget holds."""


class _JobTable(SqlTable[Job]):
    def columns(self, value: Job) -> dict[str, Any]:
        return {**super().columns(value), "rank": -value.priority}


class SqlJobs:
    """The Jobs port.

    Several states are asked for one by one: each is a stretch of the index, where SQLite would
    rather read the whole table for an IN of them.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._jobs = _JobTable(session, "job", _SHAPE)
        self._c = self._jobs.c
        self._turn = (self._c.rank, self._c.turn, self._c.created_at, self._c.row)
        self._order = tuple_(*self._turn)
        self._waits = (self._c.state == JobState.QUEUED, self._c.hold == FREE)
        self._free = (*self._waits, self._c.paused_at.is_(None))

    async def add(self, job: Job) -> None:
        """See the port."""
        await self._jobs.add(job)

    async def get(self, job_id: str) -> Job:
        """See the port."""
        return await self._jobs.need(job_id)

    async def hold(self, job_id: str) -> Job:
        """See the port."""
        # Locked first and read by a statement of its own: whoever waited for the row must not go
        # by what was true before.
        await self._session.rows(select(self._c.row).where(self._c.id == job_id).with_for_update())
        return await self._jobs.need(job_id)

    async def claim(
        self,
        worker: str,
        *,
        now: datetime,
        lease: timedelta,
        least: int | None = None,
        besides: Collection[str] = (),
    ) -> Job | None:
        """See the port."""
        wanted = [*self._free]
        if least is not None:
            wanted.append(self._c.rank <= -least)
        if besides:
            wanted.append(self._c.requester.not_in(besides))
        found = await self._jobs.where(*wanted, order=self._turn, limit=1, lock=True)
        if not found:
            return None
        claimed = replace(
            found[0],
            state=JobState.RENDERING,
            fence=found[0].fence + 1,
            starts=found[0].starts + 1,
            worker=worker,
            lease_until=now + lease,
            updated_at=now,
        )
        return await self._jobs.update(claimed, found[0], JOB_STEPS)

    async def renew(self, job: Job, *, until: datetime) -> Job:
        """See the port."""
        ours = (self._c.id == job.id) & (self._c.fence == job.fence) & self._c.state.in_(LEASED)
        statement = update(_SHAPE.table).where(ours).values(lease_until=until)
        if (await self._session.change(statement)).rowcount != 1:
            await self._jobs.need(job.id)
            raise lease_lost(job)
        return await self._jobs.need(job.id)

    async def release_expired(self, now: datetime) -> int:
        """See the port."""
        freed = {
            "state": JobState.QUEUED,
            "worker": "",
            "lease_until": None,
            "updated_at": now,
            "version": self._c.version + 1,
        }
        count = 0
        for state in LEASED:
            lost = (self._c.state == state, self._c.lease_until <= now)
            statement = update(_SHAPE.table).where(*lost).values(freed)
            count += (await self._session.change(statement)).rowcount
        return count

    async def update(self, new: Job, *, was: Job) -> Job:
        """See the port."""
        # A lease that the caller did not change stays as the last renewal left it.
        if new.lease_until != was.lease_until:
            return await self._jobs.update(new, was, JOB_STEPS)
        await self._jobs.update(new, was, JOB_STEPS, keep=("lease_until",))
        return await self._jobs.need(new.id)

    async def place(self, job_id: str) -> QueuePlace:
        """See the port."""
        columns = (self._c.state, self._c.hold, self._c.paused_at, *self._turn)
        found = await self._session.first(select(*columns).where(self._c.id == job_id))
        if found is None:
            raise missing("job", job_id)
        waiting = await self._count(*self._free)
        if found[0] is not JobState.QUEUED or found[1] != FREE or found[2] is not None:
            return QueuePlace(ahead=0, waiting=waiting)
        running = sum([await self._count(self._c.state == state) for state in LEASED])
        earlier = await self._count(*self._free, self._order < self._placed(*found[3:]))
        return QueuePlace(ahead=running + earlier, waiting=waiting)

    async def open_count(self, brand: str, *, requester: str = "", place: str = "") -> int:
        """See the port."""
        wanted = [self._c.brand == brand, self._c.slot == ""]
        if requester:
            wanted.append(self._c.requester == requester)
        if place:
            wanted.append(self._c.place == place)
        # In one statement: a job that changes its state meanwhile is counted once.
        counts = [
            select(func.count()).where(self._c.state == state, *wanted).scalar_subquery()
            for state in (JobState.QUEUED, *LEASED)
        ]
        return await self._session.number(select(reduce(add, counts)))

    async def take_turn(self, requester: str, *, priority: int, pictures: int) -> int:
        """See the port."""
        waiting = await self._smallest_turn(priority)
        largest = await self._finish_of(priority) if waiting is None else 0
        start = virtual_time(waiting, largest)
        row = {"priority": priority, "requester": requester, "finish": start + pictures}
        finish = await self._session.put_later(_TURNS, row, "finish", start, pictures)
        return finish - pictures

    async def holds(self) -> Sequence[str]:
        """See the port."""
        names: list[str] = []
        last: str | None = FREE
        while last is not None:  # from one name to the next, however many jobs each holds
            smallest = select(func.min(self._c.hold))
            further = (self._c.state == JobState.QUEUED, self._c.hold > last)
            found = await self._session.first(smallest.where(*further))
            last = found[0] if found else None
            names += [last] if last else []
        return names

    async def held(self, hold: str, *, after: Job | None = None, limit: int = 100) -> Sequence[Job]:
        """See the port."""
        conditions = [self._c.state == JobState.QUEUED, self._c.hold == hold]
        if after is not None:
            row = await self._session.number(select(self._c.row).where(self._c.id == after.id))
            last = self._placed(-after.priority, after.turn, after.created_at, row)
            conditions.append(self._order > last)
        return await self._jobs.where(*conditions, order=self._turn, limit=limit)

    async def paused_before(self, when: datetime, *, limit: int) -> Sequence[Job]:
        """See the port."""
        found: list[Job] = []
        for state in (JobState.QUEUED, *LEASED):
            since = (self._c.state == state, self._c.paused_at <= when)
            found += await self._jobs.where(*since, order=(self._c.paused_at,), limit=limit)
        return found[:limit]

    async def running(self) -> Sequence[Job]:
        """See the port."""
        return await self._leased()

    async def unfinished(self, *, brand: str = "", requester: str = "") -> Sequence[Job]:
        """See the port."""
        whose = self._whose(brand, requester)
        running = await self._leased(*whose)
        queued = (self._c.state == JobState.QUEUED, *whose)
        free = await self._jobs.where(*self._waits, *whose, order=self._turn)
        held = await self._jobs.where(*queued, self._c.hold > FREE, order=self._turn)
        return [*running, *free, *held]

    async def recent(
        self, *, brand: str = "", requester: str = "", before: str = "", limit: int = 50
    ) -> Sequence[Job]:
        """See the port."""
        conditions = self._whose(brand, requester)
        if before:
            conditions.append(await self._older(before))
        newest = (self._c.created_at.desc(), self._c.row.desc())
        return await self._jobs.where(*conditions, order=newest, limit=limit)

    async def pace(self, brand: str, *, of: int) -> Pace:
        """See the port."""
        c = self._c
        newest = (
            select(c.row, c.state, c.seconds)
            .where(c.brand == brand)
            .order_by(c.created_at.desc(), c.row.desc())
            .limit(of)
            .subquery()
        )
        took = select(newest.c.row).where(newest.c.state == JobState.DONE, newest.c.seconds > 0)
        done = await self._jobs.where(c.row.in_(took), order=(c.row,))
        return Pace(
            jobs=len(done),
            pictures=sum(item.was_rendered for job in done for item in job.items),
            seconds=sum(job.seconds for job in done),
        )

    async def _leased(self, *whose: ColumnElement[bool]) -> list[Job]:
        running: list[Job] = []
        for state in LEASED:
            running += await self._jobs.where(self._c.state == state, *whose, order=self._turn)
        return sorted(running, key=lambda job: (-job.priority, job.turn, job.created_at))

    async def _older(self, cursor: str) -> ColumnElement[bool]:
        position = await self._jobs.position(cursor, "created_at")
        return before(_SHAPE.table, "created_at", position)

    def _whose(self, brand: str, requester: str) -> list[ColumnElement[bool]]:
        wanted = ((self._c.brand, brand), (self._c.requester, requester))
        return [column == value for column, value in wanted if value]

    def _placed(self, *place: object) -> Tuple:
        """A place in the order of turns."""
        return tuple_(*place, types=[column.type for column in self._turn])

    async def _smallest_turn(self, priority: int) -> int | None:
        """That waits; a job that comes back for a second try no longer tells the time."""
        fresh = (*self._free, self._c.rank == -priority, self._c.fence == 0)
        query = select(self._c.turn).where(*fresh).order_by(self._c.turn).limit(1)
        found = await self._session.first(query)
        return found[0] if found else None

    async def _finish_of(self, priority: int) -> int:
        """The largest one given so far."""
        query = select(func.max(_TURNS.c.finish)).where(_TURNS.c.priority == priority)
        found = await self._session.first(query)
        return found[0] or 0 if found else 0

    async def _count(self, *conditions: ColumnElement[bool]) -> int:
        query = select(func.count()).select_from(_SHAPE.table).where(*conditions)
        return await self._session.number(query)
