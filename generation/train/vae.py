"""The demo model's VAE: 128 px to 16 x 16 latents of 4 channels, and how it is trained."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  the name everybody knows
from diffusers import AutoencoderKL
from numpy.typing import NDArray
from torch import Tensor, nn

from generation.train.threads import ThreadChoice, adapted

LATENT_CHANNELS = 4
_BATCH = 8
# More at once outgrow the caches and the memory that the allocator keeps.
_ENCODED_AT_ONCE = 16
_REPORT_EVERY = 4096
_KL_WEIGHT = 5e-4
_LATENT_NOISE = 0.05


@dataclass(frozen=True, kw_only=True)
class VaeSize:
    """Widths of the VAE; each step but the last halves the picture."""

    channels: tuple[int, ...] = (16, 32, 64, 96)
    groups: int = 4
    side: int = 128


def new_vae(size: VaeSize) -> AutoencoderKL:
    """A VAE with random weights."""
    levels = len(size.channels)
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * levels,
        up_block_types=("UpDecoderBlock2D",) * levels,
        block_out_channels=size.channels,
        layers_per_block=1,
        latent_channels=LATENT_CHANNELS,
        norm_num_groups=size.groups,
        sample_size=size.side,
        mid_block_add_attention=False,
        # Given here and not registered later: a value that was left to its default is not carried
        # over by `from_config`.
        scaling_factor=1.0,
    )


class VaeTraining(nn.Module):
    """The VAE with a linear probe that keeps colour readable in its latents.

    L1 alone loses the red-green axis; an MSE on pooled colours and the probe keep it.
    """

    def __init__(self, vae: AutoencoderKL) -> None:
        super().__init__()
        self.vae = vae
        self.probe = nn.Conv2d(LATENT_CHANNELS, 3, 1)
        self.factor = 2 ** (len(vae.config.block_out_channels) - 1)

    def loss(self, pictures: Tensor, generator: torch.Generator, progress: float) -> Tensor:
        """Training loss of (batch, 3, side, side) pictures in -1..1; `progress` runs 0..1."""
        coded = self.vae.encode(pictures).latent_dist
        noise = torch.randn(coded.mean.shape, generator=generator)
        spread = coded.std + _LATENT_NOISE * coded.mean.detach().std()
        decoded = self.vae.decode(coded.mean + spread * noise).sample
        pooled, wanted = F.avg_pool2d(decoded, self.factor), F.avg_pool2d(pictures, self.factor)
        probe_weight = 1.5 * max(0.0, 1 - 1.6 * progress)
        loss = (
            F.l1_loss(decoded, pictures)
            + F.mse_loss(decoded, pictures)
            + edge_loss(decoded, pictures)
            + 3 * F.mse_loss(pooled, wanted)
            + probe_weight * F.mse_loss(self.probe(coded.mean), wanted)
        )
        # KL to the unit Gaussian, per element (Kingma & Welling, 2014, appendix B).
        kl: Tensor = 0.5 * (coded.mean**2 + coded.var - 1 - coded.logvar).mean()
        return loss + _KL_WEIGHT * kl


def edge_loss(decoded: Tensor, pictures: Tensor) -> Tensor:
    """L1 between the differences of neighbouring pixels: soft edges cost."""
    difference = decoded - pictures
    across = difference[..., :, 1:] - difference[..., :, :-1]
    down = difference[..., 1:, :] - difference[..., :-1, :]
    return across.abs().mean() + down.abs().mean()


def vae_loss(
    training: VaeTraining, pool: NDArray[np.uint8], *, seed: int, steps: int
) -> Callable[[int], Tensor]:
    """The loss of a step as a function of its number alone."""

    def loss_of(step: int) -> Tensor:
        rng = np.random.default_rng((seed, 1, step))
        chosen = np.sort(rng.choice(len(pool), _BATCH, replace=False))
        generator = torch.Generator().manual_seed(int(rng.integers(1 << 60)))
        return training.loss(as_tensor(pool[chosen]), generator, step / steps)

    return loss_of


def as_tensor(pictures: NDArray[np.uint8]) -> Tensor:
    """(n, h, w, 3) uint8 to (n, 3, h, w) float in -1..1."""
    floats = pictures.astype(np.float32).transpose(0, 3, 1, 2) / 127.5 - 1
    return torch.from_numpy(np.ascontiguousarray(floats))


@torch.no_grad()
def psnr(vae: AutoencoderKL, pictures: NDArray[np.uint8]) -> float:
    """Peak signal-to-noise ratio of encode and decode, in dB, over all pictures."""
    wanted = as_tensor(pictures)
    decoded = vae.decode(vae.encode(wanted).latent_dist.mean).sample.clamp(-1, 1)
    return float(-10 * torch.log10(F.mse_loss(decoded, wanted) / 4))


@torch.no_grad()
def encode_pool(
    vae: AutoencoderKL,
    pool: NDArray[np.uint8],
    report: Callable[[int], None],
    threads: ThreadChoice | None = None,
) -> Tensor:
    """Latent means of every picture, (n, 4, side/8, side/8), unscaled."""
    parts = []
    for start in range(0, len(pool), _ENCODED_AT_ONCE):
        with adapted(threads):
            pictures = as_tensor(pool[start : start + _ENCODED_AT_ONCE])
            parts.append(vae.encode(pictures).latent_dist.mean)
        if start % _REPORT_EVERY == 0:
            report(start + len(parts[-1]))
    return torch.cat(parts)


@torch.no_grad()
def standardize(vae: AutoencoderKL, latents: Tensor) -> Tensor:
    """Fold each channel's mean and spread into the VAE, so that its latents are 0 +- 1.

    The two 1 x 1 convolutions around the latents take the change, and `scaling_factor` is 1.
    Returns the given latents as the changed VAE would make them.
    """
    mean, std = latents.mean((0, 2, 3)), latents.std((0, 2, 3))
    coded, decoded = vae.quant_conv, vae.post_quant_conv
    scale = torch.cat([1 / std, torch.ones_like(std)])
    shift = torch.cat([-mean / std, -2 * std.log()])
    coded.weight.mul_(scale[:, None, None, None])
    coded.bias.mul_(scale).add_(shift)
    weight = decoded.weight[:, :, 0, 0]
    decoded.bias.add_(weight @ mean)
    decoded.weight.mul_(std[None, :, None, None])
    return (latents - mean[:, None, None]) / std[:, None, None]
