"""Pictures that people brought, in memory."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from bot.core.lives import JobState
from bot.core.ports.uploads import Upload, Waiting
from storage.memory_tables import Table, Tables
from storage.steps import LEASED

if TYPE_CHECKING:
    from bot.core.jobs import Job


class MemoryUploads:
    """The Uploads port."""

    def __init__(self, tables: Tables) -> None:
        self._uploads: Table[Upload] = Table(tables, "upload")
        self._jobs: Table[Job] = Table(tables, "job")

    async def put(self, upload: Upload) -> None:
        """See the port."""
        known = await self.get(upload.person, upload.sha256)
        upload = replace(upload, job=known.job) if known else upload
        self._uploads.put((upload.person, upload.sha256), upload)

    async def get(self, person: str, sha256: str) -> Upload | None:
        """See the port."""
        return self._uploads.get((person, sha256))

    async def use(self, person: str, files: Collection[str], job: str) -> None:
        """See the port."""
        for sha256 in files:
            known = await self.get(person, sha256)
            if known is not None:
                self._uploads.put((person, sha256), replace(known, job=job))

    async def waiting(self, person: str, since: datetime) -> Waiting:
        """See the port."""
        own = [each for each in self._uploads if each.person == person]
        found = [each for each in own if self._waits(each, since)]
        return Waiting(files=len(found), bytes=sum(each.bytes for each in found))

    def _waits(self, upload: Upload, since: datetime) -> bool:
        job = self._jobs.get(upload.job)
        if upload.at >= since:
            return job is None or job.state is not JobState.DONE
        return job is not None and job.state in (JobState.QUEUED, *LEASED)

    async def purge(self, before: datetime) -> int:
        """See the port."""
        return self._uploads.drop_where(lambda each: not each.job and each.at < before)
