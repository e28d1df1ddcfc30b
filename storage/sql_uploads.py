"""Pictures that people brought, in SQL."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, func, select, update

from bot.core.lives import JobState
from bot.core.ports.uploads import Upload, Waiting
from storage.rows import Shape
from storage.sql_table import Session
from storage.steps import LEASED
from storage.tables import JobRow, UploadRow, table_of

_UPLOADS = Shape(Upload, UploadRow)
_JOBS = table_of(JobRow)


class SqlUploads:
    """The Uploads port."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._c = _UPLOADS.table.c

    async def put(self, upload: Upload) -> None:
        """See the port."""
        known = await self.get(upload.person, upload.sha256)
        upload = replace(upload, job=known.job) if known else upload
        await self._session.put(_UPLOADS.table, _UPLOADS.row(upload))

    async def get(self, person: str, sha256: str) -> Upload | None:
        """See the port."""
        ours = (self._c.person == person, self._c.sha256 == sha256)
        found = await self._session.rows(select(_UPLOADS.table).where(*ours))
        return _UPLOADS.value(found[0]) if found else None

    async def use(self, person: str, files: Collection[str], job: str) -> None:
        """See the port."""
        ours = (self._c.person == person, self._c.sha256.in_(sorted(set(files))))
        await self._session.change(update(_UPLOADS.table).where(*ours).values(job=job))

    async def waiting(self, person: str, since: datetime) -> Waiting:
        """See the port. Two questions, each of which an index answers."""
        done = select(_JOBS.c.id).where(_JOBS.c.id == self._c.job, _JOBS.c.state == JobState.DONE)
        new = await self._sum(person, self._c.at >= since, ~done.exists())
        open_jobs = select(_JOBS.c.id).where(
            _JOBS.c.requester == person, _JOBS.c.state.in_((JobState.QUEUED, *LEASED))
        )
        old = await self._sum(person, self._c.at < since, self._c.job.in_(open_jobs))
        return Waiting(files=new.files + old.files, bytes=new.bytes + old.bytes)

    async def _sum(self, person: str, *conditions: ColumnElement[bool]) -> Waiting:
        numbers = (func.count(), func.coalesce(func.sum(self._c.bytes), 0))
        query = select(*numbers).where(and_(self._c.person == person, *conditions))
        found = await self._session.first(query)
        return Waiting(files=int(found[0]), bytes=int(found[1])) if found else Waiting()

    async def purge(self, before: datetime) -> int:
        """See the port."""
        unused = delete(_UPLOADS.table).where(self._c.job == "", self._c.at < before)
        return (await self._session.change(unused)).rowcount
