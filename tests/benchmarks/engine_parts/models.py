"""The models that the benchmark renders with: the shipped one, or a smaller random one."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextModel

from tests.fakes.tiny_models import text_config, tiny_tokenizer

SHIPPED = Path(__file__).parents[3] / "generation" / "demo_model"


def place_model(kind: str, models: Path) -> Path:
    """The model's folder under `models`: `demo`, or `small` (a UNet of about a million)."""
    folder = models / kind
    if kind == "demo":
        shutil.copytree(SHIPPED, folder)
        return folder
    return _small(folder)


def facts(folder: Path) -> Mapping[str, object]:
    """What a reader must know of the model."""
    unet = UNet2DConditionModel.from_pretrained(folder / "unet")
    return {
        "name": folder.name,
        "unet_parameters": sum(p.numel() for p in unet.parameters()),
    }


def _vae() -> AutoencoderKL:
    """One latent for 8×8 pixels, as the large models have it, but narrow."""
    return AutoencoderKL(
        block_out_channels=(16, 16, 32, 32),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=4,
        norm_num_groups=4,
        sample_size=128,
    )


def _small(folder: Path) -> Path:
    torch.manual_seed(0)
    tokenizer = tiny_tokenizer()
    unet = UNet2DConditionModel(
        sample_size=16,
        block_out_channels=(32, 64),
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=32,
        attention_head_dim=8,
        norm_num_groups=8,
    )
    StableDiffusionPipeline(
        vae=_vae(),
        text_encoder=CLIPTextModel(text_config(tokenizer)),
        tokenizer=tokenizer,
        unet=unet,
        scheduler=DDIMScheduler(
            beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False
        ),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(folder, safe_serialization=True)
    return folder
