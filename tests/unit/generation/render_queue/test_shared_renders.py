"""Whoever asks for the same picture at once shares a render: its priority, end, failure, weight."""

from dataclasses import replace

import pytest

from brand.spec import (
    LoraRefused,
    Picture,
    RenderBusy,
    RenderCancelled,
    RenderRequest,
)
from tests.fakes.generation_service import SteppedEngine
from tests.unit.generation.render_queue.asking import (
    STEPS,
    ManySlots,
    Starter,
    ended,
    request,
    running,
)


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


@pytest.mark.parametrize("change", [{"priority": 10}, {"preview_every": 4}])
async def test_whoever_wants_more_than_a_running_render_gives_joins_it_all_the_same(
    start: Starter, change: dict[str, int]
) -> None:
    engine = ManySlots()
    queue = await start(on=engine)
    plain = replace(request("first", seed=1), preview_every=0)
    first, _ = queue.submit(plain)
    await running(first)
    more, _ = queue.submit(replace(plain, render_id="more", **change))
    less, _ = queue.submit(replace(plain, render_id="less"))
    assert (queue.queued, queue.running) == (0, 1)
    engine.go_on(STEPS)
    for render in (first, more, less):
        assert isinstance(await ended(render), Picture)
    assert engine.rendered == ["first"]


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
