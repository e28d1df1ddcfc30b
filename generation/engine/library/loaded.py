"""One model in memory: its denoiser, its text side, its VAE and what samplers must know of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from diffusers import DiffusionPipeline

from generation.engine.codec import Codec
from generation.engine.denoisers.flux import FluxDenoiser
from generation.engine.denoisers.quantising import quantise
from generation.engine.denoisers.rows import RowDenoiser
from generation.engine.denoisers.sd3 import SD3Denoiser
from generation.engine.denoisers.unet import UNetDenoiser
from generation.engine.device import Device, compute_with
from generation.engine.flights import Signature
from generation.engine.library.loader import load_parts
from generation.engine.library.sources import DENOISERS, ModelSource
from generation.engine.previews import PreviewMap, fit_preview_map
from generation.engine.words.prompts import PromptEncoder

_DENOISERS: Mapping[str, type[RowDenoiser]] = {
    "sd1": UNetDenoiser,
    "sdxl": UNetDenoiser,
    "sd3": SD3Denoiser,
    "flux": FluxDenoiser,
}


@dataclass(frozen=True, kw_only=True, eq=False)
class LoadedModel:
    """One model in memory; it is never put away while it is in use."""

    source: ModelSource
    sha256: str
    denoiser: RowDenoiser
    prompts: PromptEncoder
    codec: Codec
    preview_map: PreviewMap
    scheduler_config: Mapping[str, Any]
    """As the model came; every sampler starts from it."""
    pipe: DiffusionPipeline = field(repr=False)
    """Its parts, held by their stock pipeline, which is never run."""
    threads: int
    """Of the denoiser."""
    threads_beside: int
    """Of the encoders and the decoder."""
    dtype: str
    """E.g. `float32` or `bfloat16+int8`: stands in the reproduction class."""
    bytes: int
    """Of its weights in memory."""

    @property
    def layout(self) -> str:
        """`sd1`, `sdxl`, `sd3` or `flux`."""
        return self.source.layout

    @property
    def inpaints(self) -> bool:
        """Whether its UNet reads a mask and the masked picture behind the latents."""
        return self.source.inpaints

    @property
    def module(self) -> torch.nn.Module:
        """The denoising module: LoRAs and controls act on it."""
        found: torch.nn.Module = self.denoiser.module
        return found

    @property
    def pixel_step(self) -> int:
        """Width and height of a picture are multiples of so many pixels."""
        return self.codec.pixels_per_latent * (1 if self.layout in {"sd1", "sdxl"} else 2)

    @property
    def in_channels(self) -> int:
        """Of the rows' latents, the channels behind them included."""
        extra = 1 + self.codec.latent_channels if self.inpaints else 0
        return self.codec.latent_channels + extra

    def latent_size(self, width: int, height: int) -> tuple[int, int]:
        """(height, width) of the latents of a picture of that size in pixels."""
        step = self.codec.pixels_per_latent
        return height // step, width // step

    def mu(self, width: int, height: int) -> float | None:
        """How far a flow sampler shifts its steps for a picture of that size, where it does so.

        Linear in the number of the transformer's patches, as `calculate_shift` of diffusers' SD3
        and Flux pipelines; None where the scheduler does not ask for it.
        """
        config = self.scheduler_config
        if not config.get("use_dynamic_shifting"):
            return None
        rows, columns = self.latent_size(width, height)
        patches = (rows // 2) * (columns // 2)
        few, many = config.get("base_image_seq_len", 256), config.get("max_image_seq_len", 4096)
        low, high = config.get("base_shift", 0.5), config.get("max_shift", 1.15)
        return float(low + (patches - few) * (high - low) / (many - few))

    def signature(self, width: int, height: int, *, windows: int = 1, **more: Any) -> Signature:
        """Of rows for a picture of that size in pixels."""
        rows, columns = self.latent_size(width, height)
        return Signature(
            model=self.source.name,
            channels=self.in_channels,
            height=rows,
            width=columns,
            windows=windows,
            **more,
        )


def read_model(source: ModelSource, sha256: str, device: Device) -> LoadedModel:
    """Read a model of this hash into memory. Raises ModelMissing if its files are not sound."""
    compute_with(device.threads_beside(source.weight_bytes))
    pipe = load_parts(source, device)
    preview_map = fit_preview_map(pipe.vae)
    codec = Codec(pipe.vae)
    module = getattr(pipe, DENOISERS[source.layout])
    if device.quantize:
        quantise(module, device.quantize)
    denoiser = _DENOISERS[source.layout](module, pixels_per_latent=codec.pixels_per_latent)
    if device.compiles:
        denoiser.compile()
    return LoadedModel(
        source=source,
        sha256=sha256,
        denoiser=denoiser,
        prompts=PromptEncoder(pipe, source.layout),
        codec=codec,
        preview_map=preview_map,
        scheduler_config=dict(pipe.scheduler.config),
        pipe=pipe,
        threads=device.threads_for(source.weight_bytes),
        threads_beside=device.threads_beside(source.weight_bytes),
        dtype=device.numbers,
        bytes=bytes_in_memory(pipe),
    )


def bytes_in_memory(pipe: DiffusionPipeline) -> int:
    """Of all weights and buffers of its parts."""
    modules = [part for part in pipe.components.values() if isinstance(part, torch.nn.Module)]
    return sum(
        tensor.nbytes for part in modules for tensor in (*part.parameters(), *part.buffers())
    )
