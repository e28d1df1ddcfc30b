"""The portal: chat, queue, gallery, review board and the rest, rendered on the server.

Every page works without JavaScript; the scripts make it live. Handlers are thin: they read
through the store and give commands through the desk, where the one door is.
"""

from collections.abc import Sequence
from pathlib import Path

from fastapi import FastAPI

from bot.core.health import Examiner
from bot.core.house import House
from bot.web.api.app import build_api
from bot.web.api.guard import Doorway
from bot.web.desk import Desk
from bot.web.failures import add_failures, refuse
from bot.web.guard import Guard
from bot.web.metrics import Metrics
from bot.web.own_files import OwnFiles
from bot.web.pages import (
    account,
    act,
    audit,
    brands,
    calendar,
    calendar_new,
    chat,
    enter,
    files,
    gallery,
    health,
    live,
    people,
    picture,
    probes,
    queue,
    review,
    signin,
    usage,
)
from bot.web.signing_in.flow import Flow
from bot.web.signing_in.providers import Provider
from bot.web.site import Site, hang, site_of_app, templates_of
from bot.web.streams import Streams
from bot.web.thumbs import Thumbs

PAGES = (
    enter,
    signin,
    chat,
    act,
    queue,
    gallery,
    picture,
    review,
    calendar,
    calendar_new,
    brands,
    people,
    account,
    usage,
    audit,
    health,
    probes,
    files,
    live,
)


def build_portal(
    house: House,
    desk: Desk,
    *,
    disk: Path | None = None,
    providers: Sequence[Provider] = (),
    metrics: Metrics | None = None,
) -> FastAPI:
    """The portal's application.

    `desk` is the local chat's incoming side; `disk` is the folder whose free space the health
    page watches; `providers` are those that people may sign in with; `metrics` are shown at
    /metrics. Cookies and headers are those of https where `house.base_url` says so.
    """
    own = OwnFiles()
    secure = house.base_url.startswith("https://")
    app = FastAPI(
        title="Housestyle", openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False
    )
    site = Site(
        house=house,
        desk=desk,
        files=own,
        thumbs=Thumbs(house.blobs),
        streams=Streams(),
        templates=templates_of(own),
        secure=secure,
        disk=disk,
        examiner=Examiner(house, disk),
        metrics=metrics,
        flows={item.name: Flow(item, house.clock, house.base_url) for item in providers},
    )
    hang(app, site)
    for page in PAGES:
        app.include_router(page.router)
    add_failures(app)
    app.add_middleware(Guard, refuse=refuse, secure=secure)
    app.state.api = build_api(site)
    app.add_middleware(Doorway, api=app.state.api)
    return app


def stop_streams(app: FastAPI) -> None:
    """End every open event stream. Call it when the server is told to stop, before it waits
    for its connections: they would never end by themselves."""
    if hasattr(app.state, "site"):
        site_of_app(app).streams.stop()
