"""Pausing: who pauses leaves the device to others, keeps what it has, and goes on as it was."""

from dataclasses import replace

import pytest

from brand.spec import Picture, Progress, RenderCancelled
from generation import render_queue
from generation.renders import Render
from tests.fakes.generation_service import SteppedEngine
from tests.fakes.waiting import until
from tests.unit.generation.render_queue.asking import (
    STEPS,
    Starter,
    ended,
    request,
    running,
)


async def told(render: Render) -> Progress:
    event = await anext(aiter(render.events()))
    assert isinstance(event, Progress)
    return event


async def done(render: Render, steps: int) -> None:
    await until(lambda: render._progress.done == steps)


async def alone(engine: SteppedEngine, start: Starter, render_id: str) -> bytes:
    """The picture of this id, never paused."""
    queue = await start()
    engine.go_on(STEPS)
    picture = await ended(queue.submit(request(render_id))[0])
    assert isinstance(picture, Picture)
    return picture.png


async def test_a_running_render_pauses_for_others_and_ends_as_it_would_have(
    engine: SteppedEngine, start: Starter
) -> None:
    plain = await alone(engine, start, "a")
    queue = await start()
    paused, _ = queue.submit(request("a"))
    other, _ = queue.submit(request("b"))
    await running(paused)
    queue.pause("a", paused=True)
    await running(other)  # though the engine has one slot only
    engine.go_on(STEPS + 1)
    assert isinstance(await ended(other), Picture)
    progress = await told(paused)
    assert (progress.paused, progress.eta_s) == (True, None)
    assert progress.done <= 1
    queue.pause("a", paused=False)
    assert not (await told(paused)).paused
    engine.go_on(STEPS)
    picture = await ended(paused)
    assert isinstance(picture, Picture)
    assert picture.png == plain
    assert engine.rendered == ["a", "a", "b"]


async def test_a_waiting_render_that_is_paused_lets_others_by(
    engine: SteppedEngine, start: Starter
) -> None:
    queue = await start()
    first, waiting, last = (queue.submit(request(name))[0] for name in "abc")
    assert [(await told(r)).place for r in (first, waiting, last)] == [0, 1, 2]
    queue.pause("b", paused=True)
    assert (await told(last)).place == 1
    progress = await told(waiting)
    assert (progress.paused, progress.eta_s) == (True, None)
    engine.go_on(2 * STEPS)
    await ended(first)
    await ended(last)
    assert (queue.running, queue.queued) == (0, 0)
    queue.pause("b", paused=False)
    engine.go_on(STEPS)
    assert isinstance(await ended(waiting), Picture)
    assert engine.rendered == ["a", "c", "b"]


async def test_a_shared_render_pauses_only_while_all_who_want_it_do(
    engine: SteppedEngine, start: Starter
) -> None:
    queue = await start()
    one, _ = queue.submit(request("one", seed=7))
    other, _ = queue.submit(request("other", seed=7))
    await running(one)
    queue.pause("one", paused=True)
    engine.go_on(1)
    await done(other, 1)
    assert not (await told(other)).paused
    queue.pause("other", paused=True)
    assert one.work is not None
    assert one.work.paused
    queue.cancel("other")  # whoever is left wants it to wait
    assert one.work.paused
    joined, _ = queue.submit(request("joined", seed=7))
    assert not one.work.paused
    engine.go_on(STEPS)
    assert isinstance(await ended(joined), Picture)


async def test_pausing_twice_or_what_has_ended_changes_nothing(
    engine: SteppedEngine, start: Starter
) -> None:
    queue = await start()
    render, _ = queue.submit(request("a"))
    queue.pause("a", paused=True)
    queue.pause("a", paused=True)
    queue.pause("a", paused=False)
    queue.pause("a", paused=False)
    queue.pause("unknown", paused=True)
    engine.go_on(STEPS)
    assert isinstance(await ended(render), Picture)
    queue.pause("a", paused=True)
    assert not render.paused


async def test_a_paused_render_can_be_cancelled(engine: SteppedEngine, start: Starter) -> None:
    queue = await start()
    runs, waits = (queue.submit(request(name))[0] for name in "ab")
    await running(runs)
    queue.pause("b", paused=True)
    queue.pause("a", paused=True)
    for name, render in (("a", runs), ("b", waits)):
        queue.cancel(name)
        engine.go_on(1)
        assert isinstance(await ended(render), RenderCancelled)
    assert (queue.running, queue.queued) == (0, 0)


async def test_what_pauses_for_long_gives_its_memory_back_and_begins_anew(
    engine: SteppedEngine, start: Starter, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = await alone(engine, start, "a")
    monkeypatch.setattr(render_queue, "KEPT_S", 0.01)
    queue = await start()
    render, _ = queue.submit(request("a"))
    engine.go_on(1)
    await done(render, 1)
    queue.pause("a", paused=True)
    engine.go_on(1)
    await until(lambda: not render.running)
    assert (await told(render)).paused
    assert queue.running == 0
    queue.pause("a", paused=False)
    engine.go_on(STEPS)
    picture = await ended(render)
    assert isinstance(picture, Picture)
    assert picture.png == plain
    assert engine.rendered == ["a", "a", "a"]


async def test_what_never_goes_on_is_given_up(
    engine: SteppedEngine, start: Starter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(render_queue, "PAUSED_S", 0.01)
    queue = await start()
    queue.submit(request("a"))
    waiting, _ = queue.submit(request("b"))
    queue.pause("b", paused=True)
    assert isinstance(await ended(waiting), RenderCancelled)
    assert queue._line.paused == ()


async def test_a_paused_render_leaves_the_share_of_its_team_alone(
    engine: SteppedEngine, start: Starter
) -> None:
    queue = await start()
    queue.submit(request("a"))
    paused, _ = queue.submit(replace(request("b"), team="red"))
    queue.pause("b", paused=True)
    queue.cancel("b")
    queue.submit(replace(request("c"), team="red"))
    queue.pause("c", paused=True)
    queue.pause("c", paused=False)
    engine.go_on(2 * STEPS)
    assert isinstance(await ended(paused), RenderCancelled)
    render = queue.get("c")
    assert render is not None
    assert isinstance(await ended(render), Picture)
