"""A stock scheduler's steps as numbers: impulse responses.

At every evaluation the scheduler is given a sample, an output and a noise that each have a 1 in a
place of their own, in float64; so the place of a number in what comes back tells which impulse it
answers. The samples are independent of what came back before, so latents that somebody changes
between two steps are right too. Further places carry random numbers: where the derived sum does not
give them back, the step was not linear (clipping, thresholding) and there is no plan. Nothing in
diffusers is patched: what it draws is met by a torch function mode.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from diffusers import SchedulerMixin
from torch.overrides import TorchFunctionMode

Numbers = npt.NDArray[np.float64]

TOLERANCE = 1e-6
"""Of a linear step's error on random numbers, relative to its largest term."""
_NOTHING = 1e-9
"""Coefficients below this share of the largest are rounding."""
_CHECKS = 8
"""Places that carry random numbers."""
_CHECK_SIZE = 4.0
"""How large they are: past what a scheduler clips to."""


class NotLinear(Exception):
    """This sampler's steps are no weighted sums; run it with the stock scheduler instead."""


class NotFinite(ArithmeticError):
    """The scheduler divides by zero with this model's noise schedule."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Answers:
    """What a scheduler made of impulses; n evaluations."""

    made: Numbers
    """(n, width): the next sample at every place."""
    given: Numbers
    """(3, n, width): samples, outputs, noises."""
    draws: npt.NDArray[np.bool_]
    """(n,): whether it drew noise."""
    scale: Numbers
    """(n,): the model sees scale times the sample."""
    noised: Numbers
    """(n, 2): weights of picture and noise where it noises a picture before evaluation i."""


def answers(scheduler: SchedulerMixin, timesteps: torch.Tensor) -> Answers:
    """Run a prepared scheduler once. Raises NotLinear, NotFinite and whatever it raises itself."""
    total = len(timesteps)
    given = _impulses(total)
    # Some schedulers want a batch and channels.
    samples, outputs, noises = torch.from_numpy(given)[:, :, None, None, None, :].unbind()
    made, draws, scale, noised = [], [], [], []
    with torch.no_grad():
        for i, timestep in enumerate(timesteps):
            noised.append(noising(scheduler, timestep))
            scale.append(_scale(scheduler, timestep))
            with _Impulse(noises[i]) as drawn:
                after = scheduler.step(outputs[i], timestep, samples[i], return_dict=False)[0]
            made.append(after.flatten().double().numpy())
            draws.append(drawn.count)
    if max(draws) > 1:
        raise NotLinear("it draws noise more than once in a step")
    found = Answers(
        made=np.stack(made),
        given=given,
        draws=np.array(draws, bool),
        scale=np.array(scale),
        noised=np.array(noised),
    )
    if not all(np.isfinite(part).all() for part in (found.made, found.scale, found.noised)):
        raise NotFinite("its numbers overflow with the noise schedule and prediction type")
    return found


def _impulses(total: int) -> Numbers:
    """(3, total, width): a place for each sample and output in turn, then for each noise."""
    given = np.zeros((3, total, 3 * total + _CHECKS))
    each = np.arange(total)
    given[0, each, 2 * each] = 1
    given[1, each, 2 * each + 1] = 1
    given[2, each, 2 * total + each] = 1
    checks = np.random.default_rng(0).normal(size=(3, total, _CHECKS)) * _CHECK_SIZE
    # Schedulers round to float32: give them numbers that this leaves alone.
    given[:, :, -_CHECKS:] = checks.astype(np.float32)
    return given


def noising(scheduler: SchedulerMixin, timestep: torch.Tensor) -> tuple[float, float]:
    """Weights of a picture and of noise where the scheduler noises a picture at this point."""
    picture, noise = torch.eye(2, dtype=torch.float64)[:, None, None, None, :].unbind()
    when = timestep.reshape(1)
    if hasattr(scheduler, "add_noise"):
        mixed = scheduler.add_noise(picture, noise, when)
    else:
        mixed = scheduler.scale_noise(picture, when, noise)
    first, second = mixed.flatten().tolist()
    return first, second


def _scale(scheduler: SchedulerMixin, timestep: torch.Tensor) -> float:
    if not hasattr(scheduler, "scale_model_input"):
        return 1.0
    return float(scheduler.scale_model_input(torch.ones((), dtype=torch.float64), timestep))


class _Impulse(TorchFunctionMode):
    """Inside it every normal draw gives this noise, and is counted."""

    _DRAWS = (torch.randn, torch.randn_like)
    _OTHERS = (torch.rand, torch.rand_like, torch.normal, torch.randint, torch.bernoulli)

    def __init__(self, noise: torch.Tensor) -> None:
        super().__init__()
        self._noise = noise
        self.count = 0

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401  # whatever torch's function gives
        if func in self._OTHERS:
            raise NotLinear(f"it draws with torch.{func.__name__}")
        if func not in self._DRAWS:
            return func(*args, **(kwargs or {}))
        self.count += 1
        return self._noise


@dataclass(frozen=True, kw_only=True, eq=False)
class Sums:
    """The weighted sums behind the answers; see sampler_plan.Plan for the fields."""

    samples: Numbers
    outputs: Numbers
    previous: Numbers
    noise: Numbers
    residual: float = field(default=0.0)


def sums(found: Answers, depth: int) -> Sums:
    """Read the sums, looking back at most `depth` evaluations. Raises NotLinear."""
    total = len(found.made)
    pairs = found.made[:, : 2 * total].copy()
    noise = found.made[:, 2 * total : 3 * total].copy()
    own = noise.diagonal().copy()
    np.fill_diagonal(noise, 0)
    if np.abs(noise).max() > TOLERANCE * np.abs(own).max():
        raise NotLinear("it remembers its noise")
    previous = np.zeros(total)
    for i in range(depth, total):
        previous[i] = _carried(pairs, found.made[i - 1, : 2 * total], i, depth)
    pairs[np.abs(pairs) < _NOTHING * np.abs(pairs).max(axis=1, keepdims=True)] = 0
    table = np.zeros((2, total, depth))
    for age in range(min(depth, total)):
        each = np.arange(age, total)
        table[0, age:, age] = pairs[each, 2 * (each - age)]
        table[1, age:, age] = pairs[each, 2 * (each - age) + 1]
    summed = Sums(samples=table[0], outputs=table[1], previous=previous, noise=own)
    residual = _residual(found, summed)
    if not residual <= TOLERANCE:
        raise NotLinear(f"its steps miss their weighted sums by {residual:.1g}")
    return Sums(**{**vars(summed), "residual": residual})


def _carried(pairs: Numbers, before: Numbers, i: int, depth: int) -> float:
    """Express what lies too far back by the last result, in place; the last result's weight."""
    far = slice(0, 2 * (i - depth + 1))
    largest = np.abs(pairs[i]).max()
    if np.abs(pairs[i, far]).max() <= TOLERANCE * largest:
        pairs[i, far] = 0
        return 0.0
    squares = float(before[far] @ before[far])
    weight = float(pairs[i, far] @ before[far]) / squares if squares else 0.0
    pairs[i] -= weight * before
    if np.abs(pairs[i, far]).max() > TOLERANCE * largest:
        raise NotLinear(f"it looks back more than {depth - 1} evaluations")
    pairs[i, far] = 0
    return weight


