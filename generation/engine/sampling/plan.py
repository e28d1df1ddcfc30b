"""A sampler's way as numbers, derived from the installed diffusers scheduler.

Every step of the stock schedulers is linear in what they were given: with x for samples, m for
model outputs and n for noise, evaluation i makes

    x[i+1] = Σ_j a[i,j]·x[i-j] + Σ_j b[i,j]·m[i-j] + d[i]·o[i] + c[i]·n[i]

`o[i]` is the scheduler's own last result: equal to x[i] unless somebody changed the latents between
two steps (inpainting does), which only samplers that correct themselves (UniPC) can tell apart.
How the coefficients are found: impulses.py.
"""

import functools
import json
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from generation.engine.sampling.courses import Course, prepared, stock_refusals
from generation.engine.sampling.impulses import NotLinear, Numbers, answers, pointing, sums
from generation.engine.sampling.samplers import frozen_config

DEPTH = 6
"""Samples and outputs that a step may look at: its own and five before."""
_MAX_PLANS = 512


@dataclass(frozen=True, kw_only=True, eq=False)
class Plan:
    """What every evaluation does; the arrays' first axis counts evaluations from 0."""

    timesteps: Numbers
    """(total,) as the model is told them."""
    scale: Numbers
    """(total,): the model sees scale · x."""
    samples: Numbers
    """(total, DEPTH): a[i,j], the weight of x[i-j]."""
    outputs: Numbers
    """(total, DEPTH): b[i,j], the weight of m[i-j]."""
    previous: Numbers
    """(total,): d[i], the weight of the sampler's own last result."""
    noise: Numbers
    """(total,): c[i], the weight of what is drawn at evaluation i."""
    draws: npt.NDArray[np.bool_]
    """(total,): whether the scheduler draws noise there, used or not."""
    guess: Numbers
    """(total, 2): weights of x[i] and m[i] in the picture that they point to."""
    noised: Numbers
    """(total + 1, 2): weights of a picture and of noise at the level before evaluation i; after the
    last one the picture alone."""
    start_sigma: float
    """The first latents of text to image are noise times this."""
    residual: float
    """Largest error of a step on random numbers, relative to its largest term."""

    @property
    def total(self) -> int:
        """Evaluations."""
        return len(self.timesteps)


def plan_for(course: Course) -> Plan:
    """The plan, derived once for equal courses.

    Raises NotLinear, and SpecInvalid where the stock scheduler itself cannot do it.
    """
    config = frozen_config(course.config)
    found = _plan(course.sampler, config, course.steps, course.first, course.mu, course.sigmas)
    if isinstance(found, str):
        raise NotLinear(found)
    return found


def evaluations(course: Course) -> int:
    """How often the model is asked; quick for a course that was asked about before.

    Raises SpecInvalid.
    """
    try:
        return plan_for(course).total
    except NotLinear:
        return len(prepared(course)[1])


@functools.lru_cache(maxsize=_MAX_PLANS)
def _plan(
    sampler: str,
    config: str,
    steps: int,
    first: int,
    mu: float | None,
    sigmas: tuple[float, ...] | None,
) -> Plan | str:
    """The plan, or why there is none."""
    course = Course(
        sampler=sampler, config=json.loads(config), steps=steps, first=first, mu=mu, sigmas=sigmas
    )
    scheduler, timesteps = prepared(course)
    for option in ("thresholding", "clip_sample"):
        if scheduler.config.get(option):
            return f"the model's scheduler configuration asks for {option}"
    try:
        with stock_refusals(course):
            found = answers(scheduler, timesteps)
        summed = sums(found, DEPTH)
    except NotLinear as exc:
        return str(exc)
    kind = scheduler.config.get("prediction_type", "flow_prediction")
    return Plan(
        timesteps=timesteps.double().numpy().copy(),
        scale=found.scale,
        samples=summed.samples,
        outputs=summed.outputs,
        previous=summed.previous,
        noise=summed.noise,
        draws=found.draws,
        guess=np.array(
            [
                pointing(kind, scale, (s, r))
                for scale, (s, r) in zip(found.scale, found.noised, strict=True)
            ]
        ),
        noised=np.concatenate([found.noised, [[1.0, 0.0]]]),
        start_sigma=float(getattr(scheduler, "init_noise_sigma", 1.0)),
        residual=summed.residual,
    )
