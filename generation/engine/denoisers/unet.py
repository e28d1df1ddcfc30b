"""The UNet of Stable Diffusion 1.x and SDXL; an inpainting model reads nine channels, not four."""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import torch
from diffusers import UNet2DConditionModel

from generation.engine.denoisers.batching import (
    ControlResiduals,
    RowAdapters,
    Samples,
    Stacked,
    TermsCache,
    applied,
    filled,
    stacked_latents,
    timesteps_of,
)
from generation.engine.denoisers.padding import pad_small_products
from generation.engine.denoisers.tiling import Tiling
from generation.engine.flights import Row, Signature, Terms

CLIP_WINDOW = 77
_TRAIN_STEPS = 1000
_SIZES = 6
"""SDXL's numbers: original size, crop, target size."""


class UNetDenoiser:
    """Answers rows of SD 1.x and SDXL. Used by one thread at a time."""

    def __init__(
        self,
        unet: UNet2DConditionModel,
        *,
        controls: ControlResiduals | None = None,
        loras: RowAdapters | None = None,
        image_prompts: RowAdapters | None = None,
        pixels_per_latent: int = 8,
    ) -> None:
        pad_small_products(unet)
        self.unet = unet
        self.controls = controls
        self.loras = loras
        self.image_prompts = image_prompts
        self.run: Any = unet
        """What is called: the UNet itself, or its compiled form."""
        self._tiling = Tiling(unet)
        self._terms = TermsCache()
        self._pixels_per_latent = pixels_per_latent

    @torch.no_grad()
    def predict(self, signature: Signature, rows: Sequence[Row], bucket: int) -> torch.Tensor:
        """As the Denoiser port says; timesteps count from 0 to 1000."""
        everyone = filled(rows, bucket)
        device, dtype = self.unet.device, self.unet.dtype
        latents = stacked_latents(everyone, device, dtype)
        timesteps = timesteps_of(everyone, device)
        stacked = self._terms.stacked(everyone, dtype)
        self._tiling.switch(signature.tile)
        with ExitStack() as stack:
            applied(self.loras, lambda row: bool(row.loras), everyone, bucket, stack)
            applied(self.image_prompts, _has_image_prompt, everyone, bucket, stack)
            out = self.run(
                latents,
                timesteps,
                encoder_hidden_states=stacked.text,
                added_cond_kwargs=_added(stacked),
                return_dict=False,
                **self._residuals(signature, latents, timesteps, stacked, everyone),
            )[0]
        answer: torch.Tensor = out[: len(rows)].float()
        return answer

    def sample_rows(self, signature: Signature, count: int, seed: int) -> list[Row]:
        """As the Denoiser port says."""
        samples = Samples(seed, self.unet.device)
        return [self._sample_row(signature, samples) for _ in range(count)]

    def _sample_row(self, signature: Signature, samples: Samples) -> Row:
        config = self.unet.config
        pooled = sizes = None
        if config.addition_embed_type == "text_time":
            embedded = _SIZES * config.addition_time_embed_dim
            pooled = samples.normal(config.projection_class_embeddings_input_dim - embedded)
            height = signature.height * self._pixels_per_latent
            width = signature.width * self._pixels_per_latent
            sizes = torch.tensor([height, width, 0, 0, height, width], device=self.unet.device)
        text = samples.normal(signature.windows * CLIP_WINDOW, config.cross_attention_dim)
        return Row(
            latents=samples.normal(signature.channels, signature.height, signature.width),
            timestep=samples.number(_TRAIN_STEPS),
            terms=Terms(text=text, pooled=pooled, sizes=sizes),
            leads=samples.leads(signature, self._pixels_per_latent),
        )

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
            latents[:, : self.unet.config.out_channels],  # a control never sees mask channels
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


def _added(stacked: Stacked) -> dict[str, torch.Tensor] | None:
    if stacked.pooled is None or stacked.sizes is None:
        return None
    return {"text_embeds": stacked.pooled, "time_ids": stacked.sizes}


def _has_image_prompt(row: Row) -> bool:
    return row.terms.image is not None
