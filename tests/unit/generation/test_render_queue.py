"""The queue: who comes first, who is turned away, what is kept, what failures become."""

import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from weakref import ref
from zlib import crc32

import pytest

from brand.spec import (
    LoraRefused,
    Picture,
    Progress,
    RenderBusy,
    RenderCancelled,
    RenderError,
    RenderFailed,
    RenderRequest,
    RenderSpec,
    RenderUnavailable,
)
from generation.engines import Engine, EngineUnusable
from generation.lazy_engine import LazyEngine
from generation.render_queue import RenderQueue
from generation.renders import Render
from generation.settings import Limits
from generation.wire import PictureFacts
from tests.fakes.generation_service import SteppedEngine, until

STEPS = 3


class NoInputs:
    """Recipes here name no files."""

    def path(self, sha256: str) -> Path:
        raise AssertionError(sha256)


def allow(_: RenderRequest) -> None:
    pass


Starter = Callable[..., Awaitable[RenderQueue]]


@pytest.fixture
def engine() -> SteppedEngine:
    return SteppedEngine()


@pytest.fixture
async def start(engine: SteppedEngine) -> AsyncIterator[Starter]:
    """Starts queues, on this test's engine if no other is given."""
    started: list[RenderQueue] = []

    async def new_queue(
        check: Callable[[RenderRequest], None] = allow,
        *,
        on: Engine = engine,
        **limits: float,
    ) -> RenderQueue:
        queue = RenderQueue(on, NoInputs(), check, replace(Limits(), **limits))
        started.append(queue)
        queue.start()
        await queue.loaded.wait()
        return queue

    yield new_queue
    for queue in started:
        queue.stop()


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


async def test_higher_priority_goes_first_and_equals_in_their_order(
    engine: SteppedEngine, start: Starter
) -> None:
    queue = await start()
    first, _ = queue.submit(request("first"))
    rest = [queue.submit(request(name, priority=p))[0] for name, p in PRIORITIES]
    engine.go_on(STEPS * 5)
    for render in (first, *rest):
        assert isinstance(await ended(render), Picture)
    assert engine.rendered == ["first", "c", "d", "a", "b"]


PRIORITIES = [("a", 0), ("b", 0), ("c", 10), ("d", 10)]


async def test_those_who_wait_are_told_how_many_go_before_them(
    engine: SteppedEngine, start: Starter
) -> None:
    queue = await start()
    renders = [queue.submit(request(name))[0] for name in ("a", "b", "c")]
    places = [await anext(aiter(render.events())) for render in renders]
    assert [place.place for place in places if isinstance(place, Progress)] == [0, 1, 2]
    engine.go_on(STEPS)
    await ended(renders[0])
    place = await anext(aiter(renders[2].events()))
    assert isinstance(place, Progress)
    assert place.place == 1


async def test_a_full_queue_says_when_to_come_back(engine: SteppedEngine, start: Starter) -> None:
    queue = await start(queued=1)
    await running(queue.submit(request("running"))[0])
    queue.submit(request("waiting"))
    with pytest.raises(RenderBusy, match="1 renders are waiting") as busy:
        queue.submit(request("too many"))
    assert busy.value.retry_after_s >= 1
    _, new = queue.submit(request("waiting"))
    assert not new
    engine.go_on(STEPS * 2)


async def test_a_waiting_render_is_cancelled_at_once(engine: SteppedEngine, start: Starter) -> None:
    queue = await start()
    await running(queue.submit(request("running"))[0])
    waiting, _ = queue.submit(request("waiting"))
    queue.cancel("waiting")
    assert isinstance(await ended(waiting), RenderCancelled)
    assert (queue.queued, queue.running) == (0, 1)
    engine.go_on(STEPS)
    assert "waiting" not in engine.rendered


async def test_a_running_render_is_cancelled_at_its_next_step(
    engine: SteppedEngine, start: Starter
) -> None:
    queue = await start()
    render, _ = queue.submit(request("a"))
    await running(render)
    engine.go_on(1)
    queue.cancel("a")
    assert isinstance(await ended(render), RenderCancelled)
    engine.go_on(STEPS)
    assert isinstance(await ended(queue.submit(request("b"))[0]), Picture)


