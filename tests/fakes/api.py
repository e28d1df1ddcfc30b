"""The API on a portal with workers: in this process, or served on loopback for real clients."""

import asyncio
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import httpx
from fastapi import FastAPI

from bot.app import listen
from bot.clock import SystemClock
from bot.core.api_keys import Scope, create
from bot.core.caller import Caller
from bot.core.limits import UploadLimits
from bot.core.ports import Renderer, Studio
from bot.core.publishing import Publisher
from bot.core.rendering import RenderingWorker
from bot.core.sending import Sender
from bot.web.server import PortalServer
from brand.kit import Aspect, BrandKit, GenerationDefaults, Template, Variable, WayPolicy
from tests.fakes.portal import Portal, make_portal
from tests.fakes.town import KIT

V = TypeVar("V")
CALL_S = 30
BASE = "http://api.test"
EVERY = tuple(scope.value for scope in Scope if scope is not Scope.ADMIN)
API_KIT = replace(
    KIT,
    generation=GenerationDefaults(
        model="demo",
        aspects=(
            Aspect(name="1:1", width=64, height=64),
            Aspect(name="2:1", width=128, height=64),
        ),
        samplers=("dpmpp_2m_karras", "euler", "euler_a"),
    ),
    ways=WayPolicy(
        inpaint=True, outpaint=True, controls=("canny", "depth"), image_prompt=True, highres=2.0
    ),
    templates=(
        Template(
            name="product",
            text="a [COLOR] [WORDS]",
            variables=(Variable(name="COLOR", values=("red", "blue"), default="red"),),
        ),
    ),
)


@dataclass
class Api:
    """A portal's API with clients that have keys."""

    portal: Portal

    @property
    def app(self) -> FastAPI:
        """The API's own application."""
        app: FastAPI = self.portal.app.state.api
        return app

    async def key(self, who: str = "mia", scopes: Sequence[str] = EVERY) -> str:
        """A new key of this person's."""
        house = self.portal.town.house
        caller = Caller(person=self.portal.town.people[who], actor=self.portal.town.actor(who))
        _, text = await create(house, caller, label="test", scopes=scopes)
        return text

    @asynccontextmanager
    async def client(
        self, who: str = "mia", scopes: Sequence[str] = EVERY, *, key: str | None = None
    ) -> AsyncIterator[httpx.AsyncClient]:
        """A program with a key of this person's; with `key` "" one without."""
        text = await self.key(who, scopes) if key is None else key
        headers = {"authorization": f"Bearer {text}"} if text else {}
        transport = httpx.ASGITransport(app=self.portal.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(
            transport=transport, base_url=BASE, headers=headers, timeout=30
        ) as client:
            yield client

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Render, send and post in the background."""
        house, stop = self.portal.town.house, asyncio.Event()
        loops = (RenderingWorker(house, "w"), Publisher(house, "p"), Sender(house, "s"))
        tasks = [asyncio.create_task(loop.run(stop)) for loop in loops]
        try:
            yield
        finally:
            stop.set()
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task


async def make_api(
    kit: BrandKit = API_KIT,
    *,
    renderer: Renderer | None = None,
    studio: Studio | None = None,
    uploads: UploadLimits | None = None,
) -> Api:
    """An API on memory, by the clock of this machine."""
    portal = await make_portal(
        kit, clock=SystemClock(), renderer=renderer, studio=studio, uploads=uploads
    )
    return Api(portal=portal)


@dataclass
class Served:
    """An API that answers on loopback, in a thread with a loop of its own."""

    api: Api
    url: str
    host: str
    port: int
    key: str
    loop: asyncio.AbstractEventLoop

    def call(self, work: Coroutine[Any, Any, V]) -> V:
        """What this gives in the server's own loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(CALL_S)


@contextmanager
def served(kit: BrandKit = API_KIT, who: str = "mia") -> Iterator[Served]:
    """The real server with real clients in mind: uvicorn on a free port, workers beside it."""
    ready, ended = threading.Event(), threading.Event()
    made: list[Served] = []
    failed: list[BaseException] = []

    async def run() -> None:
        api = await make_api(kit)
        listening = listen("127.0.0.1", 0)
        port = listening.getsockname()[1]
        server = PortalServer(api.portal.app, host="127.0.0.1", port=port)
        server.capture_signals = _leave_signals  # type: ignore[method-assign]
        async with api.working():
            task = asyncio.create_task(server.serve(sockets=[listening]))
            made.append(
                Served(
                    api=api,
                    url=f"http://127.0.0.1:{port}",
                    host="127.0.0.1",
                    port=port,
                    key=await api.key(who),
                    loop=asyncio.get_running_loop(),
                )
            )
            ready.set()
            await asyncio.to_thread(ended.wait)
            server.stop()
            await task

    def thread() -> None:
        try:
            asyncio.run(run())
        except BaseException as exc:  # noqa: BLE001  (told to whoever waits)
            failed.append(exc)
            ready.set()

    running = threading.Thread(target=thread, daemon=True)
    running.start()
    ready.wait()
    if failed:
        raise failed[0]
    try:
        yield made[0]
    finally:
        ended.set()
        running.join()
    if failed:
        raise failed[0]


@contextmanager
def _leave_signals() -> Iterator[None]:
    yield
