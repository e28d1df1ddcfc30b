"""The demo model's UNet and its diffusion training on latents that were made once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  the name everybody knows
from diffusers import DDPMScheduler, UNet2DConditionModel
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import CLIPTextModel

from generation.train.text_encoder import encode
from generation.train.vae import LATENT_CHANNELS

_OTHER_EVERY = 4


@dataclass(frozen=True, kw_only=True)
class UnetSize:
    """Widths of the UNet; its middle levels look at the words.

    Attention at the first level cost two fifths of a step on a CPU and the last level has the
    middle block's attention beside it, so both go without.
    """

    channels: tuple[int, ...] = (80, 128, 192)
    groups: int = 16
    heads: int = 4
    side: int = 16
    layers: int = 1


def new_unet(size: UnetSize, *, text_width: int) -> UNet2DConditionModel:
    """A UNet with random weights."""
    looking = len(size.channels) - 2
    return UNet2DConditionModel(
        sample_size=size.side,
        in_channels=LATENT_CHANNELS,
        out_channels=LATENT_CHANNELS,
        block_out_channels=size.channels,
        layers_per_block=size.layers,
        down_block_types=("DownBlock2D", *("CrossAttnDownBlock2D",) * looking, "DownBlock2D"),
        up_block_types=("UpBlock2D", *("CrossAttnUpBlock2D",) * looking, "UpBlock2D"),
        cross_attention_dim=text_width,
        # In the SD 1.x layout this field means the number of heads.
        attention_head_dim=size.heads,
        norm_num_groups=size.groups,
    )


def noise_schedule() -> DDPMScheduler:
    """SD's noise schedule, with the UNet predicting v (Salimans & Ho, 2022)."""
    return DDPMScheduler(
        num_train_timesteps=1000,
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        prediction_type="v_prediction",
        clip_sample=False,
        steps_offset=1,
    )


class DiffusionTraining(nn.Module):
    """UNet and text encoder, trained together on plain v-prediction MSE."""

    def __init__(self, unet: UNet2DConditionModel, encoder: CLIPTextModel) -> None:
        super().__init__()
        self.unet, self.encoder = unet, encoder
        self.schedule = noise_schedule()

    def loss(self, latents: Tensor, tokens: Tensor, generator: torch.Generator) -> Tensor:
        """MSE of v for (batch, 4, side, side) scaled latents and their token ids."""
        return self.denoising_loss(latents, encode(self.encoder, tokens), generator)

    def denoising_loss(self, latents: Tensor, words: Tensor, generator: torch.Generator) -> Tensor:
        """The same with words already encoded, (batch, tokens, width)."""
        noise = torch.randn(latents.shape, generator=generator)
        # One timestep from every equal part of the schedule: the loss is calmer than by chance.
        parts = torch.arange(len(latents)) + torch.rand(len(latents), generator=generator)
        times = (parts / len(latents) * self.schedule.config.num_train_timesteps).long()
        noisy = self.schedule.add_noise(latents, noise, times)
        wanted = self.schedule.get_velocity(latents, noise, times)
        return F.mse_loss(self.unet(noisy, times, encoder_hidden_states=words).sample, wanted)


@dataclass(frozen=True, kw_only=True)
class LatentPool:
    """Training pictures of one shape, as the UNet sees them."""

    latents: Tensor
    """(n, 4, height / 8, width / 8), scaled."""
    tokens: NDArray[np.int16]
    """(versions, n, context): several captions of each picture."""
    batch: int


def diffusion_loss(
    training: DiffusionTraining, square: LatentPool, others: Sequence[LatentPool], *, seed: int
) -> Callable[[int], Tensor]:
    """The loss of a step as a function of its number; each fourth step is of another shape."""

    def loss_of(step: int) -> Tensor:
        rng = np.random.default_rng((seed, 4, step))
        turn, rest = divmod(step, _OTHER_EVERY)
        pool = others[turn % len(others)] if others and rest == 0 else square
        chosen = rng.choice(len(pool.latents), min(pool.batch, len(pool.latents)), replace=False)
        versions = rng.integers(len(pool.tokens), size=len(chosen))
        generator = torch.Generator().manual_seed(int(rng.integers(1 << 60)))
        words = torch.from_numpy(pool.tokens[versions, chosen].astype(np.int64))
        return training.loss(pool.latents[torch.from_numpy(chosen)], words, generator)

    return loss_of