async def test_finished_pictures_are_forgotten_when_they_weigh_too_much(
    engine: SteppedEngine, start: Starter
) -> None:
    queue = await start(keep_bytes=1)
    engine.go_on(STEPS * 2)
    await ended(queue.submit(request("a"))[0])
    assert queue.get("a")  # the newest is always kept
    await ended(queue.submit(request("b"))[0])
    assert queue.get("a") is None
    assert queue.get("b")


async def test_finished_pictures_are_forgotten_in_time(
    engine: SteppedEngine, start: Starter
) -> None:
    queue = await start(keep_seconds=0)
    engine.go_on(STEPS)
    await ended(queue.submit(request("a"))[0])
    assert queue.get("a") is None


async def test_permission_is_asked_again_when_its_turn_has_come(
    engine: SteppedEngine, start: Starter
) -> None:
    retired: list[str] = []

    def check(wanted: RenderRequest) -> None:
        if wanted.render_id in retired:
            raise LoraRefused("retired meanwhile")

    queue = await start(check)
    await running(queue.submit(request("a"))[0])
    waiting, _ = queue.submit(request("b"))
    retired.append("b")
    engine.go_on(2 * STEPS)
    assert isinstance(await ended(waiting), LoraRefused)


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


async def test_a_slow_watcher_gets_the_newest_preview_and_the_end() -> None:
    render = Render(request("a"))
    watching = aiter(render.events())
    await anext(watching)
    for done in range(1, 9):
        preview = b"jpeg" if done == 4 else b""
        render.progressed(Progress(done=done, total=8, preview=preview))
    assert await anext(watching) == Progress(done=8, total=8, preview=b"jpeg")
    picture = SteppedEngine()
    picture.go_on(STEPS)
    made = picture.render(request("a"), NoInputs(), lambda _: None, lambda: False)
    render.succeeded(made, 0.0)
    assert await anext(watching) == PictureFacts.of(made)
    assert [event async for event in watching] == []


async def test_identical_requests_in_flight_are_rendered_once_and_charged_once(
    engine: SteppedEngine, start: Starter
) -> None:
    queue = await start()
    first, _ = queue.submit(request("first", seed=1))
    await running(first)
    second, new = queue.submit(request("second", seed=1))
    assert new
    assert (queue.queued, queue.running) == (0, 1)
    engine.go_on(STEPS)
    one, other = await ended(first), await ended(second)
    assert engine.rendered == ["first"]
    assert isinstance(one, Picture)
    assert other == replace(one, seconds=0.0)
    third, _ = queue.submit(request("third", seed=1))
    engine.go_on(STEPS)
    assert isinstance(await ended(third), Picture)
    assert engine.rendered == ["first", "third"]


async def test_another_brands_identical_recipe_is_rendered_for_itself(
    engine: SteppedEngine, start: Starter
) -> None:
    queue = await start()
    renders = [queue.submit(request(brand, seed=1, brand=brand))[0] for brand in ("a", "b")]
    engine.go_on(STEPS * 2)
    for render in renders:
        await ended(render)
    assert engine.rendered == ["a", "b"]


async def test_a_shared_render_goes_with_the_highest_priority(
    engine: SteppedEngine, start: Starter
) -> None:
    queue = await start()
    running_first, _ = queue.submit(request("first"))
    waiting = [queue.submit(request(name))[0] for name in ("a", "b")]
    urgent, _ = queue.submit(
        replace(request("b"), render_id="urgent", priority=10)  # the recipe of b
    )
    engine.go_on(STEPS * 3)
    for render in (running_first, *waiting, urgent):
        assert isinstance(await ended(render), Picture)
    assert engine.rendered == ["first", "b", "a"]


@pytest.mark.parametrize("runs", [True, False])
async def test_a_shared_render_stops_only_when_all_cancel(
    engine: SteppedEngine, start: Starter, runs: bool
) -> None:
    queue = await start()
    if not runs:
        queue.submit(request("before"))
    renders = [queue.submit(request(name, seed=1))[0] for name in ("a", "b", "c")]
    if runs:
        await running(renders[0])
    queue.cancel("a")
    queue.cancel("b")
    assert isinstance(await ended(renders[0]), RenderCancelled)
    assert isinstance(await ended(renders[1]), RenderCancelled)
    engine.go_on(STEPS * 2)
    last = await ended(renders[2])
    assert isinstance(last, Picture)
    assert last.seconds > 0  # whoever is left is charged


