"""What a way works with, and what it hands to the step loop."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from PIL import Image
from torch.nn import functional

from generation.engine.courses import Course, prepared
from generation.engine.finish import pixels_of

_Blend = Callable[[int, torch.Tensor], torch.Tensor]


@dataclass(frozen=True, kw_only=True, eq=False)
class Start:
    """What one pass starts from; tensors without a batch dimension, float32."""

    latents: torch.Tensor
    """As the sampler takes them: noise of its size, or noise on a picture."""
    skipped: int = 0
    """The sampler's steps that are left out before the first one."""
    extra: torch.Tensor | None = None
    """What an inpainting model sees behind the latents."""
    blend: _Blend | None = None
    """See Flight.blend."""


class Noising:
    """How a sampler lays noise on latents: its stock scheduler, asked for nothing else.

    Raises SpecInvalid where the scheduler cannot take this course.
    """

    def __init__(self, course: Course) -> None:
        self._scheduler, self._timesteps = prepared(course)
        self._begin = course.first * int(self._scheduler.order)

    @property
    def evaluations(self) -> int:
        """Of the model, to the end."""
        return len(self._timesteps)

    def initial(self, noise: torch.Tensor) -> torch.Tensor:
        """Noise alone, as large as the sampler begins with."""
        return noise * float(getattr(self._scheduler, "init_noise_sigma", 1.0))

    def laid(self, clean: torch.Tensor, noise: torch.Tensor, index: int) -> torch.Tensor:
        """Clean latents with as much noise as there is before evaluation `index` (from 0)."""
        scheduler, at = self._scheduler, self._begin + index
        if hasattr(scheduler, "set_begin_index"):
            scheduler.set_begin_index(self._begin)
            # Before the first step schedulers look at where to begin, later at where they are.
            scheduler._step_index = at if index else None
        timestep = self._timesteps[index : index + 1]
        if hasattr(scheduler, "scale_noise"):
            mixed = scheduler.scale_noise(clean[None], timestep, noise[None])
        else:
            mixed = scheduler.add_noise(clean[None], noise[None], timestep)
        found: torch.Tensor = mixed[0]
        return found


@dataclass(frozen=True, kw_only=True, eq=False)
class Bench:
    """One pass of one request: the model's two ends, its dice and its sampler's noise."""

    width: int
    height: int
    """Of the picture in pixels."""
    generator: torch.Generator
    """Asked for everything random, in the order in which diffusers asks."""
    encode: Callable[[torch.Tensor, torch.Generator], torch.Tensor]
    """(3, height, width) in -1..1 to latents of the model, drawn with the generator."""
    noise: Callable[[torch.Generator], torch.Tensor]
    """Fresh noise as large as this pass's latents."""
    noising: Noising
    reads_mask: bool
    """Whether it is an inpainting model: it reads a mask and a picture behind the latents."""

    def encoded(self, picture: Image.Image) -> torch.Tensor:
        """The picture's latents."""
        return self.encode(pixels_of(picture), self.generator)

    def behind(self, mask: torch.Tensor, pixels: torch.Tensor) -> torch.Tensor:
        """What an inpainting model reads: (1, height, width) of the mask and what it leaves."""
        kept = self.encode(pixels * (mask < 0.5), self.generator)
        return torch.cat([shrunk(mask, kept).to(kept), kept])

    def behind_nothing(self) -> torch.Tensor | None:
        """The same for a pass that paints everything; None for other models."""
        if not self.reads_mask:
            return None
        everything = torch.ones(1, self.height, self.width)
        return self.behind(everything, torch.zeros(3, self.height, self.width))


def shrunk(mask: torch.Tensor, latents: torch.Tensor) -> torch.Tensor:
    """A (1, height, width) mask at the size of the latents: the nearest pixel's value."""
    return functional.interpolate(mask[None], size=latents.shape[-2:])[0]
