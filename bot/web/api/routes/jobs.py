"""Jobs: ask for pictures, look, pause, cancel."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from fastapi.responses import JSONResponse

from bot.core.commands import Cancel, PauseJob, ResumeJob
from bot.core.errors import NotFound
from bot.core.jobs import Job
from bot.core.lives import JobState
from bot.core.seeing import Sight
from bot.web.api.answered import JobOut, JobPage
from bot.web.api.asked import BriefIn, OutpaintIn
from bot.web.api.caller import Client, Reading, Submitting
from bot.web.api.cursors import MAX_CURSOR, cursor_of, read_cursor
from bot.web.api.documents import problems
from bot.web.api.failures import ApiFailure, failure_of_card
from bot.web.api.shapes import ID, NAME
from bot.web.api.submitting import IdempotencyKey, job_of, submit
from bot.web.api.views import job_out
from brand.brief import Brief, ControlWish
from brand.spec import Outpaint, SpecInvalid

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])
MAX_PAGE = 100
ROUNDS = 6
"""So many pages of records are looked through for one page that the member may see."""
JobId = Annotated[str, Path(pattern=ID, description="A job's id")]


def brief_of(wanted: BriefIn) -> Brief:
    """The same Brief that a chat makes."""
    plain = wanted.model_dump(exclude={"brand", "variables", "controls", "outpaint"})
    return Brief(
        **plain,
        variables=tuple(wanted.variables.items()),
        controls=tuple(ControlWish(**use.model_dump()) for use in wanted.controls),
        outpaint=_outpaint(wanted.outpaint) if wanted.outpaint else None,
    )


def _outpaint(wanted: OutpaintIn) -> Outpaint:
    try:
        return Outpaint(**wanted.model_dump())
    except SpecInvalid as exc:
        raise ApiFailure(
            status=422, code="mistake", detail=f"Please check: {exc}.", param="outpaint"
        ) from exc


@router.post(
    "",
    status_code=202,
    response_model=JobOut,
    responses={
        202: {
            "description": "Queued; the address of the job is in Location",
            "headers": {"Location": {"schema": {"type": "string"}}},
        },
        **problems(404, 409, 413, 415, 429),
    },
)
async def ask(client: Submitting, brief: BriefIn, key: IdempotencyKey = None) -> JSONResponse:
    """Ask for pictures. They are rendered, checked and kept under the brand's kit, as if the
    key's member had asked in a chat."""
    answer = await submit(client, brief_of(brief), brief.brand, key)
    return JSONResponse(answer, status_code=202, headers={"Location": answer["href"]})


@router.get("", response_model=JobPage, responses=problems())
async def list_jobs(
    client: Reading,
    brand: Annotated[NAME, Query(description="Of this brand alone")] = "",
    state: Annotated[JobState | None, Query(description="In this state alone")] = None,
    everybody: Annotated[
        bool, Query(description="Also jobs of others that the member may see")
    ] = False,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 20,
    cursor: Annotated[str, Query(max_length=MAX_CURSOR)] = "",
) -> JobPage:
    """Jobs, newest first."""
    filters = ("jobs", brand, state, everybody, client.person.id)
    before = read_cursor(cursor, *filters)
    requester = "" if everybody else client.person.id
    seen: list[Job] = []
    more = False
    async with client.house.store.read() as tx:
        sight = Sight(tx, client.person)
        for _ in range(ROUNDS):
            page = await tx.jobs.recent(
                brand=brand, requester=requester, before=before, limit=MAX_PAGE
            )
            seen += [j for j in page if (state is None or j.state is state) and await sight.job(j)]
            before = page[-1].id if page else before
            more = len(page) == MAX_PAGE
            if len(seen) > limit or not more:
                break
    if len(seen) > limit:
        before, more = seen[limit - 1].id, True
    return JobPage(
        data=[job_out(client.house, job) for job in seen[:limit]],
        next=cursor_of(before, *filters) if more else None,
    )


@router.get("/{job_id}", response_model=JobOut, responses=problems(404))
async def look(client: Reading, job_id: JobId) -> JobOut:
    """One job as it stands."""
    return job_out(client.house, await visible_job(client, job_id))


@router.delete("/{job_id}", response_model=JobOut, responses=problems(404, 409))
async def cancel(client: Submitting, job_id: JobId) -> Any:  # noqa: ANN401  (as FastAPI)
    """Cancel a job: in the queue at once, while rendering at the next step."""
    await visible_job(client, job_id)
    await say(client, Cancel(job=job_id))
    return job_out(client.house, await job_of(client.house, job_id))


@router.post("/{job_id}/pause", response_model=JobOut, responses=problems(404, 409))
async def pause(client: Submitting, job_id: JobId) -> Any:  # noqa: ANN401  (as FastAPI)
    """Let a job wait: in the queue at once, while rendering from the next step on. It keeps what
    it has; one that is paused already stays so. After 24 hours it is cancelled."""
    await visible_job(client, job_id)
    await say(client, PauseJob(job=job_id))
    return job_out(client.house, await job_of(client.house, job_id))


@router.post("/{job_id}/resume", response_model=JobOut, responses=problems(404, 409))
async def resume(client: Submitting, job_id: JobId) -> Any:  # noqa: ANN401  (as FastAPI)
    """Let a paused job go on; one that is not paused goes on anyway."""
    await visible_job(client, job_id)
    await say(client, ResumeJob(job=job_id))
    return job_out(client.house, await job_of(client.house, job_id))


async def visible_job(client: Client, job_id: str) -> Job:
    """A job that the member may see. Raises NotFound."""
    async with client.house.store.read() as tx:
        job = await tx.jobs.get(job_id)
        if not await Sight(tx, client.person).job(job):
            raise NotFound("That job isn't one that you can see.")
    return job


async def say(client: Client, command: Any) -> None:  # noqa: ANN401  (any command)
    """Give a command through the door. Raises ApiFailure with its refusal."""
    house = client.house
    if house.door is None:
        raise RuntimeError("The composition root left the door out.")
    card = await house.door.dispatch(command, client.actor)
    if card.kind == "error":
        raise failure_of_card(card)
