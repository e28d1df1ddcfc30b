"""Random-weight ControlNets for tiny_models' UNets, whose residuals are not zero."""

import json
from pathlib import Path

import torch
from diffusers import ControlNetModel, UNet2DConditionModel

SPREAD = 0.5
"""Of the layers that are zero in a fresh one: enough for every part to be seen in a picture."""
EYE = (8, 16)
"""The tiny VAE makes one latent of 2×2 pixels."""


def tiny_control(unet: UNet2DConditionModel, *, seed: int, order: str = "rgb") -> ControlNetModel:
    """A ControlNet beside that UNet which says something."""
    net = ControlNetModel.from_unet(
        unet,
        conditioning_embedding_out_channels=EYE,
        controlnet_conditioning_channel_order=order,
    )
    generator = torch.Generator().manual_seed(seed)
    zero = [*net.controlnet_down_blocks, net.controlnet_mid_block]
    zero.append(net.controlnet_cond_embedding.conv_out)
    with torch.no_grad():
        for layer in zero:
            for value in layer.parameters():
                value.copy_(torch.randn(value.shape, generator=generator) * SPREAD)
        for block in net.controlnet_cond_embedding.blocks:
            block.weight.copy_(torch.randn(block.weight.shape, generator=generator) * SPREAD)
    return net


def build_control(
    unet: UNet2DConditionModel, folder: Path, *, kind: str = "", seed: int = 1, order: str = "rgb"
) -> Path:
    """A ControlNet's folder in diffusers' layout; returns it."""
    tiny_control(unet, seed=seed, order=order).save_pretrained(folder, safe_serialization=True)
    if kind:
        (folder / "housestyle.json").write_text(json.dumps({"kind": kind}))
    return folder
