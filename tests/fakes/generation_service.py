"""The generation service in this process over real HTTP, and an engine whose pace a test sets."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from brand.spec import ModelInfo, Picture, Progress, RenderRequest, RenderSpec
from generation.client import RendererClient
from generation.drawn_engine import DrawnEngine
from generation.engines import Cancelled, Engine, Inputs, OnProgress, Wished
from generation.server import Server, bind
from generation.service import GenerationService
from generation.settings import ServiceSettings

TOKEN = "a-made-up-token-of-more-than-32-characters"
READY_S = 120.0


@dataclass(frozen=True, kw_only=True)
class Running:
    """A service that answers, and how to reach it."""

    service: GenerationService
    server: Server
    settings: ServiceSettings
    url: str

    def client(self, *, tries: int = 12, token: str | None = None) -> RendererClient:
        """A client of it."""
        if self.settings.socket is not None:
            return RendererClient(socket=self.settings.socket, tries=tries)
        given = self.settings.token if token is None else token
        return RendererClient(url=self.url, token=given, tries=tries)


@contextlib.asynccontextmanager
async def running_service(engine: Engine, settings: ServiceSettings) -> AsyncIterator[Running]:
    """Serve until the end of the block; ready when it begins."""
    listening = bind(settings)
    service = GenerationService(engine, settings)
    server = Server(service)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    url = ""
    if settings.port is not None:
        settings = replace(settings, port=listening.getsockname()[1])
        url = f"http://127.0.0.1:{settings.port}"
    try:
        async with asyncio.timeout(READY_S):
            await service.queue.loaded.wait()
        yield Running(service=service, server=server, settings=settings, url=url)
    finally:
        server.should_exit = True
        await serving
        listening.close()


def unix_settings(folder: Path, **changes: object) -> ServiceSettings:
    """Settings for a service on a UNIX socket below this folder."""
    plain = ServiceSettings(state_dir=folder / "state", socket=folder / "s.sock", engine="drawn")
    return replace(plain, **changes)  # type: ignore[arg-type]


def tcp_settings(folder: Path, **changes: object) -> ServiceSettings:
    """Settings for a service on a free TCP port, with TOKEN."""
    plain = ServiceSettings(state_dir=folder / "state", port=0, token=TOKEN, engine="drawn")
    return replace(plain, **changes)  # type: ignore[arg-type]


class SteppedEngine:
    """The drawn engine, which waits before every step until a test lets it go on."""

    slots = 1

    def __init__(self) -> None:
        self._drawn = DrawnEngine()
        self.name = self._drawn.name
        self.steps = threading.Semaphore(0)
        self.rendered: list[str] = []
        """Render ids in the order in which they were started."""

    def load(self) -> None:
        """Nothing has to be loaded."""
        self._drawn.load()

    @property
    def device(self) -> str:
        """The CPU."""
        return self._drawn.device

    def models(self) -> Sequence[ModelInfo]:
        """As the drawn engine."""
        return self._drawn.models()

    def check(self, spec: RenderSpec) -> None:
        """As the drawn engine."""
        self._drawn.check(spec)

    def go_on(self, steps: int) -> None:
        """Let it do so many steps."""
        self.steps.release(steps)

    def render(
        self,
        request: RenderRequest,
        inputs: Inputs,
        on_progress: OnProgress,
        cancelled: Cancelled,
        wished: Wished | None = None,
    ) -> Picture:
        """As the drawn engine, step by step."""
        self.rendered.append(request.render_id)

        def paced(progress: Progress) -> None:
            while not self.steps.acquire(timeout=0.01):
                if cancelled():
                    return
            on_progress(progress)

        return self._drawn.render(request, inputs, paced, cancelled, wished)
