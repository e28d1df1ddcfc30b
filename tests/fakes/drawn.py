"""A Renderer port that draws in this process, slowly if wanted: pictures worth looking at."""

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

from brand.spec import (
    InputMissing,
    ModelInfo,
    Picture,
    Progress,
    RendererHealth,
    RenderRequest,
    sha256_hex,
)
from generation.drawn_engine import DrawnEngine
from generation.engines import Engine, Wish


class _Inputs:
    """Uploaded files in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, sha256: str) -> Path:
        path = self._folder / sha256
        if not path.is_file():
            raise InputMissing(f"{sha256} has not been uploaded")
        return path


class DrawnRenderer:
    """The drawn engine behind the Renderer port; `step_seconds` can be changed at any time."""

    def __init__(self, folder: Path, *, step_seconds: float = 0.0) -> None:
        self._folder = folder
        self._stopped: dict[str, threading.Event] = {}
        self._paused: set[str] = set()
        self.step_seconds = step_seconds

    async def render(self, request: RenderRequest) -> AsyncIterator[Progress | Picture]:
        """Progress as it comes, then the picture."""
        engine = self._engine()
        loop, items = asyncio.get_running_loop(), asyncio.Queue[Progress | Picture | Exception]()
        stop = self._stopped.setdefault(request.render_id, threading.Event())

        def put(item: Progress | Picture | Exception) -> None:
            loop.call_soon_threadsafe(items.put_nowait, item)

        def wished() -> Wish:
            return replace(Wish.of(request), paused=request.render_id in self._paused)

        def work() -> None:
            try:
                put(engine.render(request, _Inputs(self._folder), put, stop.is_set, wished))
            except Exception as exc:  # noqa: BLE001 - handed over to whoever waits
                put(exc)

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        while True:
            item = await items.get()
            if isinstance(item, Exception):
                raise item
            yield item
            if isinstance(item, Picture):
                return

    def _engine(self) -> Engine:
        return DrawnEngine(step_seconds=self.step_seconds)

    async def cancel(self, render_id: str) -> None:
        """Stop it at the next step."""
        self._stopped.setdefault(render_id, threading.Event()).set()

    async def pause(self, render_id: str) -> None:
        """Let it wait from the next step on."""
        self._paused.add(render_id)

    async def resume(self, render_id: str) -> None:
        """Let it go on."""
        self._paused.discard(render_id)

    async def put_blob(self, data: bytes) -> str:
        """Keep an input."""
        sha256 = sha256_hex(data)
        await asyncio.to_thread((self._folder / sha256).write_bytes, data)
        return sha256

    async def allow_loras(self, brand: str, sha256s: Sequence[str]) -> None:
        """Drawings use none."""

    async def models(self) -> Sequence[ModelInfo]:
        """The drawing hand's names."""
        return self._engine().models()

    async def health(self) -> RendererHealth:
        """Always well."""
        return RendererHealth(
            ready=True,
            device="cpu",
            engine="drawn/1",
            queued=0,
            running=0,
            models=tuple(await self.models()),
        )


class EngineRenderer(DrawnRenderer):
    """The same with any engine that is loaded."""

    def __init__(self, folder: Path, engine: Engine) -> None:
        super().__init__(folder)
        self._loaded = engine

    def _engine(self) -> Engine:
        return self._loaded
