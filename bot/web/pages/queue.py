"""The queue: what renders, what waits, how long it will take, and how to stop it."""

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from bot.core.cards import job_status, running_buttons
from bot.core.errors import NotAllowed
from bot.core.jobs import Job
from bot.core.lives import JobState
from bot.core.messages import Button
from bot.core.policy import may_handle
from bot.core.ports import Transaction
from bot.core.progressing import progress_words
from bot.core.seeing import may_see_job
from bot.core.telling import name_of, seconds_each
from bot.web.frame import Frame, Framed
from bot.web.messages import preview_version

router = APIRouter(prefix="/queue")
MAX_SHOWN = 100


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """One row of the queue. Words and preview only where the visitor may see them."""

    job: Job
    who: str
    words: str
    status: str
    running: bool
    fraction: float | None
    preview: str
    buttons: tuple[Button, ...]


@router.get("")
async def queue_page(frame: Framed) -> HTMLResponse:
    """Running ones first, then in the order they will be taken."""
    async with frame.house.store.read() as tx:
        jobs = await tx.jobs.unfinished(brand=frame.kit.id)
        each = await seconds_each(tx, frame.kit.id)
        rows = [await _row(tx, frame, job, each) for job in jobs[:MAX_SHOWN]]
    facts: dict[str, Any] = {"rows": rows, "total": len(jobs), "each": each}
    if frame.wants_fragment:
        return frame.fragment("queue_rows.html", **facts)
    return frame.page("queue.html", "queue", **facts)


async def _row(tx: Transaction, frame: Frame, job: Job, each: float | None) -> Waiting:
    person = frame.visitor.person
    seen = may_see_job(frame.kit, person, job)
    running = job.state is not JobState.QUEUED
    live = frame.house.live.get(job.id) if running else None
    place = None if running or job.is_paused else await tx.jobs.place(job.id)
    status = progress_words(live) if live else job_status(job, place, each)
    handles = _handles(frame, job)
    return Waiting(
        job=job,
        who=await name_of(tx, job.requester),
        words=job.brief.words or f"template {job.brief.template}" if seen else "",
        status=status.removesuffix(" I'll update this message."),
        running=running,
        fraction=live.fraction if live else None,
        preview=preview_version(live.preview) if live and seen else "",
        buttons=running_buttons(job) if handles else (),
    )


def _handles(frame: Frame, job: Job) -> bool:
    """Whether the visitor may pause or cancel it: a button that will be refused isn't shown."""
    try:
        may_handle(frame.kit, frame.visitor.person, job.requester)
    except NotAllowed:
        return False
    return True
