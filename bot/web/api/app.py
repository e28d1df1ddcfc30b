"""The API's application: an own one, so that nothing of the pages (cookies, forms) is in it."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse

from bot.web.api.caller import OPENAPI
from bot.web.api.documents import with_failures
from bot.web.api.failures import add_failures
from bot.web.api.guard import ApiGuard
from bot.web.api.routes import (
    brands,
    controlnet,
    events,
    images,
    inputs,
    jobs,
    models,
    pictures,
    reviews,
    usage,
    webui,
    webui_pictures,
)
from bot.web.api.webui.underway import Underway
from bot.web.site import Site, hang

ROUTES = (
    *(jobs, events, pictures, inputs, brands, reviews, usage, models, images),
    *(webui, webui_pictures, controlnet),
)
ABOUT = (
    "On-brand pictures for programs. Every request passes the same door as a chat's: the brand's "
    "template and rules, its approved LoRA, the gates, budgets, reviews and the audit log. "
    "Failures are problem+json (RFC 9457); the OpenAI- and AUTOMATIC1111-shaped routes fail in "
    "their own shapes."
)


def build_api(site: Site) -> FastAPI:
    """The API of a site."""
    app = FastAPI(
        title="Housestyle",
        version="1",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    hang(app, site)
    for module in ROUTES:
        app.include_router(module.router)
    app.state.underway = Underway()
    add_failures(app)
    app.add_middleware(ApiGuard, house=site.house)

    @app.get(OPENAPI, include_in_schema=False)
    async def document(request: Request) -> JSONResponse:
        """This API, as OpenAPI 3.1."""
        return JSONResponse(openapi_of(app))

    return app


def openapi_of(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, made once."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title, version=app.version, description=ABOUT, routes=app.routes
        )
        app.openapi_schema = with_failures(document)
    return app.openapi_schema