async def test_nobody_joins_a_render_that_is_being_cancelled(
    engine: SteppedEngine, start: Starter
) -> None:
    queue = await start()
    first, _ = queue.submit(request("first", seed=1))
    await running(first)
    queue.cancel("first")
    second, _ = queue.submit(request("second", seed=1))
    engine.go_on(STEPS * 2)
    assert isinstance(await ended(first), RenderCancelled)
    assert isinstance(await ended(second), Picture)


async def test_a_failure_is_told_to_all_who_asked(engine: SteppedEngine, start: Starter) -> None:
    retired = False

    def check(_: RenderRequest) -> None:
        if retired:
            raise LoraRefused("retired meanwhile")

    queue = await start(check)
    before, _ = queue.submit(request("before"))
    await running(before)
    renders = [queue.submit(request(name, seed=1))[0] for name in ("a", "b")]
    retired = True
    engine.go_on(STEPS)
    assert [type(await ended(render)) for render in renders] == [LoraRefused, LoraRefused]


class ManySlots(SteppedEngine):
    """Takes eight at once."""

    slots = 8


async def test_an_engine_of_many_slots_keeps_some_free_for_the_urgent(start: Starter) -> None:
    queue = await start(on=ManySlots())
    overnight = [queue.submit(request(f"overnight-{number}"))[0] for number in range(8)]
    assert (queue.running, queue.queued) == (6, 2)
    for number in range(2):
        queue.submit(request(f"urgent-{number}", priority=10))
    assert (queue.running, queue.queued) == (8, 2)
    assert [render.running for render in overnight] == [True] * 6 + [False] * 2


@pytest.mark.parametrize("change", [{"priority": 10}, {"preview_every": 4}])
async def test_whoever_wants_more_than_a_running_render_gives_has_one_of_his_own(
    start: Starter, change: dict[str, int]
) -> None:
    engine = ManySlots()
    queue = await start(on=engine)
    plain = replace(request("first", seed=1), preview_every=0)
    first, _ = queue.submit(plain)
    await running(first)
    more, _ = queue.submit(replace(plain, render_id="more", **change))
    await running(more)
    less, _ = queue.submit(replace(plain, render_id="less"))
    assert queue.running == 2
    engine.go_on(STEPS * 2)
    for render in (first, more, less):
        assert isinstance(await ended(render), Picture)
    assert sorted(engine.rendered) == ["first", "more"]


async def test_a_shared_render_makes_the_most_previews_that_any_wants(start: Starter) -> None:
    queue = await start()
    await running(queue.submit(request("before"))[0])
    shared = [
        queue.submit(replace(request("a", seed=1), render_id=str(every), preview_every=every))[0]
        for every in (0, 8, 3)
    ]
    assert shared[0].work is not None
    assert shared[0].work.request.preview_every == 3


async def test_a_picture_that_many_share_weighs_once(engine: SteppedEngine, start: Starter) -> None:
    queue = await start(keep_bytes=20_000)
    renders = [queue.submit(request(str(n), seed=1))[0] for n in range(30)]
    engine.go_on(STEPS)
    for render in renders:
        picture = await ended(render)
        assert isinstance(picture, Picture)
        assert 1_000 < len(picture.png) < 20_000
    assert all(queue.get(str(n)) for n in range(30))


@pytest.mark.parametrize("runs", [True, False])
async def test_those_who_share_a_render_fill_the_queue_too(start: Starter, runs: bool) -> None:
    queue = await start(queued=3)
    if not runs:
        queue.submit(request("before"))
    for name in ("a", "b", "c", "d") if runs else ("a", "b", "c"):
        queue.submit(request(name, seed=1))
    with pytest.raises(RenderBusy, match="3 renders are waiting"):
        queue.submit(request("one more", seed=1))
