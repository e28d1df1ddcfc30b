"""A model, a sampler and flights small enough to be worked out by hand, for the step loop's tests.

The toy model's answer to a row is a function of that row and of the bucket's *kind* alone: buckets
of one kind have equal bits, as on a real device.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch

from generation.engine.flights import Control, Flight, Row, Signature, Terms
from generation.engine.loop.pace import Clock, HostPace, Pace
from generation.engine.loop.profile import Profile, Profiles
from generation.engine.loop.step_loop import LoopModel, StepLoop

SIZE = 4
CONDITIONS = ("toy weights", "cpu")
SIGNATURE = Signature(model="toy", channels=4, height=SIZE, width=SIZE)
SECONDS = {2: 0.020, 4: 0.036, 8: 0.070}
OTHER_KIND = 16
"""A bucket of other bits than the smaller ones."""


@dataclass
class ToyDenoiser:
    """Answers each row by itself; what else it does is settled by the test."""

    before: Callable[[Sequence[Row], int], None] = lambda rows, bucket: None
    """Called with rows and bucket before each answer; may block or raise."""
    calls: list[tuple[int, int]] = field(default_factory=list)
    """(rows, bucket) of each call."""
    asked: list[list[Row]] = field(default_factory=list)
    threads: set[str] = field(default_factory=set)

    def predict(self, signature: Signature, rows: Sequence[Row], bucket: int) -> torch.Tensor:
        """Each row's answer, by itself."""
        self.calls.append((len(rows), bucket))
        self.asked.append(list(rows))
        self.threads.add(threading.current_thread().name)
        self.before(rows, bucket)
        return torch.stack([toy_answer(row, bucket) for row in rows])

    def sample_rows(self, signature: Signature, count: int, seed: int) -> list[Row]:
        """Random rows."""
        generator = torch.Generator().manual_seed(seed)
        return [
            Row(
                latents=torch.randn(
                    signature.channels, signature.height, signature.width, generator=generator
                ),
                timestep=float(index),
                terms=Terms(text=torch.randn(2, 3, generator=generator)),
            )
            for index in range(count)
        ]


def toy_answer(row: Row, bucket: int) -> torch.Tensor:
    """Depends on all of the row, and on the bucket's kind."""
    answer = torch.sin(row.latents[:4] * 3) + row.terms.text.mean() * row.timestep / 10
    for lead in row.leads:
        answer = answer + lead.scale * lead.image.mean()
    for name, weight in row.loras:
        answer = answer + weight * len(name) / 100
    return answer * (1 + 2**-20) if bucket >= OTHER_KIND else answer


class ToyStepper:
    """Walks a share of the way towards the answer; the noise of its steps comes from its seed."""

    def __init__(self, steps: int, seed: int, size: int = SIZE) -> None:
        self.total = steps
        self.done = 0
        self._seed = seed
        self._start = torch.randn(4, size, size, generator=torch.Generator().manual_seed(seed))
        self.restarts = -1
        self.restart()

    def question(self) -> tuple[torch.Tensor, float]:
        """The latents as they are."""
        return self.latents, float(self.total - self.done)

    def answer(self, prediction: torch.Tensor) -> None:
        """One step, with noise."""
        noise = torch.randn(self.latents.shape, generator=self._noise)
        self.latents = self.latents * 0.9 - prediction * 0.1 + noise * 0.01
        self.done += 1

    def guess(self) -> torch.Tensor:
        """The latents as they are."""
        return self.latents

    def restart(self) -> None:
        """From the start, with the same noise."""
        self.restarts += 1
        self.done = 0
        self.latents = self._start
        self._noise = torch.Generator().manual_seed(self._seed + 1)


def toy_flight(
    key: str = "a",
    *,
    steps: int = 4,
    seed: int = 0,
    guidance: float = 5.0,
    priority: int = 0,
    team: str = "",
    signature: Signature = SIGNATURE,
    preview_every: int = 0,
    loras: tuple[tuple[str, float], ...] = (),
    controls: tuple[Control, ...] = (),
    extra: torch.Tensor | None = None,
    blend: Callable[[int, torch.Tensor], torch.Tensor] | None = None,
) -> Flight:
    """A flight of the toy model; with guidance above 1 it has two rows."""
    generator = torch.Generator().manual_seed(seed + 1000)
    terms = tuple(
        Terms(text=torch.randn(2, 3, generator=generator)) for _ in range(2 if guidance > 1 else 1)
    )
    return Flight(
        key=key,
        signature=signature,
        stepper=ToyStepper(steps, seed, signature.height),
        terms=terms,
        guidance=guidance,
        priority=priority,
        team=team,
        preview_every=preview_every,
        loras=loras,
        controls=controls,
        extra=extra,
        blend=blend,
    )


def toy_profiles(
    seconds: Mapping[int, float] = SECONDS, *signatures: Signature, budget: int | None = None
) -> Profiles:
    """Profiles that know these signatures already; all of the tests' usual one if none is named."""
    profiles = Profiles()
    profile = Profile(seconds=dict(seconds), budget=budget or max(seconds))
    for signature in signatures or (SIGNATURE,):
        profiles.keep(CONDITIONS, signature, profile)
    return profiles


def toy_loop(
    denoiser: ToyDenoiser, profiles: Profiles | None = None, pace: Pace | None = None
) -> StepLoop:
    """A loop that flies with this model under every name; close it."""
    model = LoopModel(denoiser=denoiser, conditions=CONDITIONS)
    return StepLoop(lambda _name: model, profiles or toy_profiles(), pace=pace)


class LatePace(HostPace):
    """Knows of a call only when the next one has been made, as with an accelerator."""

    late = True

    def __init__(self, clock: Clock = time.perf_counter) -> None:
        super().__init__(clock)
        self.looked_too_early = 0
        self._calls = 0
        self._untold = 0.0

    def call(self, question: Callable[[], torch.Tensor]) -> torch.Tensor:
        """Make a call; it counts as taken once the next has been made."""
        self._calls += 1
        told = super().taken_s() + self._untold
        answer = super().call(question)
        self._untold, self._taken = super().taken_s(), told
        return answer

    def finite(self, latents: torch.Tensor) -> Callable[[], bool]:
        """Counts who asks before the next call."""
        made, sound = self._calls, bool(torch.isfinite(latents).all())

        def verdict() -> bool:
            self.looked_too_early += self._calls == made
            return sound

        return verdict
