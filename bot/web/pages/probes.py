"""Probes: what machines ask. Is it alive, can it take in commands, how is it doing?

/healthz            200 while the process answers
/readyz             200 where commands can be taken in, else 503; JSON says which part is how
/metrics            Prometheus' text format, with the token of the settings only
/metrics/generation the same of the generation service, which may listen on a UNIX socket alone

They say nothing secret: no address, no name, no error's text of a library.
"""

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from bot.core.health import Report
from bot.web.metrics import CONTENT_TYPE, Exposition, Metrics
from bot.web.site import site_of
from brand.spec import RenderError

router = APIRouter()
NO_STORE = {"Cache-Control": "no-store"}


@router.get("/healthz")
async def alive() -> Response:
    """The process answers."""
    return JSONResponse({"status": "ok"}, headers=NO_STORE)


@router.get("/readyz")
async def ready(request: Request) -> Response:
    """Whether commands can be taken in, and each part's condition."""
    return readiness(await site_of(request).examiner.report())


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """This process's metrics."""
    found = site_of(request).metrics
    return await exposition(request, found, found.own if found else None)


@router.get("/metrics/generation")
async def generation_metrics(request: Request) -> Response:
    """The generation service's metrics."""
    found = site_of(request).metrics
    return await exposition(request, found, found.generation if found else None)


def readiness(report: Report) -> Response:
    """The report for machines."""
    parts = {each.name: each.condition.value for each in report.findings}
    body = {"status": report.condition.value, "ready": report.ready, "parts": parts}
    return JSONResponse(body, 200 if report.ready else 503, headers=NO_STORE)


async def exposition(
    request: Request, metrics: Metrics | None, read: Exposition | None
) -> Response:
    """The metrics, for whoever may read them; where nobody may, there is nothing here."""
    if metrics is None or read is None or metrics.hidden:
        raise HTTPException(404)
    if not metrics.allows(request.headers.get("authorization", "")):
        return Response(status_code=401, headers={"WWW-Authenticate": "Bearer", **NO_STORE})
    try:
        return Response(await read(), media_type=CONTENT_TYPE, headers=NO_STORE)
    except RenderError:
        return Response(status_code=503, headers=NO_STORE)
