"""The generation service over HTTP: submit, follow, fetch, cancel; inputs, lists, models, health.

POST   /renders                 202 taken, 200 already known (same render_id is one render)
GET    /renders/{id}/events     server-sent events (generation/wire.py); attach again at will
GET    /renders/{id}/picture    the PNG, for a while
DELETE /renders/{id}            stop it at the next step
PUT    /renders/{id}/pause      let it wait from the next step on; DELETE lets it go on
PUT    /blobs/{sha256}          an input file; HEAD asks whether it is here
PUT    /brands/{brand}/loras    {"sha256s": [...]}: the LoRAs that may serve
GET    /models /health /ready /metrics

Errors are problem documents (RFC 9457) with the code of the RenderError tree. Nothing in this
module loads torch: the engine does so in its own thread, after the socket has answered.
"""

import hmac
import json
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from brand.spec import (
    InputMissing,
    LoraRefused,
    ModelMissing,
    RenderBusy,
    RenderCancelled,
    RendererHealth,
    RenderError,
    RenderRequest,
    RenderUnavailable,
    SpecInvalid,
)
from generation.approved import ApprovedLoras
from generation.blobs import BlobFolder, BlobTooLarge
from generation.engines import Engine
from generation.render_queue import RenderQueue
from generation.renders import Render
from generation.settings import Limits, ServiceSettings
from generation.tracing import tracing_to
from generation.watching import GenerationWatch, Trail
from generation.wire import (
    MAX_BRAND_CHARACTERS,
    error_to_json,
    event_to_text,
    health_to_json,
    model_to_json,
    request_from_json,
)

PROBLEM = "application/problem+json"
METRICS = "text/plain; version=0.0.4; charset=utf-8"
STOPPING_EVENT = b"event: stopping\ndata: {}\n\n"
_KEEP_ALIVE = b": alive\n\n"
_STATUS: tuple[tuple[type[RenderError], int], ...] = (
    (BlobTooLarge, 413),
    (SpecInvalid, 422),
    (ModelMissing, 404),
    (LoraRefused, 403),
    (InputMissing, 409),
    (RenderBusy, 429),
    (RenderCancelled, 410),
    (RenderUnavailable, 503),
)


class GenerationService:
    """The service's parts around one engine, and its ASGI application `app`."""

    def __init__(self, engine: Engine, settings: ServiceSettings) -> None:
        self._engine = engine
        self.limits = settings.limits
        self.blobs = BlobFolder(
            settings.state_dir / "blobs",
            max_blob_bytes=self.limits.blob_bytes,
            max_bytes=self.limits.blobs_bytes,
        )
        self.approved = ApprovedLoras(
            settings.state_dir / "approved.json", max_listed=self.limits.listed_loras
        )
        tracing = tracing_to(settings.otel_endpoint, service="housestyle-generation")
        self.watch = GenerationWatch(tracing=tracing)
        self.queue = RenderQueue(engine, self.blobs, self._check, self.limits, self.watch)
        self.app = _application(self, settings.token)

    def _check(self, request: RenderRequest) -> None:
        """Refuse what may not or could not be rendered. Raises the RenderError tree."""
        spec, limits = request.spec, self.limits
        check_limits(request, limits)
        self._engine.check(spec)
        self.approved.check(request.brand, spec)
        for sha256 in spec.inputs:
            self.blobs.path(sha256)

    def health(self) -> RendererHealth:
        """What the service says of itself."""
        return RendererHealth(
            ready=self.queue.ready,
            device=self._engine.device,
            engine=self._engine.name,
            queued=self.queue.queued,
            running=self.queue.running,
            models=tuple(self._engine.models()),
            detail=self.queue.problem or ("" if self.queue.ready else "The model is loading."),
        )

    def render(self, render_id: str) -> Render:
        """Raises HTTPException 404."""
        found = self.queue.get(render_id)
        if found is None:
            raise HTTPException(404, "No such render here; submit it again.")
        return found

    async def stream(self, render: Render) -> AsyncIterator[bytes]:
        """The render's events as text, ending with `stopping` when the service goes down."""
        async for event in render.events():
            if self.queue.stopping and not render.finished:
                yield STOPPING_EVENT
                return
            yield _KEEP_ALIVE if event is None else event_to_text(event)


def check_limits(request: RenderRequest, limits: Limits) -> None:
    """Raises SpecInvalid where this service takes less than a recipe may ask for."""
    spec = request.spec
    width, height = spec.output_size
    asked = [
        ("width × height", spec.width * spec.height, limits.pixels),
        ("width × height of the finished picture", width * height, limits.output_pixels),
        ("steps", spec.steps, limits.steps),
    ]
    if spec.highres is not None:  # without steps of its own the second pass takes the first one's
        width, height = spec.highres_size
        asked += [
            ("width × height of the second pass", width * height, limits.pixels),
            ("highres.steps", spec.highres.steps, limits.steps),
        ]
    for name, value, most in asked:
        if value > most:
            raise SpecInvalid(f"{name} may be at most {most:,} here, got {value:,}")


