"""What a way works with, and what it hands on towards the step loop."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from PIL import Image
from torch.nn import functional

from generation.engine.finish import pixels_of
from generation.engine.sampling.steppers import Start


@dataclass(frozen=True, kw_only=True, eq=False)
class Held:
    """What a plain model is held to outside a mask after every evaluation."""

    clean: torch.Tensor
    """(channels, height, width): the old picture's latents."""
    anew: torch.Tensor
    """(1, height, width): 1 where the model paints, 0 where it is held."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Begin:
    """Where one pass begins; float32 tensors of the latents' size."""

    noise: torch.Tensor
    """The first noise, drawn from the pass's generator."""
    image: torch.Tensor | None = None
    """Latents under that noise; None: the noise alone."""
    extra: torch.Tensor | None = None
    """What an inpainting model reads behind the latents."""
    held: Held | None = None

    def start(self, generator: torch.Generator) -> Start:
        """For a stepper that goes on drawing from this generator."""
        channels, rows, columns = self.noise.shape
        return Start(
            generator=generator,
            device=self.noise.device,
            shape=(channels, rows, columns) if self.image is None else None,
            image=self.image,
            noise=self.noise,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Bench:
    """One pass of one request: its size, its dice and the model's way in."""

    width: int
    height: int
    """Of the picture in pixels."""
    generator: torch.Generator
    """Asked for everything random, in the order in which diffusers asks."""
    encode: Callable[[torch.Tensor, torch.Generator], torch.Tensor]
    """(3, height, width) in -1..1 to the model's latents, drawn with the generator."""
    draw: Callable[[torch.Generator], torch.Tensor]
    """Fresh noise as large as this pass's latents."""
    reads_mask: bool
    """Whether it is an inpainting model: it reads a mask and a picture behind the latents."""

    def noise(self) -> torch.Tensor:
        """The next noise of the dice."""
        return self.draw(self.generator)

    def encoded(self, picture: Image.Image) -> torch.Tensor:
        """The picture's latents."""
        return self.encode(pixels_of(picture), self.generator)

    def behind(self, mask: torch.Tensor, pixels: torch.Tensor) -> torch.Tensor:
        """What an inpainting model reads: the (1, height, width) mask and what it leaves."""
        kept = self.encode(pixels * (mask < 0.5), self.generator)
        return torch.cat([shrunk(mask, kept), kept])

    def behind_nothing(self) -> torch.Tensor | None:
        """The same for a pass that paints everything; None for other models."""
        if not self.reads_mask:
            return None
        everything = torch.ones(1, self.height, self.width)
        return self.behind(everything, torch.zeros(3, self.height, self.width))


def shrunk(mask: torch.Tensor, latents: torch.Tensor) -> torch.Tensor:
    """A (1, height, width) mask as large as the latents, beside them: the nearest pixels."""
    return functional.interpolate(mask[None], size=latents.shape[-2:])[0].to(latents)
