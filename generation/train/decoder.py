"""The last polish of the demo model: its VAE's decoder learns on while the latents stay.

The UNet knows the latents of the VAE as it was, so the encoder is left alone; a decoder that also
saw slightly wrong latents draws crisper edges from what the UNet makes.
"""

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  the name everybody knows
from diffusers import AutoencoderKL
from numpy.typing import NDArray
from torch import Tensor, nn

from generation.train.vae import as_tensor, edge_loss

_BATCH = 8
_LATENT_NOISE = 0.1


class DecoderTraining(nn.Module):
    """The decoding half of a VAE."""

    def __init__(self, vae: AutoencoderKL) -> None:
        super().__init__()
        self.from_latents, self.decoder = vae.post_quant_conv, vae.decoder

    def loss(self, latents: Tensor, pictures: Tensor, generator: torch.Generator) -> Tensor:
        """How far the pictures decoded from slightly disturbed latents are from the true ones."""
        strength = _LATENT_NOISE * torch.rand(len(latents), 1, 1, 1, generator=generator)
        noise = torch.randn(latents.shape, generator=generator)
        decoded = self.decoder(self.from_latents(latents + strength * noise))
        loss: Tensor = (
            F.l1_loss(decoded, pictures)
            + F.mse_loss(decoded, pictures)
            + edge_loss(decoded, pictures)
        )
        return loss


def decoder_loss(
    training: DecoderTraining, latents: Tensor, pool: NDArray[np.uint8], *, seed: int
) -> Callable[[int], Tensor]:
    """The loss of a step as a function of its number alone."""

    def loss_of(step: int) -> Tensor:
        rng = np.random.default_rng((seed, 6, step))
        chosen = np.sort(rng.choice(len(latents), _BATCH, replace=False))
        generator = torch.Generator().manual_seed(int(rng.integers(1 << 60)))
        return training.loss(latents[torch.from_numpy(chosen)], as_tensor(pool[chosen]), generator)

    return loss_of
