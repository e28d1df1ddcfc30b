"""The UNet of Stable Diffusion 1.x and SDXL; an inpainting model reads nine channels, not four."""

from collections.abc import Sequence
from typing import Any

import torch

from generation.engine.denoisers.batching import Samples, Stacked
from generation.engine.denoisers.rows import RowDenoiser
from generation.engine.flights import Row, Signature, Terms

CLIP_WINDOW = 77
_SIZES = 6
"""SDXL's numbers: original size, crop, target size."""
_SAMPLE_NUMBERS = 4096


class UNetDenoiser(RowDenoiser):
    """Answers rows of SD 1.x and SDXL."""

    tiles = True

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
            latents,
            timesteps,
            encoder_hidden_states=stacked.text,
            added_cond_kwargs=_added(stacked),
            return_dict=False,
            **self._residuals(signature, latents, timesteps, stacked, rows),
        )[0]
        return out

    def _residuals(
        self,
        signature: Signature,
        latents: torch.Tensor,
        timesteps: torch.Tensor,
        stacked: Stacked,
        rows: Sequence[Row],
    ) -> dict[str, Any]:
        if not signature.controls:
            return {}
        if self.controls is None:
            raise ValueError(f"this model was not given the controls {signature.controls}")
        down, middle = self.controls.residuals(
            signature,
            latents[:, : self.module.config.out_channels],  # a control never sees mask channels
            timesteps,
            stacked.text,
            _added(stacked),
            [row.leads for row in rows],
            len(rows),
        )
        return {
            "down_block_additional_residuals": down,
            "mid_block_additional_residual": middle,
        }

    def _sample_terms(self, signature: Signature, samples: Samples) -> Terms:
        config = self.module.config
        text = samples.normal(signature.windows * CLIP_WINDOW, config.cross_attention_dim)
        pooled = sizes = image = None
        if config.addition_embed_type == "text_time":
            embedded = _SIZES * config.addition_time_embed_dim
            pooled = samples.normal(config.projection_class_embeddings_input_dim - embedded)
            height = signature.height * self.pixels_per_latent
            width = signature.width * self.pixels_per_latent
            sizes = torch.tensor([height, width, 0, 0, height, width], device=text.device)
        if signature.image_prompt:
            image = self._image_prompt(signature).sample(samples.normal(_SAMPLE_NUMBERS))
        return Terms(
            text=text,
            pooled=pooled,
            sizes=sizes,
            image=image,
            image_weight=0.0 if image is None else 1.0,
        )


def _added(stacked: Stacked) -> dict[str, torch.Tensor] | None:
    if stacked.pooled is None or stacked.sizes is None:
        return None
    return {"text_embeds": stacked.pooled, "time_ids": stacked.sizes}
