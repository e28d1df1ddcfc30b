"""The step loop: flights come, leave and are overtaken between steps; bits never change by it."""

import dataclasses
import gc
import queue
import random
import threading
import weakref
from collections.abc import Sequence

import pytest
import torch

from brand.spec import RenderCancelled
from generation.engine.flights import Control, Flight, FlightProgress, Row
from generation.engine.loop.pace import HostPace
from generation.engine.loop.profile import Profile, Profiles
from generation.engine.loop.step_loop import LoopModel, StepLoop
from tests.fakes.flying import (
    CONDITIONS,
    OTHER_KIND,
    SECONDS,
    SIGNATURE,
    LatePace,
    ToyDenoiser,
    toy_flight,
    toy_loop,
    toy_profiles,
)
from tests.unit.generation.step_loop.deck import PATIENCE_S, Deck, Gate, arrived, by_hand

pytestmark = pytest.mark.model


def test_a_flight_ends_where_its_sampler_leads_it(deck: Deck, gate: Gate) -> None:
    gate.open()
    for guidance in (1.0, 5.0):
        flown = deck.start(toy_flight(guidance=guidance, loras=(("ab", 0.5),))).result(PATIENCE_S)
        assert torch.equal(flown, by_hand(toy_flight(guidance=guidance, loras=(("ab", 0.5),))))
    assert deck.denoiser.threads == {"step-loop"}


def test_a_flight_without_evaluations_lands_where_it_is(deck: Deck, gate: Gate) -> None:
    flight = toy_flight(steps=0)
    assert torch.equal(deck.start(flight).result(PATIENCE_S), flight.stepper.latents)
    assert deck.denoiser.calls == []


def test_guidance_is_computed_as_diffusers_does_it(deck: Deck, gate: Gate) -> None:
    gate.open()
    flown = deck.start(toy_flight(guidance=7.5, steps=9)).result(PATIENCE_S)
    assert torch.equal(flown, by_hand(toy_flight(guidance=7.5, steps=9)))


def test_what_lies_behind_the_latents_is_shown_and_a_blend_is_applied(
    deck: Deck, gate: Gate
) -> None:
    gate.open()
    seen: list[int] = []

    def blend(index: int, latents: torch.Tensor) -> torch.Tensor:
        seen.append(index)
        return latents * 0.5

    extra = torch.ones(5, 4, 4)
    flown = deck.start(toy_flight(extra=extra, blend=blend)).result(PATIENCE_S)
    assert seen == [0, 1, 2, 3]
    assert {row.latents.shape for rows in deck.denoiser.asked for row in rows} == {(9, 4, 4)}
    assert torch.equal(flown, by_hand(toy_flight(extra=extra, blend=blend)))


@pytest.mark.parametrize(
    ("start", "end"), [(0.0, 1.0), (0.0, 0.5), (0.3, 0.7), (0.5, 1.0), (0.34, 0.34)]
)
def test_a_control_acts_in_the_evaluations_in_which_diffusers_lets_it(
    deck: Deck, gate: Gate, start: float, end: float
) -> None:
    gate.open()
    control = Control(net="canny", image=torch.ones(3, 8, 8), weight=0.7, start=start, end=end)
    deck.start(toy_flight(steps=10, controls=(control,))).result(PATIENCE_S)
    scales = [rows[0].leads[0].scale for rows in deck.denoiser.asked]
    steps = 10
    stock = [0.7 * (1.0 - float(i / steps < start or (i + 1) / steps > end)) for i in range(steps)]
    assert scales == stock


def test_terms_are_the_same_objects_at_every_step(deck: Deck, gate: Gate) -> None:
    gate.open()
    deck.start(flight := toy_flight()).result(PATIENCE_S)
    for rows in deck.denoiser.asked:
        assert tuple(map(id, (row.terms for row in rows))) == tuple(map(id, flight.terms))


def test_flights_share_a_call_from_the_step_after_they_came(deck: Deck, gate: Gate) -> None:
    deck.start(toy_flight("a"))
    gate.wait()
    deck.start(toy_flight("b", seed=1))
    arrived(deck, 2)
    gate.step()
    assert deck.denoiser.calls == [(2, 2), (4, 4)]


def test_a_cancelled_flight_is_asked_about_no_more(deck: Deck, gate: Gate) -> None:
    stop = threading.Event()
    first = deck.start(toy_flight("a", steps=6), stop)
    gate.wait()
    second = deck.start(toy_flight("b", seed=1))
    arrived(deck, 2)
    gate.step()
    stop.set()
    gate.step()
    with pytest.raises(RenderCancelled):
        first.result(PATIENCE_S)
    assert deck.denoiser.calls == [(2, 2), (4, 4), (2, 2)]
    gate.open()
    assert torch.equal(second.result(PATIENCE_S), by_hand(toy_flight("b", seed=1)))


