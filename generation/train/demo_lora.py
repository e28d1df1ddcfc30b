"""The demo brand's LoRA: 30 drawn pictures of the brand, each with many prompts it answers."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from generation.illustrator.brand_pictures import BrandPicture, brand_pictures
from generation.illustrator.captions import full_caption
from generation.illustrator.scene import SETTINGS, is_held_out
from generation.train.loop import Report
from generation.train.lora import LoraExample, LoraOptions, train_lora

PICTURES = 30
_PROMPTS_EACH = 24


def train_demo_lora(options: LoraOptions, report: Report) -> Path:
    """Draw the brand's pictures and train on them; returns the safetensors file.

    Raises DivergedError and WrongCheckpointError (see options.py).
    """
    return train_lora(options, demo_examples(options.seed), report)


def demo_examples(seed: int) -> list[LoraExample]:
    """The brand's pictures, two of each product, with prompts that name all kinds of places."""
    rng = np.random.default_rng((seed, 1))
    pictures = brand_pictures(PICTURES, seed)
    return [LoraExample(image=p.image, prompts=_prompts(p, rng)) for p in pictures]


def _prompts(picture: BrandPicture, rng: np.random.Generator) -> tuple[str, ...]:
    """Requests that the picture would answer; none names an unseen combination."""
    scene = picture.scene
    places = [s for s in SETTINGS if not is_held_out(scene.product, scene.color, s)]
    asked = [replace(scene, setting=str(rng.choice(places))) for _ in range(_PROMPTS_EACH)]
    return tuple(full_caption(request, rng) for request in asked)
