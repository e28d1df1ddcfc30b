"""The UNet of Stable Diffusion 1.x and SDXL; an inpainting model reads nine channels, not four."""

from typing import Any

import torch

from generation.engine.denoisers.batching import Samples, Stacked
from generation.engine.denoisers.rows import Batch, RowDenoiser
from generation.engine.flights import Signature, Terms

CLIP_WINDOW = 77
_SIZES = 6
"""SDXL's numbers: original size, crop, target size."""
_SAMPLE_NUMBERS = 4096


class UNetDenoiser(RowDenoiser):
    """Answers rows of SD 1.x and SDXL."""

    tiles = True

    def _ask(self, run: Any, batch: Batch) -> torch.Tensor:  # noqa: ANN401  # diffusers is untyped
        out: torch.Tensor = run(
            batch.latents,
            batch.timesteps,
            encoder_hidden_states=batch.terms.text,
            added_cond_kwargs=_added(batch.terms),
            return_dict=False,
            **self._residuals(batch),
        )[0]
        return out

    def _residuals(self, batch: Batch) -> dict[str, Any]:
        signature = batch.signature
        if not signature.controls:
            return {}
        if self.controls is None:
            raise ValueError(f"this model was not given the controls {signature.controls}")
        down, middle = self.controls.residuals(
            signature,
            batch.latents[:, : self.module.config.out_channels],  # it sees no mask channels
            batch.timesteps,
            batch.terms.text,
            _added(batch.terms),
            [row.leads for row in batch.rows],
            len(batch.rows),
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
