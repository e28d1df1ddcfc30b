"""The probes on a port of their own: for roles without a portal, and for a Prometheus beside it."""

from pathlib import Path

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

from bot.core.health import Examiner
from bot.core.house import House
from bot.web.metrics import Metrics
from bot.web.pages.probes import alive, exposition, readiness


def build_probes(house: House, metrics: Metrics, *, disk: Path | None) -> FastAPI:
    """An application with /healthz, /readyz, /metrics and /metrics/generation alone."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.get("/healthz")(alive)

    examiner = Examiner(house, disk)

    @app.get("/readyz")
    async def ready() -> Response:
        return readiness(await examiner.report())

    @app.get("/metrics")
    async def own(request: Request) -> Response:
        return await exposition(request, metrics, metrics.own)

    @app.get("/metrics/generation")
    async def generation(request: Request) -> Response:
        return await exposition(request, metrics, metrics.generation)

    async def plain(_: Request, exc: Exception) -> Response:
        return Response(status_code=exc.status_code if isinstance(exc, HTTPException) else 500)

    app.add_exception_handler(HTTPException, plain)
    return app