def _application(service: GenerationService, token: str) -> FastAPI:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        service.queue.start()
        try:
            yield
        finally:
            service.queue.stop()

    app = FastAPI(lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None)
    app.add_exception_handler(RenderError, _problem_of_render_error)
    app.add_exception_handler(HTTPException, _problem_of_http_error)
    app.add_exception_handler(ClientDisconnect, _nobody_listens)
    _render_routes(app, service)
    _input_routes(app, service)
    _state_routes(app, service)
    if token:
        app.add_middleware(BearerToken, token=token)
    return app


def _render_routes(app: FastAPI, service: GenerationService) -> None:
    @app.post("/renders")
    async def submit(request: Request) -> Response:
        wanted = request_from_json(await _json(request, service))
        render, new = service.queue.submit(wanted, Trail.of(request.headers))
        return JSONResponse({"render_id": render.request.render_id}, 202 if new else 200)

    @app.get("/renders/{render_id}/events")
    async def events(render_id: str) -> Response:
        return StreamingResponse(
            service.stream(service.render(render_id)),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store"},
        )

    @app.get("/renders/{render_id}/picture")
    async def picture(render_id: str) -> Response:
        render = service.render(render_id)
        if render.error is not None:
            raise render.error
        if render.picture is None:
            raise HTTPException(409, "This render is not finished; follow its events.")
        return Response(render.picture.png, media_type="image/png")

    @app.delete("/renders/{render_id}")
    async def cancel(render_id: str) -> Response:
        service.queue.cancel(render_id)
        return Response(status_code=204)

    @app.put("/renders/{render_id}/pause")
    async def pause(render_id: str) -> Response:
        service.queue.pause(render_id, paused=True)
        return Response(status_code=204)

    @app.delete("/renders/{render_id}/pause")
    async def resume(render_id: str) -> Response:
        service.queue.pause(render_id, paused=False)
        return Response(status_code=204)


def _input_routes(app: FastAPI, service: GenerationService) -> None:
    @app.head("/blobs/{sha256}")
    async def has_blob(sha256: str) -> Response:
        return Response(status_code=204 if service.blobs.has(sha256) else 404)

    @app.put("/blobs/{sha256}")
    async def put_blob(sha256: str, request: Request) -> Response:
        with service.blobs.incoming(sha256) as incoming:
            async for part in request.stream():
                incoming.write(part)
        return Response(status_code=204)

    @app.put("/brands/{brand}/loras")
    async def allow_loras(brand: str, request: Request) -> Response:
        raw = await _json(request, service)
        hashes = raw.get("sha256s") if isinstance(raw, dict) else None
        if not isinstance(hashes, list) or not all(isinstance(sha256, str) for sha256 in hashes):
            raise SpecInvalid('the body must be {"sha256s": [...]}')
        if len(brand) > MAX_BRAND_CHARACTERS:
            raise SpecInvalid(f"brand may have at most {MAX_BRAND_CHARACTERS} characters")
        service.approved.replace(brand, hashes)
        return Response(status_code=204)


def _state_routes(app: FastAPI, service: GenerationService) -> None:
    @app.get("/models")
    async def models() -> Response:
        return JSONResponse({"models": [model_to_json(m) for m in service.health().models]})

    @app.get("/health")
    async def health() -> Response:
        return JSONResponse(health_to_json(service.health()))

    @app.get("/metrics")
    async def metrics() -> Response:
        return Response(service.watch.exposition(), media_type=METRICS)

    @app.get("/ready")
    async def ready() -> Response:
        return Response(status_code=204 if service.queue.ready else 503)


async def _json(request: Request, service: GenerationService) -> Any:  # noqa: ANN401  # JSON
    limit = service.limits.request_bytes
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > limit:
            raise HTTPException(413, f"A request may have at most {limit:,} bytes.")
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise HTTPException(400, "The body is not JSON.") from exc


class BearerToken:
    """Lets only requests with the token through, before anything of them is read."""

    def __init__(self, app: ASGIApp, *, token: str) -> None:
        self._app = app
        self._expected = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers 401 where the header is missing or wrong."""
        if scope["type"] == "http":
            given = dict(scope["headers"]).get(b"authorization", b"")
            if not hmac.compare_digest(given, self._expected):
                refusal = _problem(
                    401, code="unauthorized", detail="This needs the service's bearer token."
                )
                refusal.headers["WWW-Authenticate"] = "Bearer"
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)


async def _problem_of_render_error(_: Request, exc: Exception) -> Response:
    if not isinstance(exc, RenderError):
        raise exc
    status = next((status for kind, status in _STATUS if isinstance(exc, kind)), 500)
    response = _problem(status, **error_to_json(exc))
    if isinstance(exc, RenderBusy):
        response.headers["Retry-After"] = str(math.ceil(exc.retry_after_s))
    return response


async def _problem_of_http_error(_: Request, exc: Exception) -> Response:
    if not isinstance(exc, HTTPException):
        raise exc
    return _problem(exc.status_code, code=f"http_{exc.status_code}", detail=str(exc.detail))


async def _nobody_listens(_: Request, __: Exception) -> Response:
    return Response(status_code=400)  # the upload broke off; its part is already gone


def _problem(status: int, **facts: Any) -> JSONResponse:
    title = HTTPStatus(status).phrase
    body = {"type": "about:blank", "title": title, "status": status, **facts}
    return JSONResponse(body, status, media_type=PROBLEM)
