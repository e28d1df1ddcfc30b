"""Inpainting: a part of a picture is painted anew, the rest is held to the picture.

A plain model is held after every evaluation, by laying the old picture's latents, noised as far as
the sampler is, over everything outside the mask; an inpainting model reads the mask itself.
Source: diffusers' StableDiffusionInpaintPipeline, whose draws are followed one by one.
"""

from collections.abc import Callable

import torch

from generation.engine.finish import pixels_of
from generation.engine.sampling.steppers import Sampling
from generation.engine.ways.masks import Canvas
from generation.engine.ways.start import Begin, Bench, Held, shrunk


def from_canvas(bench: Bench, canvas: Canvas, *, strongest: bool) -> Begin:
    """Begin with the canvas; `strongest` (a strength of 1) with noise alone."""
    pixels = pixels_of(canvas.picture)
    if bench.reads_mask:
        image = None if strongest else bench.encode(pixels, bench.generator)
        noise = bench.noise()
        return Begin(noise=noise, image=image, extra=bench.behind(canvas.mask, pixels))
    clean = bench.encode(pixels, bench.generator)
    noise = bench.noise()
    # diffusers encodes the masked picture here though no plain model reads it: a throw of the dice.
    bench.noise()
    held = Held(clean=clean, anew=shrunk(canvas.mask, clean))
    return Begin(noise=noise, image=None if strongest else clean, held=held)


def blend_of(
    held: Held, noise: torch.Tensor, stepper: Sampling
) -> Callable[[int, torch.Tensor], torch.Tensor]:
    """Flight.blend: lays the old picture over everything outside the mask."""
    old_part = 1 - held.anew

    def blended(index: int, latents: torch.Tensor) -> torch.Tensor:
        old = stepper.renoised(index, held.clean, noise)
        return old_part * old + held.anew * latents

    return blended
