"""Asking a queue for renders, and waiting for them."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from zlib import crc32

from brand.spec import (
    Picture,
    RenderError,
    RenderRequest,
    RenderSpec,
)
from generation.render_queue import RenderQueue
from generation.renders import Render
from tests.fakes.generation_service import SteppedEngine
from tests.fakes.waiting import until

STEPS = 3


class NoInputs:
    """Recipes here name no files."""

    def path(self, sha256: str) -> Path:
        raise AssertionError(sha256)


def allow(_: RenderRequest) -> None:
    pass


Starter = Callable[..., Awaitable[RenderQueue]]


def request(
    render_id: str, *, priority: int = 0, seed: int | None = None, brand: str = "b"
) -> RenderRequest:
    """Every id asks for a picture of its own unless a seed is given."""
    spec = RenderSpec(
        prompt="a red mug",
        model="drawn",
        seed=crc32(render_id.encode()) if seed is None else seed,
        width=64,
        height=64,
        steps=STEPS,
    )
    return RenderRequest(render_id=render_id, brand=brand, spec=spec, priority=priority)


async def ended(render: Render) -> Picture | RenderError:
    async for _ in render.events():
        pass
    found = render.picture or render.error
    assert found is not None
    return found


async def running(render: Render) -> None:
    await until(lambda: render.running)


class ManySlots(SteppedEngine):
    """Takes eight at once."""

    slots = 8
