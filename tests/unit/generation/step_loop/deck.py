"""Flights in threads, and a gate that holds the loop before every call of its model."""

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import torch

from generation.engine.flights import Flight, FlightProgress, Row
from generation.engine.loop.step_loop import StepLoop
from tests.fakes.flying import ToyDenoiser, toy_answer

PATIENCE_S = 20


class Deck:
    """A loop with flights in threads, and a gate before every call of the model."""

    def __init__(self, denoiser: ToyDenoiser, loop: StepLoop) -> None:
        self.denoiser = denoiser
        self.loop = loop
        self.told: dict[str, list[FlightProgress]] = {}
        self.pool = ThreadPoolExecutor(64)

    def start(self, flight: Flight, stop: threading.Event | None = None) -> Future[torch.Tensor]:
        """Fly it in a thread of its own."""
        told = self.told.setdefault(flight.key, [])
        stop = stop or threading.Event()
        return self.pool.submit(self.loop.fly, flight, told.append, stop.is_set)

    def close(self) -> None:
        """Stop everything."""
        self.loop.close(PATIENCE_S)
        self.pool.shutdown()


class Gate:
    """Holds the loop's thread before each call until the test lets it through."""

    def __init__(self) -> None:
        self.here = threading.Semaphore(0)
        self._through = threading.Semaphore(0)
        self._open = threading.Event()

    def __call__(self, rows: Sequence[Row], bucket: int) -> None:
        """Before each call."""
        if self._open.is_set():
            return
        self.here.release()
        assert self._through.acquire(timeout=PATIENCE_S)

    def wait(self) -> None:
        """Until the loop stands before a call."""
        assert self.here.acquire(timeout=PATIENCE_S)

    def step(self, calls: int = 1) -> None:
        """Let so many calls through, and wait for the one after them."""
        for _ in range(calls):
            self._through.release()
            self.wait()

    def open(self) -> None:
        """Hold nobody any more."""
        self._open.set()
        self._through.release()


def arrived(deck: Deck, flights: int) -> None:
    """Wait until so many flights have been handed to the loop."""
    deadline = threading.Event()
    for _ in range(20_000):
        if deck.loop.standing().flights >= flights:
            return
        deadline.wait(0.001)
    raise AssertionError(f"{deck.loop.standing()} never had {flights} flights")


def by_hand(flight: Flight) -> torch.Tensor:
    """The same flight worked out without a loop."""
    stepper = flight.stepper
    for index in range(stepper.total):
        latents, timestep = stepper.question()
        if flight.extra is not None:
            latents = torch.cat([latents, flight.extra])
        answers = [
            toy_answer(Row(latents=latents, timestep=timestep, terms=terms, loras=flight.loras), 2)
            for terms in flight.terms
        ]
        prediction = answers[0]
        if len(answers) == 2:
            prediction = answers[0] + flight.guidance * (answers[1] - answers[0])
        stepper.answer(prediction)
        if flight.blend is not None:
            stepper.latents = flight.blend(index, stepper.latents)
    return stepper.latents
