"""A model of the SDXL layout with random weights, as large as the real one, or tiny."""

import json
from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    EulerDiscreteScheduler,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from generation.engine.library.catalogue import CONFIGS
from tests.fakes.tiny_models import build_sdxl, tiny_tokenizer

_SHIPPED = CONFIGS / "sdxl"


def write_sdxl(folder: Path, *, tiny: bool, device: torch.device) -> Path:
    """Write it as a diffusers folder; the large one in bfloat16, drawn on `device`."""
    if tiny:
        return build_sdxl(folder)
    torch.manual_seed(0)
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.bfloat16)
    try:
        with device:
            pipe = _large()
    finally:
        torch.set_default_dtype(before)
    pipe.save_pretrained(folder, safe_serialization=True)
    return folder


def _large() -> StableDiffusionXLPipeline:
    tokenizer, tokenizer_2 = tiny_tokenizer(), tiny_tokenizer(pad="!")
    special = {
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    return StableDiffusionXLPipeline(
        vae=AutoencoderKL.from_config(_config("vae")),
        text_encoder=CLIPTextModel(CLIPTextConfig(**_config("text_encoder") | special)),
        text_encoder_2=CLIPTextModelWithProjection(
            CLIPTextConfig(**_config("text_encoder_2") | special)
        ),
        tokenizer=tokenizer,
        tokenizer_2=tokenizer_2,
        unet=UNet2DConditionModel.from_config(_config("unet")),
        scheduler=EulerDiscreteScheduler.from_config(_config("scheduler", "scheduler_config.json")),
        force_zeros_for_empty_prompt=True,
        add_watermarker=False,
    )


def _config(part: str, name: str = "config.json") -> dict[str, object]:
    found: dict[str, object] = json.loads((_SHIPPED / part / name).read_text())
    return found
