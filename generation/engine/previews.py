"""Previews without the VAE: a linear map from 3×3 latents to a patch of pixels, fitted per model.

The map is found by least squares on a few drawn pictures that the model's own VAE encodes, once
after loading. It is applied to the sampler's current guess of the finished latents, so that a
preview shows what the picture is going to be and not the noise that is still on it.
"""

from dataclasses import dataclass

import numpy as np
import torch
from diffusers import AutoencoderKL
from PIL import Image
from torch.nn import functional

from generation.engine.codec import scaled
from generation.illustrator.drawing import draw
from generation.illustrator.scene import random_scene

_PICTURES = 12
_PICTURE_SIDE = 128
_MAX_PATCH = 4
"""Preview pixels per latent, each way."""
_RIDGE_SHARE = 0.015
"""Of the latents' own variance: guided latents are stronger than those of the pictures."""


@dataclass(frozen=True, kw_only=True)
class PreviewMap:
    """A fitted 3×3 convolution to `patch`² RGB values in 0..1 per latent."""

    weight: torch.Tensor
    bias: torch.Tensor
    patch: int

    def picture(self, latents: torch.Tensor) -> Image.Image:
        """An RGB picture, `patch` times as large as the latents (1, channels, height, width)."""
        values = latents.detach().to("cpu", torch.float32)
        padded = functional.pad(values, (1, 1, 1, 1), mode="replicate")
        patches = functional.conv2d(padded, self.weight, self.bias)
        rgb = functional.pixel_shuffle(patches, self.patch)[0].clamp(0, 1).nan_to_num()
        return Image.fromarray((rgb.permute(1, 2, 0) * 255).round().to(torch.uint8).numpy())


@torch.no_grad()
def fit_preview_map(vae: AutoencoderKL) -> PreviewMap:
    """Fit the map for this VAE: the same VAE always gives the same map."""
    stored = vae.dtype
    vae.to(torch.float32)  # some VAEs overflow in half precision
    try:
        return _fit(vae)
    finally:
        vae.to(stored)


def _fit(vae: AutoencoderKL) -> PreviewMap:
    patch = min(_MAX_PATCH, 2 ** (len(vae.config.block_out_channels) - 1))
    rng = np.random.default_rng(0)
    inputs, outputs = [], []
    for _ in range(_PICTURES):
        drawn = draw(random_scene(rng, training=False), _PICTURE_SIDE, _PICTURE_SIDE)
        rgb = torch.from_numpy(np.array(drawn)).permute(2, 0, 1)[None].float() / 255
        latents = _encode(vae, rgb)
        around = functional.unfold(functional.pad(latents, (1, 1, 1, 1), mode="replicate"), 3)
        height, width = latents.shape[-2:]
        pixels = functional.adaptive_avg_pool2d(rgb, (height * patch, width * patch))
        inputs.append(around[0].T)
        outputs.append(functional.pixel_unshuffle(pixels, patch)[0].flatten(1).T)
    known = torch.cat(inputs).double()
    known = torch.cat([known, torch.ones(len(known), 1, dtype=torch.float64)], 1)
    wanted = torch.cat(outputs).double()
    square = known.T @ known
    ridge = torch.diag(_RIDGE_SHARE * torch.diag(square).mean().expand(len(square)))
    ridge[-1, -1] = 0
    solution = torch.linalg.solve(square + ridge, known.T @ wanted).float()
    channels = vae.config.latent_channels
    return PreviewMap(
        weight=solution[:-1].T.reshape(-1, channels, 3, 3).contiguous(),
        bias=solution[-1].contiguous(),
        patch=patch,
    )


def _encode(vae: AutoencoderKL, rgb: torch.Tensor) -> torch.Tensor:
    pixels = (rgb * 2 - 1).to(vae.device, vae.dtype)
    latents = scaled(vae, vae.encode(pixels).latent_dist.mode())
    found: torch.Tensor = latents.to("cpu", torch.float32)
    return found