def test_a_flight_cancelled_while_it_waits_costs_no_evaluation(deck: Deck, gate: Gate) -> None:
    deck.start(toy_flight("a", priority=10, steps=5))
    gate.wait()
    stop = threading.Event()
    waiting = deck.start(toy_flight("b", seed=1, steps=3), stop)
    arrived(deck, 2)
    stop.set()
    gate.step()
    with pytest.raises(RenderCancelled):
        waiting.result(PATIENCE_S)
    assert all(rows == 2 for rows, _ in deck.denoiser.calls)


def test_urgent_work_pauses_the_rest_at_the_next_step_and_changes_no_bits(
    deck: Deck, gate: Gate
) -> None:
    slow = [deck.start(toy_flight(f"slow {n}", seed=n, steps=5)) for n in range(4)]
    gate.wait()
    arrived(deck, 4)
    gate.step()
    before = deck.loop.standing().counters.rows
    fast = deck.start(toy_flight("fast", seed=9, steps=3, priority=10))
    arrived(deck, 5)
    gate.step(4)
    assert torch.equal(fast.result(PATIENCE_S), by_hand(toy_flight("fast", seed=9, steps=3)))
    assert deck.loop.standing().counters.rows >= before
    gate.open()
    for n, flown in enumerate(slow):
        assert torch.equal(flown.result(PATIENCE_S), by_hand(toy_flight(seed=n, steps=5)))


def test_progress_counts_evaluations_and_previews_come_when_they_are_due(
    deck: Deck, gate: Gate
) -> None:
    gate.open()
    deck.start(toy_flight("a", steps=6, preview_every=2)).result(PATIENCE_S)
    told = [progress for progress in deck.told["a"] if progress.done]
    assert [progress.done for progress in told] == list(range(1, 7))
    assert {progress.total for progress in told} == {6}
    assert [progress.done for progress in told if progress.guess is not None] == [2, 4]
    assert told[-1].eta_s == 0.0


def test_who_waits_is_told_how_many_go_before(deck: Deck, gate: Gate) -> None:
    stop = threading.Event()
    for n in range(4):
        deck.start(toy_flight(str(n), seed=n, steps=10**6, priority=5), stop)
    gate.wait()
    arrived(deck, 4)
    progress: queue.SimpleQueue[FlightProgress] = queue.SimpleQueue()
    last = toy_flight("last", seed=9, steps=3)
    deck.pool.submit(deck.loop.fly, last, progress.put, stop.is_set)
    arrived(deck, 5)
    gate.open()
    first = progress.get(timeout=PATIENCE_S)
    stop.set()
    assert (first.done, first.total) == (0, 3)
    assert first.ahead == 4


def test_the_first_flight_of_a_shape_waits_for_its_profile(gate: Gate) -> None:
    gate.open()
    profiles = Profiles(max_rows=8)
    deck = Deck(denoiser := ToyDenoiser(), toy_loop(denoiser, profiles))
    flight = toy_flight()
    assert torch.equal(deck.start(flight).result(PATIENCE_S), by_hand(toy_flight()))
    profile = profiles.known(CONDITIONS, SIGNATURE)
    assert profile is not None
    assert flight.buckets == profile.buckets
    assert max(flight.buckets) < OTHER_KIND
    measured = len(denoiser.calls)
    deck.start(toy_flight(seed=1)).result(PATIENCE_S)
    assert len(denoiser.calls) == measured + 4
    deck.close()


def test_two_shapes_take_turns(gate: Gate) -> None:
    wide = dataclasses.replace(SIGNATURE, height=8, width=8)
    denoiser = ToyDenoiser(before=gate)
    deck = Deck(denoiser, toy_loop(denoiser, toy_profiles(SECONDS, SIGNATURE, wide)))
    deck.start(toy_flight("a", steps=30))
    gate.wait()
    deck.start(toy_flight("b", steps=30, signature=wide))
    arrived(deck, 2)
    gate.step(20)
    sizes = [rows[0].latents.shape[-1] for rows in denoiser.asked[2:]]
    assert 8 <= sizes.count(8) <= 12
    assert len(deck.loop.standing().lanes) == 2
    gate.open()
    deck.close()


def test_the_models_own_setup_runs_in_the_loops_thread_when_the_model_changes() -> None:
    denoiser = ToyDenoiser()
    ran: list[tuple[str, str]] = []

    def models(name: str) -> LoopModel:
        def prepare() -> None:
            ran.append((name, threading.current_thread().name))

        return LoopModel(denoiser=denoiser, conditions=(name,), prepare=prepare)

    profiles = Profiles()
    for name in ("a", "b"):
        profiles.keep((name,), SIGNATURE, Profile(seconds=SECONDS, budget=8))
    loop = StepLoop(models, profiles)
    for name in ("a", "a", "b", "a"):
        flight = toy_flight(signature=dataclasses.replace(SIGNATURE, model=name))
        loop.fly(flight, lambda _progress: None, lambda: False)
    assert ran == [(name, "step-loop") for name in ("a", "b", "a")]
    loop.close(PATIENCE_S)


