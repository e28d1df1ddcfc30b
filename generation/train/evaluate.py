"""How often the demo model draws what was asked: prompts of unseen combinations, and a judge."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import StableDiffusionPipeline
from PIL import Image

from generation.illustrator.captions import full_caption
from generation.illustrator.scene import Scene, held_out_combinations, scene_of
from generation.train.export import GENERATION_DEFAULTS
from generation.train.judge import Judge, Named, name_pictures

_PROMPT_SEED = 90_417
_BATCH = 8
_CELL_GAP = 2


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One prompt of the examination and the scene it was written for."""

    scene: Scene
    prompt: str
    seed: int


def unseen_prompts(count: int) -> list[Asked]:
    """Prompts of (product, colour, setting) combinations that training never drew."""
    rng = np.random.default_rng(_PROMPT_SEED)
    combinations = held_out_combinations()
    order = np.concatenate(
        [rng.permutation(len(combinations)) for _ in range(count // len(combinations) + 1)]
    )
    asked = []
    for number, index in enumerate(order[:count]):
        product, color, setting = combinations[index]
        scene = scene_of(product, color, setting, rng)
        asked.append(Asked(scene=scene, prompt=full_caption(scene, rng), seed=1000 + number))
    return asked


def load_pipeline(model: Path) -> StableDiffusionPipeline:
    """The shipped folder, exactly as any user of diffusers would load it."""
    pipe = StableDiffusionPipeline.from_pretrained(
        model, safety_checker=None, local_files_only=True, dtype=torch.float32
    )
    pipe.set_progress_bar_config(disable=True)
    return pipe


def render(
    pipe: StableDiffusionPipeline, prompts: Sequence[str], seeds: Sequence[int], negative: str = ""
) -> list[Image.Image]:
    """One picture per prompt with the model's own default settings, in small batches."""
    pictures: list[Image.Image] = []
    for start in range(0, len(prompts), _BATCH):
        part = list(prompts[start : start + _BATCH])
        generators = [torch.Generator().manual_seed(s) for s in seeds[start : start + _BATCH]]
        result = pipe(
            part,
            negative_prompt=[negative] * len(part),
            num_inference_steps=GENERATION_DEFAULTS["steps"],
            guidance_scale=GENERATION_DEFAULTS["cfg"],
            generator=generators,
        )
        pictures += result.images
    return pictures


@dataclass(frozen=True, kw_only=True)
class Marks:
    """Shares of pictures in which the judge saw what was asked, 0 to 1."""

    product: float
    color: float
    n: int


def marks(judge: Judge, pictures: list[Image.Image], scenes: Sequence[Scene]) -> Marks:
    """Let the judge name every picture and compare with its scene."""
    named = name_pictures(judge, pictures)
    return Marks(
        product=_share([n.product == s.product for n, s in zip(named, scenes, strict=True)]),
        color=_share([n.color == s.color for n, s in zip(named, scenes, strict=True)]),
        n=len(named),
    )


def mistakes(
    judge: Judge, pictures: list[Image.Image], asked: Sequence[Asked]
) -> list[tuple[Asked, Named]]:
    """What was asked and what the judge saw instead."""
    named = name_pictures(judge, pictures)
    return [
        (a, n)
        for a, n in zip(asked, named, strict=True)
        if (n.product, n.color) != (a.scene.product, a.scene.color)
    ]


def seconds_per_picture(pipe: StableDiffusionPipeline, prompts: Sequence[str]) -> float:
    """Seconds for one picture at a time, the mean over the prompts after one warm-up."""
    render(pipe, prompts[:1], [0])
    began = time.monotonic()
    for number, prompt in enumerate(prompts):
        render(pipe, [prompt], [number])
    return (time.monotonic() - began) / len(prompts)


def grid(pictures: Sequence[Image.Image], columns: int) -> Image.Image:
    """The pictures in rows, with a thin gap."""
    width, height = (side + _CELL_GAP for side in pictures[0].size)
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * width, rows * height), (255, 255, 255))
    for number, picture in enumerate(pictures):
        sheet.paste(picture, (number % columns * width, number // columns * height))
    return sheet


def _share(hits: list[bool]) -> float:
    return sum(hits) / len(hits)
