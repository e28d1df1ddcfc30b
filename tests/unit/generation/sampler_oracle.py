"""The stock schedulers themselves on a small made-up model, to hold our steppers against."""

import inspect
import math
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import torch

from generation.engine.sampling.courses import Course
from generation.engine.sampling.samplers import new_scheduler
from generation.engine.sampling.steppers import Sampling, Start, new_stepper

SHAPE = (4, 6, 6)
CPU = torch.device("cpu")
NOISE_MODEL: Mapping[str, Any] = {
    "_class_name": "PNDMScheduler",
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "num_train_timesteps": 1000,
    "prediction_type": "epsilon",
    "steps_offset": 1,
    "timestep_spacing": "leading",
    "clip_sample": False,
    "set_alpha_to_one": False,
    "skip_prk_steps": True,
}
VELOCITY_MODEL = {**NOISE_MODEL, "prediction_type": "v_prediction", "timestep_spacing": "linspace"}
FLOW_MODEL: Mapping[str, Any] = {
    "_class_name": "FlowMatchEulerDiscreteScheduler",
    "num_train_timesteps": 1000,
    "shift": 3.0,
}
DYNAMIC_FLOW_MODEL = {
    **FLOW_MODEL,
    "use_dynamic_shifting": True,
    "base_shift": 0.5,
    "max_shift": 1.15,
    "base_image_seq_len": 256,
    "max_image_seq_len": 4096,
}
Blend = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


@cache
def _mixing() -> torch.Tensor:
    return torch.randn(4, 4, generator=torch.Generator().manual_seed(9)) * 0.5


def model(latents: torch.Tensor, timestep: float) -> torch.Tensor:
    """A made-up model: not linear, and different at every point and timestep."""
    mixed = torch.einsum("oc,chw->ohw", _mixing(), latents)
    return torch.tanh(mixed + 0.3 * math.sin(timestep / 100)) + 0.1 * latents.roll(1, -1)


def dice(seed: int = 3) -> torch.Generator:
    """A flight's own generator."""
    return torch.Generator("cpu").manual_seed(seed)


def stock_from_noise(course: Course) -> torch.Tensor:
    """The latents that diffusers' text-to-image loop ends with."""
    scheduler = new_scheduler(course.sampler, course.config)
    scheduler.set_timesteps(course.steps, **({"mu": course.mu} if course.mu is not None else {}))
    generator = dice()
    latents = torch.randn((1, *SHAPE), generator=generator)
    latents = latents * getattr(scheduler, "init_noise_sigma", 1.0)
    return _walk(scheduler, scheduler.timesteps, latents, generator, lambda _, made: made)


def stock_from_image(
    course: Course, image: torch.Tensor, *, blend: Blend = lambda _, made: made
) -> torch.Tensor:
    """The latents that diffusers' image-to-image or inpainting loop ends with."""
    scheduler = new_scheduler(course.sampler, course.config)
    scheduler.set_timesteps(course.steps)
    begin = course.first * scheduler.order
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(begin)
    timesteps = scheduler.timesteps[begin:]
    generator = dice()
    noise = torch.randn((1, *SHAPE), generator=generator)

    def after(i: int, made: torch.Tensor) -> torch.Tensor:
        last = i + 1 == len(timesteps)
        old = image[None] if last else _noised(scheduler, image[None], noise, timesteps[i + 1])
        return blend(old, made)

    latents = _noised(scheduler, image[None], noise, timesteps[0])
    return _walk(scheduler, timesteps, latents, generator, after)


def _noised(
    scheduler: Any,  # noqa: ANN401  # diffusers is untyped
    image: torch.Tensor,
    noise: torch.Tensor,
    timestep: torch.Tensor,
) -> torch.Tensor:
    when = timestep.reshape(1)
    if hasattr(scheduler, "add_noise"):
        return scheduler.add_noise(image, noise, when)
    return scheduler.scale_noise(image, when, noise)


def _walk(
    scheduler: Any,  # noqa: ANN401  # diffusers is untyped
    timesteps: torch.Tensor,
    latents: torch.Tensor,
    generator: torch.Generator,
    after: Callable[[int, torch.Tensor], torch.Tensor],
) -> torch.Tensor:
    takes = inspect.signature(scheduler.step).parameters
    told = {"generator": generator} if "generator" in takes else {}
    for i, timestep in enumerate(timesteps):
        seen = latents
        if hasattr(scheduler, "scale_model_input"):
            seen = scheduler.scale_model_input(latents, timestep)
        output = model(seen[0], float(timestep))[None]
        made = scheduler.step(output, timestep, latents, return_dict=False, **told)[0]
        latents = after(i, made)
    return latents[0]


def flown(
    stepper: Sampling, after: Callable[[int, torch.Tensor], torch.Tensor] | None = None
) -> torch.Tensor:
    """The latents that a stepper ends with on the made-up model."""
    while stepper.done < stepper.total:
        index = stepper.done
        stepper.answer(model(*stepper.question()))
        if after is not None:
            stepper.latents = after(index, stepper.latents)
    return stepper.latents


def from_noise(course: Course) -> Sampling:
    """A stepper for text to image."""
    return new_stepper(course, Start(generator=dice(), device=CPU, shape=SHAPE))


def from_image(course: Course, image: torch.Tensor) -> Sampling:
    """A stepper for image to image."""
    return new_stepper(course, Start(generator=dice(), device=CPU, image=image))


def picture() -> torch.Tensor:
    """Latents of some picture."""
    return torch.randn(SHAPE, generator=torch.Generator().manual_seed(1))


def apart(one: torch.Tensor, other: torch.Tensor) -> float:
    """The largest difference, relative to the largest number."""
    return float((one - other).abs().max() / other.abs().max())


def course(sampler: str, steps: int = 9, **changed: Any) -> Course:
    """A course on a made-up model that the sampler fits."""
    config = FLOW_MODEL if sampler.startswith("flow_") else NOISE_MODEL
    return Course(**{"sampler": sampler, "config": config, "steps": steps, **changed})
