"""The transformer of Stable Diffusion 3."""

from typing import Any

import torch

from generation.engine.denoisers.batching import Samples
from generation.engine.denoisers.rows import Batch, RowDenoiser
from generation.engine.denoisers.unet import CLIP_WINDOW
from generation.engine.flights import Signature, Terms

T5_TOKENS = 256
"""As diffusers' pipeline sets it; zeros where the model has no T5."""


class SD3Denoiser(RowDenoiser):
    """Answers rows of SD3; the latents' height and width are even."""

    def _ask(self, run: Any, batch: Batch) -> torch.Tensor:  # noqa: ANN401  # diffusers is untyped
        out: torch.Tensor = run(
            hidden_states=batch.latents,
            timestep=batch.timesteps,
            encoder_hidden_states=batch.terms.text,
            pooled_projections=batch.terms.pooled,
            return_dict=False,
        )[0]
        return out

    def _sample_terms(self, signature: Signature, samples: Samples) -> Terms:
        config = self.module.config
        tokens = signature.windows * CLIP_WINDOW + T5_TOKENS
        return Terms(
            text=samples.normal(tokens, config.joint_attention_dim),
            pooled=samples.normal(config.pooled_projection_dim),
        )
