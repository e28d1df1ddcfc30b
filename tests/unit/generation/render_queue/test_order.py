"""The queue: who comes first, who is turned away, what is kept and for how long."""

import pytest

from brand.spec import (
    LoraRefused,
    Picture,
    Progress,
    RenderBusy,
    RenderCancelled,
    RenderRequest,
)
from generation.renders import Render
from generation.wire import PictureFacts
from tests.fakes.generation_service import SteppedEngine
from tests.unit.generation.render_queue.asking import (
    STEPS,
    ManySlots,
    NoInputs,
    Starter,
    ended,
    request,
    running,
)


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


async def test_an_engine_of_many_slots_keeps_some_free_for_the_urgent(start: Starter) -> None:
    queue = await start(on=ManySlots())
    overnight = [queue.submit(request(f"overnight-{number}"))[0] for number in range(8)]
    assert (queue.running, queue.queued) == (6, 2)
    for number in range(2):
        queue.submit(request(f"urgent-{number}", priority=10))
    assert (queue.running, queue.queued) == (8, 2)
    assert [render.running for render in overnight] == [True] * 6 + [False] * 2
