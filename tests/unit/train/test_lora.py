"""A brand's LoRA: trained beside the frozen model, stored as diffusers reads it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline
from numpy.typing import NDArray
from peft.utils import get_peft_model_state_dict
from safetensors.torch import load_file

from generation.illustrator import scene_from_prompt
from generation.illustrator.scene import is_held_out
from generation.train.demo_lora import PICTURES, demo_examples
from generation.train.lora import LoraOptions, dataset_sha256, sha256_of, train_lora
from tests.unit.train.tiny import silent

pytestmark = pytest.mark.model
KINDS = ("attn1.to_k", "attn2.to_out.0", "ff.net.2", "conv1", "time_emb_proj")


def _options(model: Path, folder: Path) -> LoraOptions:
    return LoraOptions(
        model=model, out=folder / "brand.safetensors", work=folder / "work", steps=3, rank=2
    )


def _draw(pipe: StableDiffusionPipeline) -> NDArray[np.int16]:
    pipe.set_progress_bar_config(disable=True)
    generator = torch.Generator().manual_seed(5)
    return np.asarray(pipe("a mug", num_inference_steps=2, generator=generator).images[0], np.int16)


def test_a_trained_lora_loads_by_the_ordinary_call_and_changes_the_picture(
    model: Path, tmp_path: Path
) -> None:
    lora = train_lora(_options(model, tmp_path), demo_examples(3)[:4], silent)
    pipe = StableDiffusionPipeline.from_pretrained(
        model, safety_checker=None, local_files_only=True, dtype=torch.float32
    )
    plain = _draw(pipe)
    pipe.load_lora_weights(lora.parent, weight_name=lora.name, adapter_name="brand")
    loaded = get_peft_model_state_dict(pipe.unet, adapter_name="brand")
    stored = {name.removeprefix("unet."): value for name, value in load_file(lora).items()}
    assert loaded.keys() == stored.keys()
    assert set(KINDS) == {layer for layer in KINDS for name in stored if f".{layer}." in name}
    assert all(torch.equal(loaded[name], stored[name].float()) for name in stored)
    assert np.abs(_draw(pipe) - plain).max() > 0


def test_equal_options_give_the_same_file(model: Path, tmp_path: Path) -> None:
    examples = demo_examples(3)[:4]
    one = train_lora(_options(model, tmp_path / "one"), examples, silent)
    two = train_lora(_options(model, tmp_path / "two"), examples, silent)
    assert sha256_of(one) == sha256_of(two)


def test_another_prompt_makes_another_dataset() -> None:
    examples = demo_examples(3)
    changed = [replace(examples[0], prompts=("a mug",)), *examples[1:]]
    assert dataset_sha256(examples) == dataset_sha256(demo_examples(3))
    assert dataset_sha256(examples) != dataset_sha256(changed)


def test_the_demo_brand_is_taught_by_thirty_pictures_without_unseen_combinations() -> None:
    examples = demo_examples(3)
    assert len(examples) == PICTURES == 30
    for example in examples:
        for prompt in example.prompts:
            scene = scene_from_prompt(prompt, "", 1)
            if scene.setting != "white studio":  # a white backdrop reads like one
                assert not is_held_out(scene.product, scene.color, scene.setting)
