"""The queue shares the engine among teams, and the told place is the true one."""

from dataclasses import replace

from brand.spec import Progress, RenderRequest
from generation.renders import Render
from tests.fakes.generation_service import SteppedEngine
from tests.unit.generation.render_queue.asking import (
    STEPS,
    ManySlots,
    Starter,
    ended,
    request,
)


def of_team(team: str, name: str, *, steps: int = STEPS, priority: int = 0) -> RenderRequest:
    plain = request(f"{team}-{name}", priority=priority)
    return replace(plain, team=team, spec=replace(plain.spec, steps=steps))


async def told_place(render: Render) -> int:
    event = await anext(aiter(render.events()))
    assert isinstance(event, Progress)
    return event.place


async def test_a_short_picture_of_another_team_does_not_wait_behind_eighty(start: Starter) -> None:
    engine = ManySlots()
    queue = await start(on=engine, queued=100)
    red = [queue.submit(of_team("red", str(n), steps=30))[0] for n in range(80)]
    blue, _ = queue.submit(of_team("blue", "0", steps=4))
    assert queue.running == 6
    assert await told_place(blue) == 6  # those that run, and nobody else
    engine.go_on(80 * 30 + 4)
    for render in (*red, blue):
        await ended(render)
    assert engine.rendered.index("blue-0") == 6


async def test_two_teams_take_turns_though_one_asked_for_all_of_its_own_before(
    engine: SteppedEngine, start: Starter
) -> None:
    queue = await start(queued=100)
    renders = [queue.submit(of_team("red", str(n), steps=32))[0] for n in range(8)]
    renders += [queue.submit(of_team("blue", str(n), steps=32))[0] for n in range(4)]
    engine.go_on(12 * 32)
    for render in renders:
        await ended(render)
    teams = [name.split("-")[0] for name in engine.rendered]
    assert teams[1:9].count("blue") == 4


async def test_places_are_told_in_the_order_in_which_renders_begin(
    engine: SteppedEngine, start: Starter
) -> None:
    queue = await start(queued=100)
    sizes = [("red", 9), ("red", 30), ("blue", 12), ("red", 3), ("green", 50), ("blue", 40)]
    renders = [
        queue.submit(of_team(team, str(n), steps=steps))[0] for n, (team, steps) in enumerate(sizes)
    ]
    urgent, _ = queue.submit(of_team("red", "urgent", priority=10))
    renders.append(urgent)
    places = {render.request.render_id: await told_place(render) for render in renders}
    assert sorted(places.values()) == list(range(7))
    engine.go_on(500)
    for render in renders:
        await ended(render)
    assert engine.rendered == sorted(places, key=lambda name: places[name])
    assert engine.rendered[1] == "red-urgent"


async def test_a_long_picture_is_not_overtaken_for_ever_by_shorter_ones_of_its_team(
    engine: SteppedEngine, start: Starter
) -> None:
    queue = await start(queued=100)
    renders = [queue.submit(of_team("red", "first"))[0]]
    renders += [queue.submit(of_team("red", "long", steps=50))[0]]
    renders += [queue.submit(of_team("red", str(n)))[0] for n in range(40)]
    engine.go_on(41 * STEPS + 50)
    for render in renders:
        await ended(render)
    assert engine.rendered.index("red-long") <= 17


async def test_a_shared_picture_moves_up_with_whoever_joins_it_and_back(
    engine: SteppedEngine, start: Starter
) -> None:
    queue = await start(queued=100)
    running = queue.submit(of_team("red", "running"))[0]
    shared = replace(of_team("red", "shared"), team="red")
    first, _ = queue.submit(of_team("red", "before", steps=2))
    waiting, _ = queue.submit(shared)
    assert (await told_place(first), await told_place(waiting)) == (1, 2)
    queue.submit(replace(shared, render_id="urgent", priority=10))
    assert (await told_place(first), await told_place(waiting)) == (2, 1)
    queue.cancel("urgent")
    assert (await told_place(first), await told_place(waiting)) == (1, 2)
    engine.go_on(500)
    for render in (running, first, waiting):
        await ended(render)
    assert engine.rendered == ["red-running", "red-before", "red-shared"]
