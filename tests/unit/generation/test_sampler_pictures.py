"""With every sampler the picture is the stock pipeline's, to within one of 255 levels."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image

from generation.engine.sampling.courses import Course, first_step
from generation.engine.sampling.samplers import SAMPLERS, Sampler, samplers_for
from generation.engine.sampling.steppers import Sampling, Start, new_stepper
from tests.fakes.stock_samplers import CLASSES, stock_scheduler
from tests.unit.generation.rendering import stock_pipeline
from tests.unit.generation.sampler_oracle import CPU, NOISE_MODEL, VELOCITY_MODEL

pytestmark = [pytest.mark.model, pytest.mark.filterwarnings("ignore:__array")]

GUIDANCE = 1.5
"""Weak: under a strong one the tiny model's random weights amplify the last bit of the latents to
several levels of the picture, in the stock pipeline too."""
SIDE = 32
SEED = 11
PROMPT = "a red mug"
Pixels = npt.NDArray[np.uint8]


def _plain(row: Sampler) -> bool:
    return not row.spaced and not row.flow


@pytest.fixture(scope="module")
def pipe(tiny_models: Path) -> Any:  # noqa: ANN401  # diffusers is untyped
    """The stock pipeline on the tiny SD 1.x model."""
    return stock_pipeline(tiny_models, "sd1")


@pytest.mark.parametrize("sampler", samplers_for(NOISE_MODEL))
def test_the_picture_is_the_stock_pipelines(pipe: Any, sampler: str) -> None:  # noqa: ANN401
    ours, stock = _both(pipe, Course(sampler=sampler, config=NOISE_MODEL, steps=7))
    assert np.asarray(stock).std() > 5
    assert _most_apart(ours, stock) <= 1


@pytest.mark.parametrize("sampler", [name for name, row in SAMPLERS.items() if _plain(row)])
def test_the_picture_of_a_velocity_model_is_the_stock_pipelines(
    pipe: Any,  # noqa: ANN401
    sampler: str,
) -> None:
    # LCM begins anew from its own guess in every step, which amplifies the last bit each time.
    steps = 4 if sampler == "lcm" else 12
    ours, stock = _both(pipe, Course(sampler=sampler, config=VELOCITY_MODEL, steps=steps))
    assert np.asarray(stock).std() > 5
    assert _most_apart(ours, stock) <= 1


@pytest.mark.parametrize("sampler", ["euler_a", "dpmpp_2m_sde_karras", "heun", "pndm", "unipc"])
def test_a_picture_made_from_a_picture_is_the_stock_pipelines(
    pipe: Any,  # noqa: ANN401
    sampler: str,
) -> None:
    from diffusers import StableDiffusionImg2ImgPipeline

    reference = Image.linear_gradient("L").resize((SIDE, SIDE)).convert("RGB")
    way = Course(sampler=sampler, config=NOISE_MODEL, steps=9, first=first_step(9, 0.7))
    from_image = StableDiffusionImg2ImgPipeline(**pipe.components, requires_safety_checker=False)
    from_image.set_progress_bar_config(disable=True)
    from_image.scheduler = stock_scheduler(sampler, NOISE_MODEL)
    stock = from_image(**_asked(9), image=reference, strength=0.7).images[0]
    dice = torch.Generator("cpu").manual_seed(SEED)
    pixels = from_image.image_processor.preprocess(reference)
    with torch.no_grad():
        encoded = pipe.vae.encode(pixels).latent_dist.sample(dice)[0]
    image = encoded * pipe.vae.config.scaling_factor
    ours = _rendered(pipe, new_stepper(way, Start(generator=dice, device=CPU, image=image)))
    assert _most_apart(ours, stock) <= 1


BARE = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
"""What a model's file says at least."""


@pytest.mark.parametrize("sampler", ["ddim", "lcm", "pndm", "heun"])
@pytest.mark.parametrize("told", [{}, {"clip_sample": True, "skip_prk_steps": False}])
@pytest.mark.parametrize("own", ["PNDMScheduler", "EulerDiscreteScheduler", "DDIMScheduler"])
def test_what_a_models_file_leaves_open_is_as_in_the_stock_pipeline(
    pipe: Any,  # noqa: ANN401
    own: str,
    told: dict[str, bool],
    sampler: str,
) -> None:
    import diffusers

    stored = getattr(diffusers, own).from_config({"_class_name": own, **BARE, **told})
    loaded = diffusers.StableDiffusionPipeline(
        **{**pipe.components, "scheduler": stored}, requires_safety_checker=False
    )
    loaded.set_progress_bar_config(disable=True)
    way = Course(sampler=sampler, config=dict(loaded.scheduler.config), steps=6)
    wanted = getattr(diffusers, CLASSES[sampler][0])
    if not isinstance(loaded.scheduler, wanted):
        loaded.scheduler = wanted.from_config(loaded.scheduler.config)
    clips = sampler == "ddim" and not told and own != "DDIMScheduler"
    assert bool(loaded.scheduler.config.get("clip_sample")) == clips
    stock = loaded(**_asked(way.steps), width=SIDE, height=SIDE).images[0]
    assert _most_apart(_ours(loaded, way), stock) <= 1


def _asked(steps: int) -> dict[str, Any]:
    return {
        "prompt": PROMPT,
        "guidance_scale": GUIDANCE,
        "num_inference_steps": steps,
        "generator": torch.Generator("cpu").manual_seed(SEED),
    }


def _both(pipe: Any, way: Course) -> tuple[Pixels, Image.Image]:  # noqa: ANN401
    pipe.scheduler = stock_scheduler(way.sampler, way.config)
    stock = pipe(**_asked(way.steps), width=SIDE, height=SIDE).images[0]
    return _ours(pipe, way), stock


def _ours(pipe: Any, way: Course) -> Pixels:  # noqa: ANN401
    dice = torch.Generator("cpu").manual_seed(SEED)
    start = Start(generator=dice, device=CPU, shape=(4, SIDE // 2, SIDE // 2))
    return _rendered(pipe, new_stepper(way, start))


@lru_cache
def _words(encode: Callable[..., Any]) -> torch.Tensor:
    positive, negative = encode(PROMPT, CPU, 1, True)
    return torch.cat([negative, positive])


def _rendered(pipe: Any, stepper: Sampling) -> Pixels:  # noqa: ANN401
    with torch.no_grad():
        words = _words(pipe.encode_prompt)
        while stepper.done < stepper.total:
            latents, timestep = stepper.question()
            both = pipe.unet(latents.expand(2, -1, -1, -1), timestep, words).sample
            without, told = both.unbind()
            stepper.answer(without + GUIDANCE * (told - without))
        scaled = stepper.latents[None] / pipe.vae.config.scaling_factor
        decoded = pipe.vae.decode(scaled).sample[0]
    pixels = (decoded / 2 + 0.5).clamp(0, 1).permute(1, 2, 0).numpy()
    return (pixels * 255).round().astype(np.uint8)


def _most_apart(ours: Pixels, stock: Image.Image) -> int:
    return int(np.abs(ours.astype(int) - np.asarray(stock).astype(int)).max())
