"""Samplers in the middle of their way: one stepper per flight.

A stepper's state is float32 on the model's device, whatever the model computes in; with a bfloat16
model diffusers rounds the latents to bfloat16 after every step, so there the two differ by that
rounding. Noise is drawn from the flight's own CPU generator in the order and shape in which
diffusers' pipelines draw it: the first latents, then once in every evaluation that draws.
"""

import inspect
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

import numpy as np
import torch

from brand.spec import SpecInvalid
from generation.engine.flights import Stepper
from generation.engine.sampling.courses import Course, prepared, stock_refusals
from generation.engine.sampling.impulses import NotLinear, noising, pointing
from generation.engine.sampling.plan import Plan, plan_for

Weighted = tuple[torch.Tensor, float]


@dataclass(frozen=True, kw_only=True, eq=False)
class Start:
    """Where a flight begins: noise alone (of a `shape`, or given), an `image` or `latents`."""

    generator: torch.Generator
    """On the CPU and the flight's own: its noise comes from here."""
    device: torch.device
    shape: tuple[int, int, int] | None = None
    """Text to image: (channels, height, width) of the noise to draw."""
    image: torch.Tensor | None = None
    """Image to image: the picture's latents, to be noised."""
    latents: torch.Tensor | None = None
    """Taken as they are."""
    noise: torch.Tensor | None = None
    """The first noise, where it was drawn before; None: it is drawn now."""

    def __post_init__(self) -> None:
        named = sum(part is not None for part in (self.shape, self.image, self.latents))
        if named > 1 or (named == 0 and self.noise is None):
            raise SpecInvalid("a flight starts from a shape, a picture or latents; name one")


