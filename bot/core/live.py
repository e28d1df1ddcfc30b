"""Live progress of running jobs, kept in memory: lossy by design, the truth is the job's row."""

from dataclasses import dataclass, field, replace


@dataclass(frozen=True, kw_only=True)
class LiveProgress:
    """How far a job is. `fraction` from 0 to 1 over all its pictures."""

    fraction: float
    place: int = 0
    eta_s: float | None = None
    preview: bytes = field(default=b"", repr=False)
    """The newest small JPEG, or empty."""
    picture: int = 1
    pictures: int = 1
    paused: bool = False


class LiveBoard:
    """The newest progress of each running job."""

    def __init__(self) -> None:
        self._jobs: dict[str, LiveProgress] = {}

    def put(self, job_id: str, progress: LiveProgress) -> None:
        """Note the newest progress; an empty preview keeps the previous one."""
        if not progress.preview and (old := self._jobs.get(job_id)):
            progress = replace(progress, preview=old.preview)
        self._jobs[job_id] = progress

    def get(self, job_id: str) -> LiveProgress | None:
        """The newest progress, or None if the job does not run here."""
        return self._jobs.get(job_id)

    def drop(self, job_id: str) -> None:
        """The job has ended."""
        self._jobs.pop(job_id, None)
