"""What engines throw, cannot do or leave behind, and what the queue makes of it."""

import gc
from weakref import ref

import pytest

from brand.spec import (
    Picture,
    RenderFailed,
    RenderRequest,
    RenderUnavailable,
)
from generation.engines import Engine, EngineUnusable
from generation.lazy_engine import LazyEngine
from tests.fakes.generation_service import SteppedEngine
from tests.fakes.waiting import until
from tests.unit.generation.render_queue.asking import (
    STEPS,
    Starter,
    ended,
    request,
)


class Breaking(SteppedEngine):
    """Throws what no engine should."""

    def render(self, *_: object) -> Picture:
        raise ZeroDivisionError("0 steps")


async def test_whatever_the_engine_throws_becomes_an_answer_with_a_reference(
    start: Starter, caplog: pytest.LogCaptureFixture
) -> None:
    queue = await start(on=Breaking())
    outcome = await ended(queue.submit(request("a"))[0])
    assert isinstance(outcome, RenderFailed)
    reference = str(outcome).partition("reference ")[2].rstrip(").")
    assert reference in caplog.text
    assert isinstance(await ended(queue.submit(request("b"))[0]), RenderFailed)


class Latents:
    """Stands for what an engine's frames hold."""


class Failing(SteppedEngine):
    """Fails with something large in hand, as a cancelled or a broken render does."""

    def render(self, *_: object) -> Picture:
        latents = Latents()
        self.held = ref(latents)
        try:
            raise MemoryError
        except MemoryError as exc:
            raise RenderFailed("too large") from exc


class Giving(SteppedEngine):
    """Remembers its newest picture as long as somebody else does."""

    def render(self, wanted: RenderRequest, *more: object) -> Picture:
        picture = super().render(wanted, *more)  # type: ignore[arg-type]
        self.held = ref(picture)
        return picture


async def test_a_failed_render_keeps_nothing_of_the_engine_alive(start: Starter) -> None:
    engine = Failing()
    queue = await start(on=engine)
    render, _ = queue.submit(request("a"))
    assert isinstance(await ended(render), RenderFailed)
    gc.collect()
    assert engine.held() is None


async def test_an_idle_thread_keeps_no_picture_alive(start: Starter) -> None:
    engine = Giving()
    queue = await start(on=engine, keep_seconds=0)
    engine.go_on(STEPS)
    await ended(queue.submit(request("a"))[0])
    assert queue.get("a") is None

    def forgotten() -> bool:
        gc.collect()
        return engine.held() is None

    await until(forgotten)


class Passing(SteppedEngine):
    """Fails for a passing reason the first time."""

    def render(self, wanted: RenderRequest, *more: object) -> Picture:
        if not self.rendered:
            self.rendered.append(wanted.render_id)
            raise RenderUnavailable("not now")
        return super().render(wanted, *more)  # type: ignore[arg-type]


async def test_a_render_that_failed_for_a_passing_reason_can_be_submitted_again(
    start: Starter,
) -> None:
    engine = Passing()
    queue = await start(on=engine)
    assert isinstance(await ended(queue.submit(request("a"))[0]), RenderUnavailable)
    engine.go_on(STEPS)
    render, new = queue.submit(request("a"))
    assert new
    assert isinstance(await ended(render), Picture)


class Unusable(SteppedEngine):
    """Never gets ready."""

    def load(self) -> None:
        raise EngineUnusable("install the weights")


async def test_an_engine_that_cannot_start_says_so_to_everyone(start: Starter) -> None:
    queue = await start(on=Unusable())
    assert queue.problem == "install the weights"
    with pytest.raises(RenderUnavailable, match="install the weights"):
        queue.submit(request("a"))


def not_installed() -> Engine:
    raise ImportError("No module named 'torch'")


async def test_an_engine_whose_libraries_are_missing_names_them(start: Starter) -> None:
    queue = await start(on=LazyEngine(not_installed, name="diffusers"))
    assert "No module named 'torch'" in queue.problem
    assert "housestyle doctor" in queue.problem