def _residual(found: Answers, summed: Sums) -> float:
    """The largest error on the random places, relative to the largest term of its step."""
    samples, outputs, noises = found.given[:, :, -_CHECKS:]
    made = found.made[:, -_CHECKS:]
    worst = 0.0
    for i in range(len(made)):
        reach = min(i + 1, summed.samples.shape[1])
        back = slice(i - reach + 1, i + 1)
        parts = [
            summed.samples[i, reach - 1 :: -1, None] * samples[back],
            summed.outputs[i, reach - 1 :: -1, None] * outputs[back],
            summed.noise[i] * noises[i : i + 1],
            summed.previous[i] * (made[i - 1 : i] if i else samples[:1]),
        ]
        every = np.concatenate(parts)
        error = np.abs(every.sum(axis=0) - made[i]).max()
        worst = max(worst, float(error / max(np.abs(every).max(), np.finfo(np.float64).tiny)))
    return worst


def pointing(kind: str, scale: float, noised: Sequence[float]) -> tuple[float, float]:
    """Weights of the sample and the output in the picture that they point to.

    From sample = s·picture + r·noise and what the model predicts: the noise (`epsilon`), the
    picture (`sample`), the velocity (`v_prediction`: Salimans and Ho 2022, appendix D) or the
    difference noise - picture (`flow_prediction`).
    """
    s, r = noised
    if scale < 1:
        # The scale is 1/sqrt(r²+1), also between two levels, where `noised` is the next one's.
        s, r = 1.0, math.sqrt(1 / scale**2 - 1)
    if kind == "sample":
        return 0.0, 1.0
    if kind == "flow_prediction":
        return 1 / (s + r), -r / (s + r)
    if kind == "v_prediction":
        norm = math.hypot(s, r)
        return s / norm**2, -r / norm
    return (1 / s, -r / s) if s else (0.0, 0.0)
