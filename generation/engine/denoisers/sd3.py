"""The transformer of Stable Diffusion 3."""

from collections.abc import Sequence
from typing import Any

import torch

from generation.engine.denoisers.batching import Samples, Stacked
from generation.engine.denoisers.rows import RowDenoiser
from generation.engine.denoisers.unet import CLIP_WINDOW
from generation.engine.flights import Row, Signature, Terms

T5_TOKENS = 256
"""As diffusers' pipeline sets it; zeros where the model has no T5."""


class SD3Denoiser(RowDenoiser):
    """Answers rows of SD3; the latents' height and width are even."""

    def _ask(
        self,
        run: Any,  # noqa: ANN401  # diffusers is untyped
        signature: Signature,
        latents: torch.Tensor,
        timesteps: torch.Tensor,
        stacked: Stacked,
        rows: Sequence[Row],
    ) -> torch.Tensor:
        out: torch.Tensor = run(
            hidden_states=latents,
            timestep=timesteps,
            encoder_hidden_states=stacked.text,
            pooled_projections=stacked.pooled,
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
