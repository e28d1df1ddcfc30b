"""Random image-prompt weights in IP-Adapter's format, for the tiny models."""

from pathlib import Path

import safetensors.torch
import torch
from diffusers import UNet2DConditionModel
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

TOKENS = 4
SIDE = 32
SEEN = 24
"""Numbers in which the encoder describes a picture."""


def build_image_prompt(folder: Path, unet: UNet2DConditionModel, *, seed: int = 0) -> Path:
    """A folder of weights with their encoder, for this UNet; returns it."""
    torch.manual_seed(seed)
    config = CLIPVisionConfig(
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=SIDE,
        patch_size=8,
        projection_dim=SEEN,
    )
    encoder = CLIPVisionModelWithProjection(config)
    encoder.save_pretrained(folder / "image_encoder", safe_serialization=True)
    words = unet.config.cross_attention_dim
    tensors = {
        "image_proj.proj.weight": torch.randn(TOKENS * words, SEEN),
        "image_proj.proj.bias": torch.randn(TOKENS * words),
        "image_proj.norm.weight": torch.ones(words),
        "image_proj.norm.bias": torch.zeros(words),
    }
    number = 1
    for name in unet.attn_processors:
        if name.endswith("attn2.processor"):
            module = unet.get_submodule(name.removesuffix(".processor"))
            for side in ("k", "v"):
                shape = (module.to_q.out_features, words)
                tensors[f"ip_adapter.{number}.to_{side}_ip.weight"] = torch.randn(shape) / 2
            number += 2
    safetensors.torch.save_file(tensors, folder / "ip-adapter.safetensors")
    return folder
