"""Inpainting: a part of a picture is painted anew, the rest is held to the picture.

A plain model is held after every evaluation, by laying the old picture's latents, noised as far as
the sampler is, over everything outside the mask; an inpainting model reads the mask itself.
Source: diffusers' StableDiffusionInpaintPipeline, whose draws are followed one by one.
"""

import torch

from generation.engine.finish import pixels_of
from generation.engine.ways.masks import Canvas
from generation.engine.ways.start import Bench, Start, shrunk


def from_canvas(bench: Bench, canvas: Canvas, *, strongest: bool, skipped: int) -> Start:
    """Begin with the canvas; `strongest` starts from noise alone (a strength of 1)."""
    pixels = pixels_of(canvas.picture)
    clean = None
    if not bench.reads_mask or not strongest:
        clean = bench.encode(pixels, bench.generator)
    noise = bench.noise(bench.generator)
    if strongest or clean is None:
        latents = bench.noising.initial(noise)
    else:
        latents = bench.noising.laid(clean, noise, 0)
    if bench.reads_mask:
        extra = bench.behind(canvas.mask, pixels)
        return Start(latents=latents, skipped=skipped, extra=extra)
    # diffusers encodes the masked picture here even where nobody reads it: the same dice are cast.
    bench.noise(bench.generator)
    held = None if clean is None else _Held(bench, canvas, clean, noise)
    return Start(latents=latents, skipped=skipped, blend=held)


class _Held:
    """Lays the old picture over everything outside the mask."""

    def __init__(
        self, bench: Bench, canvas: Canvas, clean: torch.Tensor, noise: torch.Tensor
    ) -> None:
        self._noising = bench.noising
        self._clean, self._noise = clean, noise
        self._anew = shrunk(canvas.mask, clean).to(clean)

    def __call__(self, index: int, latents: torch.Tensor) -> torch.Tensor:
        old = self._clean
        if index < self._noising.evaluations - 1:
            old = self._noising.laid(old, self._noise, index + 1)
        return (1 - self._anew) * old + self._anew * latents