class Sampling(Stepper, Protocol):
    """A stepper that can also noise a picture to where it is."""

    noise: torch.Tensor | None
    """The noise that it started with, for a blend; None where it began with given latents."""

    def renoised(self, i: int, latents: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """A picture's latents as noisy as the flight's are after evaluation i; -1: at its start.

        Asked for evaluations that are over.
        """
        ...


def new_stepper(course: Course, start: Start) -> Sampling:
    """The sampler's own sums where it has them, else the stock scheduler itself.

    Raises SpecInvalid where the sampler does not fit the model, or not in so many steps.
    """
    try:
        return LinearStepper(plan_for(course), start)
    except NotLinear:
        return StockStepper(course, start)


class LinearStepper:
    """Follows a plan: a handful of multiplications and additions an evaluation."""

    def __init__(self, plan: Plan, start: Start) -> None:
        self.total = plan.total
        self._timesteps: list[float] = plan.timesteps.tolist()
        self._scale: list[float] = plan.scale.tolist()
        self._guess: list[list[float]] = plan.guess.tolist()
        self._noised: list[list[float]] = plan.noised.tolist()
        self._sums = [_Sum.of(plan, i) for i in range(plan.total)]
        reach = 1 + max(sum_.reach for sum_ in self._sums)
        self._samples: deque[torch.Tensor] = deque(maxlen=reach)
        self._outputs: deque[torch.Tensor] = deque(maxlen=reach)
        self._noise_source = start.generator
        self._device = start.device
        self.noise = _first_noise(start)
        self._begin = _first_latents(start, self.noise, plan.start_sigma, self._noised[0])
        self._after_start = start.generator.get_state()
        self.restart()

    def restart(self) -> None:
        """Go back to the start: the same start and the same noise once more."""
        self.done = 0
        self.latents = self._made = self._begin
        self._samples.clear()
        self._outputs.clear()
        self._noise_source.set_state(self._after_start)

    def question(self) -> tuple[torch.Tensor, float]:
        """The latents as the model wants them now, and the timestep."""
        scale = self._scale[self.done]
        scaled = self.latents if scale == 1 else self.latents * scale
        return scaled, self._timesteps[self.done]

    def answer(self, prediction: torch.Tensor) -> None:
        """Move on by one evaluation.

        The prediction is kept for the next ones: nobody may write into it afterwards.
        """
        sum_ = self._sums[self.done]
        self._samples.appendleft(self.latents)
        self._outputs.appendleft(prediction.to(self._device, torch.float32))
        parts = [(self._samples[age], weight) for age, weight in sum_.samples]
        parts += [(self._outputs[age], weight) for age, weight in sum_.outputs]
        if sum_.previous:
            parts.append((self._made, sum_.previous))
        if sum_.draws:
            parts.append((_drawn(self.latents.shape, self._noise_source, self._device), sum_.noise))
        self.latents = self._made = _total(parts)
        self.done += 1

    def guess(self) -> torch.Tensor:
        """What it would finish with were the last answer exact."""
        of_sample, of_output = self._guess[self.done - 1]
        return _total([(self._samples[0], of_sample), (self._outputs[0], of_output)])

    def renoised(self, i: int, latents: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """A picture's latents as noisy as the flight's are after evaluation i; -1: at its start."""
        return _noised(latents, noise, self._noised[i + 1])


class StockStepper:
    """Drives a stock scheduler of the flight's own: exact, at diffusers' speed."""

    def __init__(self, course: Course, start: Start) -> None:
        self._course = course
        self._noise_source = start.generator
        self._device = start.device
        scheduler, self._timesteps = prepared(course)
        self.total = len(self._timesteps)
        self._kind = scheduler.config.get("prediction_type", "flow_prediction")
        sigma = float(getattr(scheduler, "init_noise_sigma", 1.0))
        level = noising(scheduler, self._timesteps[0])
        self._noised: list[Sequence[float]] = [level]
        self.noise = _first_noise(start)
        self._begin = _first_latents(start, self.noise, sigma, level)
        self._after_start = start.generator.get_state()
        self.restart()

    def restart(self) -> None:
        """Go back to the start: the same start and the same noise once more."""
        self.done = 0
        self.latents = self._begin
        self._scheduler, _ = prepared(self._course)
        takes = inspect.signature(self._scheduler.step).parameters
        self._told: dict[str, Any] = {"return_dict": False}
        if "generator" in takes:
            self._told["generator"] = self._noise_source
        self._noise_source.set_state(self._after_start)
        del self._noised[1:]
        self._pointed: list[Weighted] = []

    def question(self) -> tuple[torch.Tensor, float]:
        """The latents as the model wants them now, and the timestep."""
        return self._scaled(self.latents), float(self._timesteps[self.done])

    def answer(self, prediction: torch.Tensor) -> None:
        """Move on by one evaluation. Raises SpecInvalid where the scheduler cannot."""
        output = prediction.to(self._device, torch.float32)
        scale = float(self._scaled(torch.ones(())))
        weights = pointing(self._kind, scale, self._noised[self.done])
        self._pointed = list(zip((self.latents, output), weights, strict=True))
        with stock_refusals(self._course):
            made = self._scheduler.step(
                output[None], self._timesteps[self.done], self.latents[None], **self._told
            )
        self.latents = made[0][0]
        self.done += 1
        over = self.done == self.total
        self._noised.append(
            (1.0, 0.0) if over else noising(self._scheduler, self._timesteps[self.done])
        )

    def guess(self) -> torch.Tensor:
        """What it would finish with were the last answer exact, before any clipping."""
        return _total(self._pointed)

    def renoised(self, i: int, latents: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """A picture's latents as noisy as the flight's are after evaluation i; -1: at its start."""
        return _noised(latents, noise, self._noised[i + 1])

    def _scaled(self, latents: torch.Tensor) -> torch.Tensor:
        if not hasattr(self._scheduler, "scale_model_input"):
            return latents
        scaled: torch.Tensor = self._scheduler.scale_model_input(
            latents, self._timesteps[self.done]
        )
        return scaled


@dataclass(frozen=True, kw_only=True)
class _Sum:
    """One evaluation of a plan: (age, weight) of what is not zero."""

    samples: tuple[tuple[int, float], ...]
    outputs: tuple[tuple[int, float], ...]
    previous: float
    noise: float
    draws: bool
    """Whether noise is drawn, be it only to keep the order of the draws."""

    @classmethod
    def of(cls, plan: Plan, i: int) -> "_Sum":
        return cls(
            samples=_nonzero(plan.samples[i]),
            outputs=_nonzero(plan.outputs[i]),
            previous=float(plan.previous[i]),
            noise=float(plan.noise[i]),
            draws=bool(plan.draws[i]) and bool(plan.noise[i:].any()),
        )

    @property
    def reach(self) -> int:
        return max(age for age, _ in (*self.samples, *self.outputs))


def _nonzero(weights: np.ndarray) -> tuple[tuple[int, float], ...]:
    return tuple((int(age), float(weights[age])) for age in np.flatnonzero(weights))


def _total(parts: Sequence[Weighted]) -> torch.Tensor:
    """The weighted sum, in the order given: python numbers, so that no GPU is waited for."""
    (first, weight), *others = parts
    total = first * weight
    for part, factor in others:
        total.add_(part, alpha=factor)
    return total


def _noised(latents: torch.Tensor, noise: torch.Tensor, weights: Sequence[float]) -> torch.Tensor:
    of_picture, of_noise = weights
    if not of_noise:
        return latents * of_picture
    return _total([(latents, of_picture), (noise, of_noise)])


def _first_noise(start: Start) -> torch.Tensor | None:
    if start.noise is not None:
        return start.noise.to(start.device, torch.float32)
    shape = start.image.shape if start.image is not None else start.shape
    return None if shape is None else _drawn(shape, start.generator, start.device)


def _first_latents(
    start: Start, noise: torch.Tensor | None, sigma: float, level: Sequence[float]
) -> torch.Tensor:
    given = start.latents if start.image is None else start.image
    if given is None:
        return cast("torch.Tensor", noise) * sigma
    given = given.to(start.device, torch.float32)
    if start.image is None:
        return given
    return _noised(given, cast("torch.Tensor", noise), level)


def _drawn(shape: Sequence[int], generator: torch.Generator, device: torch.device) -> torch.Tensor:
    noise = torch.randn(tuple(shape), generator=generator, dtype=torch.float32)
    if device.type == "cuda":
        # From pinned memory the copy waits for nothing.
        return noise.pin_memory().to(device, non_blocking=True)
    return noise.to(device)
