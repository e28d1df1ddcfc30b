"""What those who wait wish may change on the way: the next step heeds it, bits never move."""

import random
import threading

import pytest
import torch

from brand.spec import RenderCancelled, RenderFailed
from generation.engine.flights import Flight
from generation.engines import Wish
from tests.fakes.flying import SECONDS, ToyDenoiser, toy_flight, toy_loop, toy_profiles
from tests.unit.generation.step_loop.deck import PATIENCE_S, Deck, Gate, arrived, by_hand

pytestmark = pytest.mark.model


class Wishing:
    """A flight's wish, changed by the test."""

    def __init__(self, flight: Flight) -> None:
        self.now = Wish(priority=flight.priority, preview_every=flight.preview_every)
        flight.wished = lambda: self.now


def narrow(gate: Gate) -> Deck:
    """A deck whose calls hold one flight with guidance."""
    denoiser = ToyDenoiser(before=gate)
    return Deck(denoiser, toy_loop(denoiser, toy_profiles({2: SECONDS[2]})))


def rode(deck: Deck, flight: Flight) -> list[bool]:
    """For each call so far, whether it was this flight's."""
    return [rows[0].terms is flight.terms[0] for rows in deck.denoiser.asked]


def test_a_flight_goes_with_the_priority_that_is_wished_at_each_step(gate: Gate) -> None:
    deck = narrow(gate)
    short, long = toy_flight("short", steps=20), toy_flight("long", seed=1, steps=40)
    wishing = Wishing(long)
    first = deck.start(short)
    gate.wait()
    second = deck.start(long)
    arrived(deck, 2)
    gate.step(3)
    assert not any(rode(deck, long))  # what lands sooner goes first among equals
    wishing.now = Wish(priority=10)
    gate.step(4)
    assert rode(deck, long)[-4:] == [True] * 4
    wishing.now = Wish(priority=0)
    gate.step(4)
    assert rode(deck, long)[-4:] == [False] * 4
    gate.open()
    assert torch.equal(first.result(PATIENCE_S), by_hand(toy_flight(steps=20)))
    assert torch.equal(second.result(PATIENCE_S), by_hand(toy_flight(seed=1, steps=40)))
    deck.close()


def test_previews_begin_once_somebody_wishes_them(deck: Deck, gate: Gate) -> None:
    flight = toy_flight("a", steps=6)
    wishing = Wishing(flight)
    flown = deck.start(flight)
    gate.wait()
    gate.step(2)
    wishing.now = Wish(preview_every=1)
    gate.open()
    flown.result(PATIENCE_S)
    assert [p.done for p in deck.told["a"] if p.guess is not None] == [4, 5]


def test_a_wish_that_cannot_be_asked_for_fails_its_flight_alone(deck: Deck, gate: Gate) -> None:
    def broken() -> Wish:
        raise KeyError("nobody knows")

    flight = toy_flight("broken")
    flight.wished = broken
    failing, sound = deck.start(flight), deck.start(toy_flight("sound", seed=1))
    gate.open()
    with pytest.raises(RenderFailed, match="nobody knows"):
        failing.result(PATIENCE_S)
    assert torch.equal(sound.result(PATIENCE_S), by_hand(toy_flight(seed=1)))


@pytest.mark.parametrize("seed", range(4))
def test_bits_never_depend_on_how_wishes_change(seed: int) -> None:
    chance = random.Random(seed)
    deck = Deck(denoiser := ToyDenoiser(), toy_loop(denoiser))

    def fickle(number: int) -> Flight:
        flight = toy_flight(str(number), seed=number, steps=9, team=f"team {number % 3}")
        flight.wished = lambda: Wish(
            priority=chance.choice([0, 5, 10]), paused=chance.random() < 0.2
        )
        return flight

    flown = [deck.start(fickle(number)) for number in range(20)]
    for number, future in enumerate(flown):
        assert torch.equal(future.result(PATIENCE_S), by_hand(toy_flight(seed=number, steps=9)))
    assert deck.loop.standing().flights == 0
    deck.close()


def test_a_paused_flight_leaves_its_seat_and_goes_on_with_the_same_bits(gate: Gate) -> None:
    deck = narrow(gate)
    paused, other = toy_flight("paused", steps=6), toy_flight("other", seed=1, steps=20)
    wishing = Wishing(paused)
    first = deck.start(paused)
    gate.wait()
    second = deck.start(other)
    arrived(deck, 2)
    gate.step(2)
    assert rode(deck, paused)[-2:] == [True] * 2  # what lands sooner goes first among equals
    wishing.now = Wish(paused=True)
    gate.step(6)  # the call at the gate had been seated before
    assert rode(deck, paused)[-5:] == [False] * 5
    assert deck.loop.standing().flights == 2
    wishing.now = Wish()
    gate.step(2)
    assert rode(deck, paused)[-1]
    gate.open()
    assert torch.equal(first.result(PATIENCE_S), by_hand(toy_flight(steps=6)))
    assert torch.equal(second.result(PATIENCE_S), by_hand(toy_flight(seed=1, steps=20)))
    deck.close()


def test_a_loop_of_paused_flights_rests_until_one_goes_on_or_comes_or_is_cancelled() -> None:
    deck = Deck(denoiser := ToyDenoiser(), toy_loop(denoiser))
    flights = [toy_flight(str(number), seed=number, steps=4) for number in range(3)]
    wishes = [Wishing(flight) for flight in flights]
    stop = threading.Event()
    for wishing in wishes:
        wishing.now = Wish(paused=True)
    flown = [deck.start(flight, stop if flight is flights[2] else None) for flight in flights]
    arrived(deck, 3)
    newcomer = deck.start(toy_flight("new", seed=9, steps=4))
    assert torch.equal(newcomer.result(PATIENCE_S), by_hand(toy_flight(seed=9, steps=4)))
    assert deck.loop.standing().flights == 3
    assert not any(future.done() for future in flown)
    stop.set()
    with pytest.raises(RenderCancelled):
        flown[2].result(PATIENCE_S)
    for number in range(2):
        wishes[number].now = Wish()
        landed = flown[number].result(PATIENCE_S)
        assert torch.equal(landed, by_hand(toy_flight(seed=number, steps=4)))
    assert deck.loop.standing().flights == 0
    deck.close()


def test_who_is_paused_is_told_no_time_and_holds_nobody_up(deck: Deck, gate: Gate) -> None:
    paused, other = toy_flight("paused", steps=50), toy_flight("other", seed=1, steps=6)
    wishing = Wishing(paused)
    wishing.now = Wish(paused=True)
    first, second = deck.start(paused), deck.start(other)
    gate.open()
    second.result(PATIENCE_S)
    assert all(progress.ahead == 0 for progress in deck.told["other"])
    assert deck.told["paused"] == []
    wishing.now = Wish()
    assert torch.equal(first.result(PATIENCE_S), by_hand(toy_flight(steps=50)))