def test_where_answers_come_late_nothing_waits_and_everything_is_told() -> None:
    deck = Deck(denoiser := ToyDenoiser(), toy_loop(denoiser, pace=(pace := LatePace())))
    flown = [deck.start(toy_flight(str(n), seed=n, steps=5 + n)) for n in range(6)]
    for n, future in enumerate(flown):
        assert torch.equal(future.result(PATIENCE_S), by_hand(toy_flight(seed=n, steps=5 + n)))
        told = [progress.done for progress in deck.told[str(n)] if progress.done]
        assert told == list(range(1, 6 + n))
    assert pace.looked_too_early == 0
    assert deck.loop.standing().counters.model_s > 0
    deck.close()


@pytest.mark.parametrize("late", [False, True])
def test_each_flight_is_charged_for_its_own_calls(gate: Gate, late: bool) -> None:
    """Calls of two lanes alternate, and those of one take a hundred times as long."""
    wide = dataclasses.replace(SIGNATURE, height=6, width=6)
    seconds = {SIGNATURE.height: SECONDS, wide.height: {b: 100 * s for b, s in SECONDS.items()}}
    now = 0.0

    def spend(rows: Sequence[Row], bucket: int) -> None:
        nonlocal now
        gate(rows, bucket)
        now += seconds[rows[0].latents.shape[-1]][bucket]

    profiles = toy_profiles(SECONDS)
    profiles.keep(CONDITIONS, wide, Profile(seconds=seconds[wide.height], budget=8))
    pace = LatePace(lambda: now) if late else HostPace(lambda: now)
    deck = Deck(denoiser := ToyDenoiser(before=spend), toy_loop(denoiser, profiles, pace))
    flights = [toy_flight("wide", signature=wide, steps=3), toy_flight("small", steps=300)]
    flown = [deck.start(flight) for flight in flights]
    gate.wait()
    arrived(deck, 2)
    gate.open()
    for future in flown:
        future.result(PATIENCE_S)
    deck.close()
    assert flights[0].seconds == pytest.approx(3 * 2.0)
    assert flights[1].seconds == pytest.approx(300 * 0.020)


def test_a_model_is_let_go_when_its_last_flight_has_landed() -> None:
    denoisers: dict[str, ToyDenoiser] = {"toy": ToyDenoiser()}
    loop = StepLoop(
        lambda name: LoopModel(denoiser=denoisers[name], conditions=CONDITIONS), toy_profiles()
    )
    loop.fly(toy_flight(), lambda _progress: None, lambda: False)
    gone = weakref.ref(denoisers.pop("toy"))
    for _ in range(1000):  # the loop's thread may be about to lay its call down
        gc.collect()
        if gone() is None:
            break
        threading.Event().wait(0.005)
    assert gone() is None
    loop.close(PATIENCE_S)


@pytest.mark.parametrize("seed", range(8))
def test_bits_never_depend_on_who_else_is_in_the_air(seed: int) -> None:
    """25 flights a seed: joins, cancels, classes, teams, LoRAs, two shapes; 200 in all."""
    chance = random.Random(seed)
    wide = dataclasses.replace(SIGNATURE, height=6, width=6)
    deck = Deck(
        denoiser := ToyDenoiser(), toy_loop(denoiser, toy_profiles(SECONDS, SIGNATURE, wide))
    )

    def mixed(n: int) -> Flight:
        own = random.Random(1000 * seed + n)
        return toy_flight(
            str(n),
            seed=n,
            steps=own.randint(1, 12),
            guidance=own.choice([1.0, 4.0, 7.5]),
            priority=own.choice([0, 0, 10]),
            team=own.choice(["", "a", "b"]),
            signature=own.choice([SIGNATURE, wide]),
            loras=own.choice([(), (("ab", 0.5),), (("abc", 1.0), ("d", 0.3))]),
        )

    stops = {n: threading.Event() for n in range(25)}
    flown = {n: deck.start(mixed(n), stops[n]) for n in range(25)}
    cancelled = chance.sample(range(25), 5)
    for n in cancelled:
        stops[n].set()
    for n, future in flown.items():
        try:
            latents = future.result(PATIENCE_S)
        except RenderCancelled:
            assert n in cancelled
        else:
            assert torch.equal(latents, by_hand(mixed(n)))
    deck.close()


def test_with_nothing_to_do_it_rests_once_until_someone_has_come_and_gone() -> None:
    rests: queue.Queue[str] = queue.Queue()
    model = LoopModel(denoiser=ToyDenoiser(), conditions=CONDITIONS)
    loop = StepLoop(
        lambda _name: model, toy_profiles(), at_rest=lambda: rests.put("rests"), rest_s=0
    )
    rests.get(timeout=PATIENCE_S)
    loop.fly(toy_flight(), lambda _progress: None, lambda: False)
    rests.get(timeout=PATIENCE_S)
    loop.close(PATIENCE_S)
    assert rests.empty()
