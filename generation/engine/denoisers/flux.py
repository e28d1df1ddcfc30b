"""The transformer of Flux: it reads latents as patches of 2×2, and may be told of guidance."""

from functools import lru_cache
from typing import Any

import torch

from generation.engine.denoisers.batching import Samples
from generation.engine.denoisers.rows import TRAIN_STEPS, Batch, RowDenoiser
from generation.engine.flights import Signature, Terms

T5_TOKENS = 512
"""As diffusers' pipeline sets it."""
PATCH = 2
_SAMPLE_GUIDANCE = 3.5


class FluxDenoiser(RowDenoiser):
    """Answers rows of Flux; the latents' height and width are even."""

    def _ask(self, run: Any, batch: Batch) -> torch.Tensor:  # noqa: ANN401  # diffusers is untyped
        latents, terms, size = batch.latents, batch.terms, batch.latents.shape[-2:]
        out = run(
            hidden_states=packed(latents),
            timestep=batch.timesteps.to(latents.dtype) / TRAIN_STEPS,
            guidance=terms.guidance if self.module.config.guidance_embeds else None,
            encoder_hidden_states=terms.text,
            pooled_projections=terms.pooled,
            txt_ids=_no_places(terms.text.shape[1], latents.device, latents.dtype),
            img_ids=_places(*size, latents.device, latents.dtype),
            return_dict=False,
        )[0]
        return unpacked(out, *size)

    def _sample_terms(self, signature: Signature, samples: Samples) -> Terms:
        config = self.module.config
        return Terms(
            text=samples.normal(T5_TOKENS, config.joint_attention_dim),
            pooled=samples.normal(config.pooled_projection_dim),
            guidance=_SAMPLE_GUIDANCE,
        )


def packed(latents: torch.Tensor) -> torch.Tensor:
    """(rows, channels, height, width) as (rows, patches, 4 × channels)."""
    rows, channels, height, width = latents.shape
    split = latents.view(rows, channels, height // PATCH, PATCH, width // PATCH, PATCH)
    return split.permute(0, 2, 4, 1, 3, 5).reshape(rows, -1, channels * PATCH**2)


def unpacked(patches: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """The way back, to latents of that size."""
    rows, _, numbers = patches.shape
    channels = numbers // PATCH**2
    split = patches.view(rows, height // PATCH, width // PATCH, channels, PATCH, PATCH)
    return split.permute(0, 3, 1, 4, 2, 5).reshape(rows, channels, height, width)


@lru_cache(maxsize=32)
def _places(height: int, width: int, device: torch.device, dtype: torch.dtype) -> torch.Tensor:
    """(patches, 3): nothing, row and column of each patch."""
    down, across = height // PATCH, width // PATCH
    grid = torch.zeros(down, across, 3)
    grid[..., 1] = torch.arange(down)[:, None]
    grid[..., 2] = torch.arange(across)[None, :]
    return grid.view(-1, 3).to(device, dtype)


@lru_cache(maxsize=4)
def _no_places(tokens: int, device: torch.device, dtype: torch.dtype) -> torch.Tensor:
    """(tokens, 3): words have no place in the picture."""
    return torch.zeros(tokens, 3, device=device, dtype=dtype)
