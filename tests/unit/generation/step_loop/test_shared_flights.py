"""One render for all who want the same picture, through the queue and the real step loop."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from brand.spec import (
    ModelInfo,
    Picture,
    Progress,
    RenderCancelled,
    RenderError,
    RenderRequest,
    RenderSpec,
    ReproductionClass,
)
from generation.engine.flights import Flight, FlightProgress
from generation.engines import Cancelled, Inputs, OnProgress, Wished
from generation.render_queue import RenderQueue
from generation.renders import Render
from generation.settings import Limits
from tests.fakes.flying import SECONDS, ToyDenoiser, toy_flight, toy_loop, toy_profiles
from tests.unit.generation.step_loop.deck import Deck, Gate, arrived, by_hand

pytestmark = pytest.mark.model
TOY = ReproductionClass(
    weights="0" * 64, engine="toy", dtype="float32", device="cpu", capability="any", threads=1
)


class Flying:
    """Flies a toy flight for each render; a picture's bytes are its latents."""

    name = "toy"
    slots = 8
    device = "cpu"

    def __init__(self, deck: Deck) -> None:
        self._deck = deck
        self.flights: dict[str, Flight] = {}

    def load(self) -> None:
        """Nothing has to be loaded."""

    def models(self) -> Sequence[ModelInfo]:
        """None that anybody asks for."""
        return ()

    def check(self, spec: RenderSpec) -> None:
        """Everything flies."""

    def render(
        self,
        request: RenderRequest,
        inputs: Inputs,
        on_progress: OnProgress,
        cancelled: Cancelled,
        wished: Wished | None = None,
    ) -> Picture:
        """The toy sampler's way for this seed."""

        def told(progress: FlightProgress) -> None:
            preview = b"" if progress.guess is None else b"guess"
            on_progress(Progress(done=progress.done, total=progress.total, preview=preview))

        spec = request.spec
        flight = toy_flight(request.render_id, seed=spec.seed, steps=spec.steps)
        flight.priority, flight.preview_every = request.priority, request.preview_every
        flight.wished = wished
        self.flights[request.render_id] = flight
        latents = self._deck.loop.fly(flight, told, cancelled)
        png = latents.numpy().tobytes()
        return Picture(png=png, width=4, height=4, reproduction=TOY, seconds=1.0)

    def rode(self, render_id: str) -> list[bool]:
        """For each call so far, whether it was this render's."""
        terms = self.flights[render_id].terms[0]
        return [rows[0].terms is terms for rows in self._deck.denoiser.asked]


class NoInputs:
    """Recipes here name no files."""

    def path(self, sha256: str) -> Path:
        """Nobody asks."""
        raise AssertionError(sha256)


@pytest.fixture
def flying(gate: Gate) -> Flying:
    """Calls hold one render at a time."""
    denoiser = ToyDenoiser(before=gate)
    return Flying(Deck(denoiser, toy_loop(denoiser, toy_profiles({2: SECONDS[2]}))))


@pytest.fixture
async def queue(flying: Flying, gate: Gate) -> AsyncIterator[RenderQueue]:
    """A queue over the real loop."""
    started = RenderQueue(flying, NoInputs(), lambda _: None, Limits())
    started.start()
    await started.loaded.wait()
    yield started
    gate.open()
    started.stop()
    flying._deck.close()


def request(
    render_id: str, seed: int, steps: int, *, priority: int = 0, previews: int = 0
) -> RenderRequest:
    spec = RenderSpec(prompt="a mug", model="toy", seed=seed, width=64, height=64, steps=steps)
    return RenderRequest(
        render_id=render_id, brand="b", spec=spec, priority=priority, preview_every=previews
    )


async def ended(render: Render) -> Picture | RenderError:
    async for _ in render.events():
        pass
    found = render.picture or render.error
    assert found is not None
    return found


def aloft(queue: RenderQueue, flying: Flying, gate: Gate) -> tuple[Render, Render]:
    """A short and a long render in the air: the short one goes first among equals."""
    short, _ = queue.submit(request("short", 2, 20))
    gate.wait()
    long, _ = queue.submit(request("long", 1, 40))
    arrived(flying._deck, 2)
    gate.step(2)
    assert not any(flying.rode("long"))
    return short, long


async def test_whoever_joins_carries_a_running_render_ahead_at_the_next_step(
    queue: RenderQueue, flying: Flying, gate: Gate
) -> None:
    short, long = aloft(queue, flying, gate)
    urgent, new = queue.submit(request("urgent", 1, 40, priority=10))
    assert new
    assert (queue.queued, queue.running) == (0, 2)
    gate.step(4)
    assert flying.rode("long")[-4:] == [True] * 4
    gate.open()
    for render, seed, steps in ((short, 2, 20), (long, 1, 40), (urgent, 1, 40)):
        picture = await ended(render)
        assert isinstance(picture, Picture)
        assert picture.png == by_hand(toy_flight(seed=seed, steps=steps)).numpy().tobytes()
    assert sorted(flying.flights) == ["long", "short"]
    assert len(flying._deck.denoiser.calls) == 60


async def test_it_falls_back_when_the_urgent_one_leaves(
    queue: RenderQueue, flying: Flying, gate: Gate
) -> None:
    _, long = aloft(queue, flying, gate)
    urgent, _ = queue.submit(request("urgent", 1, 40, priority=10))
    gate.step(3)
    queue.cancel("urgent")
    gate.step(4)
    assert flying.rode("long")[-7:] == [True] * 3 + [False] * 4
    assert isinstance(await ended(urgent), RenderCancelled)
    gate.open()
    assert isinstance(await ended(long), Picture)


async def test_it_keeps_its_priority_when_a_less_urgent_one_joins_or_leaves(
    queue: RenderQueue, flying: Flying, gate: Gate
) -> None:
    _, long = aloft(queue, flying, gate)
    queue.submit(request("urgent", 1, 40, priority=10))
    queue.submit(request("later", 1, 40, priority=-5))
    queue.cancel("long")
    queue.cancel("later")
    gate.step(4)
    assert flying.rode("long")[-4:] == [True] * 4
    assert isinstance(await ended(long), RenderCancelled)


async def test_previews_begin_for_all_once_one_of_them_wants_them(
    queue: RenderQueue, flying: Flying, gate: Gate
) -> None:
    plain, _ = queue.submit(request("plain", 1, 8))
    gate.wait()
    queue.submit(replace(request("seen", 1, 8), preview_every=2))
    gate.open()
    previews = [
        event.preview
        async for event in plain.events()
        if isinstance(event, Progress) and event.preview
    ]
    assert previews
    assert list(flying.flights) == ["plain"]


@pytest.mark.parametrize("priorities", [(0, 10, 5), (10, 0, -5), (-5, 0, 1000)])
async def test_identical_requests_are_rendered_once_whatever_their_priorities(
    queue: RenderQueue, flying: Flying, gate: Gate, priorities: tuple[int, ...]
) -> None:
    renders = []
    for number, priority in enumerate(priorities):
        wanted = request(f"r{number}", 1, 8, priority=priority, previews=number)
        renders.append(queue.submit(wanted)[0])
        if not number:
            gate.wait()
        gate.step()
    gate.open()
    pictures = [await ended(render) for render in renders]
    assert all(isinstance(picture, Picture) for picture in pictures)
    assert list(flying.flights) == ["r0"]
    assert len(flying._deck.denoiser.calls) == 8
