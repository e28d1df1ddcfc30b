"""Between pixels and latents: one model's VAE, one picture at a time.

Always alone in its batch, so that a picture's bits do not depend on what else is decoded.
"""

from threading import Lock

import torch
from diffusers import AutoencoderKL

from generation.engine.denoisers.tiling import Tiling


class Codec:
    """The VAE of one model. May be used from any thread; one works at a time."""

    def __init__(self, vae: AutoencoderKL) -> None:
        self.vae = vae
        self.latent_channels = int(vae.config.latent_channels)
        self.pixels_per_latent = int(2 ** (len(vae.config.block_out_channels) - 1))
        self._tiling = Tiling(vae)
        self._lock = Lock()
        self._dtype: torch.dtype = vae.dtype
        """Of its weights between two uses."""
        self._now: torch.dtype | None = vae.dtype
        """Of its weights; None while they become another's, and where memory ended meanwhile."""
        if bool(vae.config.force_upcast) and vae.dtype == torch.float16:
            self._dtype = torch.float32  # SDXL's VAE overflows in half precision
            self._become(self._dtype)

    @torch.no_grad()
    def encode(
        self, pixels: torch.Tensor, generator: torch.Generator | None, *, tile: bool = False
    ) -> torch.Tensor:
        """Latents of (3, height, width) values in -1..1, drawn with the generator as stock does.

        Without a generator: the middle of the distribution. Returns (channels, height, width) in
        float32, on the VAE's device.
        """
        with self._lock:
            self._tiling.switch(tile)
            upcast = bool(self.vae.config.force_upcast)
            try:
                # For bfloat16 too, as the stock pipeline encodes.
                self._become(torch.float32 if upcast else self._dtype)
                given = pixels[None].to(self.vae.device, self.vae.dtype)
                found = self.vae.encode(given).latent_dist
                latents = found.mode() if generator is None else found.sample(generator)
            finally:
                self._become(self._dtype)
        return scaled(self.vae, latents[0].float())

    @torch.no_grad()
    def decode(self, latents: torch.Tensor, *, tile: bool = False) -> torch.Tensor:
        """(3, height, width) values, about -1..1, in float32 of (channels, height, width) latents.

        Raises torch.OutOfMemoryError.
        """
        with self._lock:
            self._tiling.switch(tile)
            self._become(self._dtype)
            given = unscaled(self.vae, latents[None].to(self.vae.device))
            pixels: torch.Tensor = self.vae.decode(given.to(self.vae.dtype), return_dict=False)[0]
        return pixels[0].float()

    def _become(self, dtype: torch.dtype) -> None:
        if self._now != dtype:
            self._now = None
            self.vae.to(dtype)
            self._now = dtype


def scaled(vae: AutoencoderKL, latents: torch.Tensor) -> torch.Tensor:
    """The VAE's latents (..., channels, height, width) as the denoiser knows them."""
    middle, spread = _statistics(vae, latents)
    found: torch.Tensor = (latents - middle) * (vae.config.scaling_factor / spread)
    return found


def unscaled(vae: AutoencoderKL, latents: torch.Tensor) -> torch.Tensor:
    """The way back."""
    middle, spread = _statistics(vae, latents)
    found: torch.Tensor = latents / (vae.config.scaling_factor / spread) + middle
    return found


def _statistics(vae: AutoencoderKL, like: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Middle and spread of the VAE's own latents: per channel, or one shift for all, or none."""
    config = vae.config
    middle = getattr(config, "latents_mean", None)
    if middle is None:
        shift = float(getattr(config, "shift_factor", None) or 0.0)
        return like.new_tensor(shift), like.new_tensor(1.0)
    return (
        like.new_tensor(middle).view(-1, 1, 1),
        like.new_tensor(config.latents_std).view(-1, 1, 1),
    )
