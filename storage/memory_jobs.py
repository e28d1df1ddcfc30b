"""Jobs in memory."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.fairness import fair_turn, virtual_time
from bot.core.jobs import Job, Pace, QueuePlace
from bot.core.lives import JOB_STEPS, JobState
from storage.memory_tables import Table, Tables, after
from storage.steps import LEASED, lease_lost


class MemoryJobs:
    """The Jobs port."""

    def __init__(self, tables: Tables) -> None:
        self._jobs: Table[Job] = Table(tables, "job")
        self._finishes: Table[int] = Table(tables, "finish of turns")

    async def add(self, job: Job) -> None:
        """See the port."""
        self._jobs.add(job.id, job)

    async def get(self, job_id: str) -> Job:
        """See the port."""
        return self._jobs.need(job_id)

    async def hold(self, job_id: str) -> Job:
        """See the port; writing transactions take turns here."""
        return self._jobs.need(job_id)

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
        queued = [
            job
            for job in self._queued()
            if (least is None or job.priority >= least) and job.requester not in besides
        ]
        if not queued:
            return None
        job = queued[0]
        claimed = replace(
            job,
            state=JobState.RENDERING,
            fence=job.fence + 1,
            starts=job.starts + 1,
            worker=worker,
            lease_until=now + lease,
            updated_at=now,
        )
        return self._jobs.update(claimed, job, JOB_STEPS)

    async def renew(self, job: Job, *, until: datetime) -> Job:
        """See the port."""
        stored = self._jobs.need(job.id)
        if stored.fence != job.fence or stored.state not in LEASED:
            raise lease_lost(job)
        renewed = replace(stored, lease_until=until)
        self._jobs.put(job.id, renewed)
        return renewed

    async def release_expired(self, now: datetime) -> int:
        """See the port."""
        lost = [job for job in self._leased() if job.lease_until and job.lease_until <= now]
        for job in lost:
            freed = replace(job, state=JobState.QUEUED, worker="", lease_until=None, updated_at=now)
            self._jobs.update(freed, job, JOB_STEPS)
        return len(lost)

    async def update(self, new: Job, *, was: Job) -> Job:
        """See the port."""
        if new.lease_until == was.lease_until:
            new = replace(new, lease_until=self._jobs.need(was.id).lease_until)
        return self._jobs.update(new, was, JOB_STEPS)

    async def place(self, job_id: str) -> QueuePlace:
        """See the port."""
        job = self._jobs.need(job_id)
        queued = self._queued()
        ahead = len(self._leased()) + queued.index(job) if job in queued else 0
        return QueuePlace(ahead=ahead, waiting=len(queued))

    async def paused_before(self, when: datetime, *, limit: int) -> Sequence[Job]:
        """See the port."""
        waiting = self._waiting() + self._leased()
        return [job for job in waiting if job.paused_at and job.paused_at <= when][:limit]

    async def running(self) -> Sequence[Job]:
        """See the port."""
        return self._leased()

    async def unfinished(self, *, brand: str = "", requester: str = "") -> Sequence[Job]:
        """See the port."""
        free = [job for job in self._waiting() if not job.hold]
        held = [job for job in self._waiting() if job.hold]
        every = self._leased() + free + held
        return [job for job in every if _of(job, brand, requester)]

    async def open_count(self, brand: str, *, requester: str = "", place: str = "") -> int:
        """See the port."""
        every = await self.unfinished(brand=brand, requester=requester)
        return sum(not job.slot and place in ("", job.place) for job in every)

    async def take_turn(self, requester: str, *, priority: int, pictures: int) -> int:
        """See the port."""
        fresh = [j.turn for j in self._queued() if j.priority == priority and j.fence == 0]
        finishes = self._finishes.pairs()
        largest = max((end for (where, _), end in finishes if where == priority), default=0)
        virtual = virtual_time(min(fresh, default=None), largest)
        turn = fair_turn(virtual, self._finishes.get((priority, requester)) or 0)
        self._finishes.put((priority, requester), turn + pictures)
        return turn

    async def holds(self) -> Sequence[str]:
        """See the port."""
        return sorted({job.hold for job in self._waiting() if job.hold})

    async def held(self, hold: str, *, after: Job | None = None, limit: int = 100) -> Sequence[Job]:
        """See the port."""
        # The job itself may have moved on since; its old place counts.
        then = [after if after and job.id == after.id else job for job in self._jobs]
        following = _after(sorted(then, key=_turn), after)
        return [j for j in following if j.state is JobState.QUEUED and j.hold == hold][:limit]

    async def recent(
        self, *, brand: str = "", requester: str = "", before: str = "", limit: int = 50
    ) -> Sequence[Job]:
        """See the port."""
        jobs = after(self._jobs.newest(lambda job: job.created_at), before)
        return [job for job in jobs if _of(job, brand, requester)][:limit]

    async def pace(self, brand: str, *, of: int) -> Pace:
        """See the port."""
        newest = await self.recent(brand=brand, limit=of)
        done = [job for job in newest if job.state is JobState.DONE and job.seconds > 0]
        return Pace(
            jobs=len(done),
            pictures=sum(item.was_rendered for job in done for item in job.items),
            seconds=sum(job.seconds for job in done),
        )

    def _in_turn(self) -> list[Job]:
        return self._jobs.oldest(_turn)

    def _waiting(self) -> list[Job]:
        return [job for job in self._in_turn() if job.state is JobState.QUEUED]

    def _queued(self) -> list[Job]:
        return [job for job in self._waiting() if not job.hold and not job.is_paused]

    def _leased(self) -> list[Job]:
        return [job for job in self._in_turn() if job.state in LEASED]


def _turn(job: Job) -> tuple[int, int, datetime]:
    return -job.priority, job.turn, job.created_at


def _after(jobs: list[Job], job: Job | None) -> list[Job]:
    return jobs if job is None else jobs[jobs.index(job) + 1 :]


def _of(job: Job, brand: str, requester: str) -> bool:
    return brand in ("", job.brand) and requester in ("", job.requester)
