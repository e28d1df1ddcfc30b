"""Times the model's calls without making the device wait for the host."""

import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

import torch

Clock = Callable[[], float]


def free_memory() -> None:
    """Give what torch keeps for later back to the device."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


class Pace(Protocol):
    """Runs calls and says how long the device took for them."""

    late: bool
    """Whether an answer is computed only after the call has returned."""

    def call(self, question: Callable[[], torch.Tensor]) -> torch.Tensor:
        """Make a call; its answer may still be in the making. Raises what it raises."""
        ...

    def finite(self, latents: torch.Tensor) -> Callable[[], bool]:
        """Whether all numbers are finite: to be asked when the next call has been made."""
        ...

    def landing(self) -> torch.cuda.Event | None:
        """Passes when all calls so far have been computed; None where they have been already."""
        ...

    def taken_s(self) -> float:
        """Device seconds of the calls that ended since it was last asked; 0 if none has."""
        ...


class HostPace:
    """For a processor: a call is over when it returns."""

    late = False

    def __init__(self, clock: Clock = time.perf_counter) -> None:
        self._clock = clock
        self._taken = 0.0

    def call(self, question: Callable[[], torch.Tensor]) -> torch.Tensor:
        """Make a call."""
        started = self._clock()
        try:
            return question()
        finally:
            self._taken += self._clock() - started

    def finite(self, latents: torch.Tensor) -> Callable[[], bool]:
        """Asked at once: nothing is gained by waiting."""
        sound = bool(torch.isfinite(latents).all())
        return lambda: sound

    def landing(self) -> torch.cuda.Event | None:
        """All has been computed."""
        return None

    def taken_s(self) -> float:
        """Seconds spent in calls since it was last asked."""
        taken, self._taken = self._taken, 0.0
        return taken


class DevicePace:
    """For an accelerator: the host queues one call while the one before is computed.

    It never runs further ahead, so that cancelling and overtaking wait for two calls at most.
    """

    late = True

    def __init__(self) -> None:
        self._calls: deque[tuple[torch.cuda.Event, torch.cuda.Event]] = deque()
        self._taken = 0.0

    def call(self, question: Callable[[], torch.Tensor]) -> torch.Tensor:
        """Queue a call, then wait for the one before."""
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        answer = question()
        end.record()
        self._calls.append((begin, end))
        if len(self._calls) > 1:
            begin, end = self._calls.popleft()
            end.synchronize()
            self._taken += begin.elapsed_time(end) / 1e3
        return answer

    def finite(self, latents: torch.Tensor) -> Callable[[], bool]:
        """Copied to the host on the side; asked one call later it is there without waiting."""
        verdict = torch.empty((), dtype=torch.bool, pin_memory=True)
        verdict.copy_(torch.isfinite(latents).all(), non_blocking=True)
        computed = self.landing()

        def sound() -> bool:
            computed.synchronize()
            return bool(verdict)

        return sound

    def landing(self) -> torch.cuda.Event:
        """Passes when all that was queued so far has been computed."""
        event = torch.cuda.Event()
        event.record()
        return event

    def taken_s(self) -> float:
        """Device seconds of the calls that ended since it was last asked."""
        taken, self._taken = self._taken, 0.0
        return taken
