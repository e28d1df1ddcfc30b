"""A Renderer port without a process: draws flat test pictures, and fails when told to."""

import asyncio
import io
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence

import numpy as np
from PIL import Image

from brand.spec import (
    InputMissing,
    LoraRefused,
    ModelInfo,
    Picture,
    Progress,
    RenderCancelled,
    RendererHealth,
    RenderError,
    RenderRequest,
    RenderSpec,
    RenderUnavailable,
    ReproductionClass,
    sha256_hex,
)

CLASS = ReproductionClass(
    weights="0" * 64,
    engine="fake/1",
    dtype="uint8",
    device="cpu",
    capability="any",
    threads=1,
)
Paint = Callable[[RenderSpec], Image.Image]


def noise(spec: RenderSpec) -> Image.Image:
    """A picture that depends on the recipe alone: sharp noise in its size."""
    rng = np.random.default_rng(int(spec.hash[:15], 16))
    width, height = spec.output_size
    small = rng.integers(0, 256, (max(height // 8, 1), max(width // 8, 1), 3), dtype=np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.NEAREST)


class FakeRenderer:
    """Enforces what the service enforces: inputs first, LoRAs on the brand's list only."""

    def __init__(self, paint: Paint = noise) -> None:
        self.paint = paint
        self.requests: list[RenderRequest] = []
        self.blobs: dict[str, bytes] = {}
        self.allowed: dict[str, frozenset[str]] = {}
        self.cancelled: set[str] = set()
        self._stops: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._news: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self.paused: set[str] = set()
        self.away = False
        """Whether it can't be told to stop anything."""
        self.failures: list[RenderError] = []
        """Raised, one a render, before anything is drawn."""
        self.before_picture: Callable[[RenderRequest], object] = lambda _: None

    async def render(self, request: RenderRequest) -> AsyncIterator[Progress | Picture]:
        """Two steps of progress, then the picture."""
        self.requests.append(request)
        if self.away:
            raise RenderUnavailable("The generation service does not answer.")
        if self.failures:
            raise self.failures.pop(0)
        self._check_inputs(request)
        for done in (1, 2):
            yield Progress(done=done, total=2)
        hook = self.before_picture(request)
        if hasattr(hook, "__await__"):
            await hook
        async for event in self._while_paused(request, 2):
            yield event
        if request.render_id in self.cancelled:
            raise RenderCancelled("cancelled on request")
        image = self.paint(request.spec)
        out = io.BytesIO()
        image.save(out, "PNG")
        yield Picture(
            png=out.getvalue(),
            width=image.width,
            height=image.height,
            reproduction=CLASS,
            seconds=0.5,
        )

    def _check_inputs(self, request: RenderRequest) -> None:
        spec = request.spec
        allowed = self.allowed.get(request.brand, frozenset())
        for sha256 in spec.approved_files:
            if sha256 not in allowed:
                raise LoraRefused(f"{sha256} is not on the list of {request.brand}")
        for sha256 in spec.inputs:
            if sha256 not in self.blobs:
                raise InputMissing(f"{sha256} has not been uploaded")

    async def cancel(self, render_id: str) -> None:
        """Takes effect at the next step."""
        if self.away:
            raise RenderUnavailable("The generation service does not answer.")
        self.cancelled.add(render_id)
        self._stops[render_id].set()
        self._news[render_id].set()

    async def pause(self, render_id: str) -> None:
        """Takes effect at the next step."""
        self.paused.add(render_id)
        self._news[render_id].set()

    async def resume(self, render_id: str) -> None:
        """It goes on."""
        self.paused.discard(render_id)
        self._news[render_id].set()

    async def _while_paused(self, request: RenderRequest, done: int) -> AsyncIterator[Progress]:
        told = False
        while request.render_id in self.paused and request.render_id not in self.cancelled:
            self._news[request.render_id].clear()
            if not told:
                yield Progress(done=done, total=2, paused=True)
            told = True
            await self._news[request.render_id].wait()

    async def until_cancelled(self, render_id: str) -> None:
        """Return once this render is told to stop."""
        await self._stops[render_id].wait()

    async def put_blob(self, data: bytes) -> str:
        """Keep an input."""
        sha256 = sha256_hex(data)
        self.blobs[sha256] = data
        return sha256

    async def allow_loras(self, brand: str, sha256s: Sequence[str]) -> None:
        """Replace the brand's list."""
        self.allowed[brand] = frozenset(sha256s)

    async def models(self) -> Sequence[ModelInfo]:
        """One model."""
        return (ModelInfo(name="demo", sha256="0" * 64, layout="drawn", width=64, height=64),)

    async def health(self) -> RendererHealth:
        """Well, unless it is away."""
        if self.away:
            raise RenderUnavailable("The generation service does not answer.")
        return RendererHealth(ready=True, device="cpu", engine="fake/1", queued=0, running=0)
