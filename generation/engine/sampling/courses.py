"""A sampler's course over the noise levels, and the stock scheduler at the start of it."""

import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from diffusers import SchedulerMixin

from brand.spec import SpecInvalid
from generation.engine.sampling.samplers import new_scheduler

_STOCK_REFUSES = (ArithmeticError, AssertionError, IndexError, RuntimeError, ValueError)
"""What diffusers' schedulers raise on steps that they cannot take."""


@dataclass(frozen=True, kw_only=True)
class Course:
    """Which way a sampler takes over the noise levels."""

    sampler: str
    config: Mapping[str, Any]
    """The model's scheduler configuration."""
    steps: int
    first: int = 0
    """Steps that are left out at the beginning, for image to image; see `first_step`."""
    mu: float | None = None
    """How far a flow model with dynamic shifting shifts; see `flow_mu`."""
    sigmas: tuple[float, ...] | None = None
    """A flow model's own noise levels before the shift, as Flux has them; see `flux_sigmas`."""


def first_step(steps: int, strength: float) -> int:
    """Steps that image to image leaves out, as diffusers counts them; at least one is left."""
    return max(steps - max(min(int(steps * strength), steps), 1), 0)


def flow_mu(config: Mapping[str, Any], image_tokens: int) -> float | None:
    """The shift of a flow model for a picture of so many tokens; None where it has a fixed one.

    SD3 and Flux shift linearly in the number of tokens (diffusers, `calculate_shift`).
    """
    if not config.get("use_dynamic_shifting"):
        return None
    low, high = config.get("base_shift", 0.5), config.get("max_shift", 1.15)
    shortest = config.get("base_image_seq_len", 256)
    slope = (high - low) / (config.get("max_image_seq_len", 4096) - shortest)
    return float(image_tokens * slope + (low - slope * shortest))


def flux_sigmas(steps: int) -> tuple[float, ...]:
    """The noise levels that Flux's pipeline gives its scheduler."""
    return tuple(np.linspace(1.0, 1 / steps, steps).tolist())


def prepared(course: Course) -> tuple[SchedulerMixin, torch.Tensor]:
    """A fresh stock scheduler at the start of the course, and its timesteps, one an evaluation.

    As in diffusers' image to image `first` counts steps, for which some samplers ask the model
    several times. Raises SpecInvalid.
    """
    if course.steps < 1 or not 0 <= course.first < course.steps:
        raise SpecInvalid(
            f"steps must be at least 1 and more than are left out; {course.steps} steps with "
            f"{course.first} left out are none"
        )
    scheduler = new_scheduler(course.sampler, course.config)
    begin = course.first * int(scheduler.order)
    with stock_refusals(course):
        scheduler.set_timesteps(course.steps, **_levels(course, scheduler))
        if hasattr(scheduler, "set_begin_index"):
            scheduler.set_begin_index(begin)
    timesteps = scheduler.timesteps[begin:]
    if not len(timesteps):
        raise SpecInvalid(
            f"the sampler {course.sampler!r} leaves nothing of {course.steps} steps; take more"
        )
    return scheduler, timesteps


@contextmanager
def stock_refusals(course: Course) -> Iterator[None]:
    """Turns what the stock scheduler cannot do into SpecInvalid."""
    try:
        yield
    except _STOCK_REFUSES as exc:
        raise SpecInvalid(
            f"the sampler {course.sampler!r} cannot take {course.steps} steps with this model: "
            f"{str(exc) or type(exc).__name__}; choose other steps or another sampler"
        ) from exc


def _levels(course: Course, scheduler: SchedulerMixin) -> dict[str, Any]:
    """What set_timesteps must be told beside the number of steps."""
    takes = inspect.signature(scheduler.set_timesteps).parameters
    told: dict[str, Any] = {}
    if course.config.get("use_dynamic_shifting"):
        told["mu"] = course.mu
    if course.sigmas is not None and not scheduler.config.get("use_flow_sigmas"):
        told["sigmas"] = list(course.sigmas)
    for name in told:
        if name not in takes:
            raise SpecInvalid(
                f"the sampler {course.sampler!r} does not know the noise levels ({name}) that this "
                "model was made with; choose flow_euler"
            )
    return told
