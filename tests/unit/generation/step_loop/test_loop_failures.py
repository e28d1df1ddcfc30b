"""What goes wrong with one flight stays with it; where memory ends, the loop goes on smaller."""

from collections.abc import Sequence

import pytest
import torch

from brand.spec import ModelMissing, RenderFailed, RenderUnavailable
from generation.engine.flights import Row
from generation.engine.loop.step_loop import LoopModel, StepLoop
from tests.fakes.flying import (
    LatePace,
    ToyDenoiser,
    toy_flight,
    toy_loop,
    toy_profiles,
)
from tests.unit.generation.step_loop.deck import PATIENCE_S, Deck, Gate, arrived, by_hand

pytestmark = pytest.mark.model


@pytest.mark.parametrize("pace", [None, LatePace()], ids=["at once", "late"])
def test_a_flight_whose_numbers_overflow_fails_alone(gate: Gate, pace: LatePace | None) -> None:
    class Poisoned(ToyDenoiser):
        def predict(self, signature, rows, bucket):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
            answers = super().predict(signature, rows, bucket)
            for index, row in enumerate(rows):
                if row.loras and row.timestep == 3:
                    answers[index] = float("inf")
            return answers

    gate.open()
    deck = Deck(denoiser := Poisoned(before=gate), toy_loop(denoiser, pace=pace))
    bad = deck.start(toy_flight("bad", loras=(("f" * 64, 1.0),), steps=9))
    good = [deck.start(toy_flight(f"good {n}", seed=n, steps=9)) for n in range(3)]
    with pytest.raises(RenderFailed, match="float32"):
        bad.result(PATIENCE_S)
    for n, flown in enumerate(good):
        assert torch.equal(flown.result(PATIENCE_S), by_hand(toy_flight(seed=n, steps=9)))
    assert len(deck.told["bad"]) < 9
    assert pace is None or pace.looked_too_early == 0
    deck.close()


def test_a_model_that_fails_on_one_row_fails_that_flight_alone(gate: Gate) -> None:
    def refuse(rows: Sequence[Row], bucket: int) -> None:
        if any(row.loras for row in rows):
            raise ValueError("this LoRA has no such layer")

    deck = Deck(denoiser := ToyDenoiser(before=refuse), toy_loop(denoiser))
    bad = deck.start(toy_flight("bad", loras=(("f" * 64, 1.0),)))
    good = [deck.start(toy_flight(f"good {n}", seed=n)) for n in range(3)]
    with pytest.raises(RenderFailed, match="no such layer"):
        bad.result(PATIENCE_S)
    for n, flown in enumerate(good):
        assert torch.equal(flown.result(PATIENCE_S), by_hand(toy_flight(seed=n)))
    deck.close()


@pytest.mark.parametrize("where", ["stepper", "blend", "told", "cancelled", "guess"])
def test_whatever_fails_on_behalf_of_one_flight_is_its_own_failure(
    deck: Deck, gate: Gate, where: str
) -> None:
    gate.open()

    def fails(*_args: object) -> torch.Tensor:
        raise RuntimeError("broken")

    flight = toy_flight("bad", steps=6, preview_every=2, blend=fails if where == "blend" else None)
    if where == "stepper":
        flight.stepper.answer = fails  # type: ignore[method-assign,assignment]
    if where == "guess":
        flight.stepper.guess = fails  # type: ignore[method-assign]
    answers = iter([False])
    told = fails if where == "told" else (lambda _progress: None)
    cancelled = answers.__next__ if where == "cancelled" else (lambda: False)
    good = deck.start(toy_flight("good", seed=1, steps=6))
    with pytest.raises(RenderFailed, match=r"(broken|StopIteration).*reference"):
        deck.loop.fly(flight, told, cancelled)  # type: ignore[arg-type]
    assert torch.equal(good.result(PATIENCE_S), by_hand(toy_flight(seed=1, steps=6)))


class Memory:
    """Ends where a call has more rows than it holds."""

    def __init__(self, holds: int) -> None:
        self.holds = holds

    def __call__(self, rows: Sequence[Row], bucket: int) -> None:
        """Before each call."""
        if bucket > self.holds:
            raise torch.OutOfMemoryError("CUDA out of memory")


def test_where_memory_ends_flights_start_again_in_smaller_buckets(gate: Gate) -> None:
    memory = Memory(holds=8)

    def gated(rows: Sequence[Row], bucket: int) -> None:
        gate(rows, bucket)
        memory(rows, bucket)

    denoiser = ToyDenoiser(before=gated)
    deck = Deck(denoiser, toy_loop(denoiser))
    flights = [toy_flight(str(n), seed=n, steps=5) for n in range(4)]
    flown = [deck.start(flight) for flight in flights]
    gate.wait()
    arrived(deck, 4)
    gate.step(2)
    memory.holds = 4
    gate.open()
    for n, future in enumerate(flown):
        assert torch.equal(future.result(PATIENCE_S), by_hand(toy_flight(seed=n, steps=5)))
    counters = deck.loop.standing().counters
    assert (counters.out_of_memory, counters.failed) == (1, 0)
    assert {flight.buckets for flight in flights} == {(2, 4)}
    assert sum(flight.stepper.restarts for flight in flights) == counters.restarted > 0  # type: ignore[attr-defined]
    assert deck.loop.buckets_of(flights[0].signature) == (2, 4)
    deck.close()


def test_where_not_even_the_smallest_bucket_fits_the_message_says_what_to_do() -> None:
    deck = Deck(denoiser := ToyDenoiser(before=Memory(holds=1)), toy_loop(denoiser))
    with pytest.raises(RenderFailed, match=r"4×4 latents.*choose a smaller size"):
        deck.start(toy_flight()).result(PATIENCE_S)
    denoiser.before = Memory(holds=2)
    assert torch.equal(deck.start(toy_flight()).result(PATIENCE_S), by_hand(toy_flight()))
    deck.close()


def test_a_closed_loop_says_so_to_those_in_the_air_and_those_to_come(
    deck: Deck, gate: Gate
) -> None:
    flown = deck.start(toy_flight())
    gate.wait()
    deck.loop.close()
    gate.open()
    with pytest.raises(RenderUnavailable):
        flown.result(PATIENCE_S)
    with pytest.raises(RenderUnavailable):
        deck.loop.fly(toy_flight(), lambda _progress: None, lambda: False)


def test_a_model_that_is_not_there_fails_the_flight_that_asked(gate: Gate) -> None:
    def models(name: str) -> LoopModel:
        raise ModelMissing(f"no {name}")

    loop = StepLoop(models, toy_profiles())
    with pytest.raises(ModelMissing):
        loop.fly(toy_flight(), lambda _progress: None, lambda: False)
    assert loop.standing().counters.failed == 1
    loop.close(PATIENCE_S)
