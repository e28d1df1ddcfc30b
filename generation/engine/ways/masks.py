"""Where a picture is painted anew, and how softly old and new meet."""

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image, ImageFilter, ImageOps

from brand.spec import Mask
from generation.pixels import fitted

_LANCZOS, _BILINEAR, _NEAREST = (
    Image.Resampling.LANCZOS,
    Image.Resampling.BILINEAR,
    Image.Resampling.NEAREST,
)
WHITE = 255
_HALF = 128
"""From this grey on a pixel of a mask counts as white, as in diffusers (0.5 of 255)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Canvas:
    """A picture of which a part is painted anew; all three are of one size."""

    picture: Image.Image
    """RGB."""
    anew: Image.Image
    """L, 0 or 255: white is painted anew by the model."""
    shown: Image.Image
    """L: how much of the new picture shows in the finished one; 0 keeps the old pixel's bits."""

    @property
    def mask(self) -> torch.Tensor:
        """(1, height, width), 1.0 where it is painted anew, else 0.0."""
        return torch.from_numpy((np.asarray(self.anew) >= _HALF).astype(np.float32))[None]

    def pasted(self, painted: Image.Image) -> Image.Image:
        """What the model painted, laid over the picture."""
        return Image.composite(painted, self.picture, self.shown)

    def enlarged(self, size: tuple[int, int]) -> "Canvas":
        """The same for a picture of this size, which is no smaller.

        What is kept is the picture enlarged (Lanczos), everywhere that it was kept before: edges
        grow softer inside of what is painted anew only.
        """
        touched = self.shown.point(lambda value: WHITE if value else 0).resize(size, _NEAREST)
        soft = self.shown.resize(size, _BILINEAR)
        return Canvas(
            picture=self.picture.resize(size, _LANCZOS),
            anew=self.anew.resize(size, _NEAREST),
            shown=Image.composite(soft, Image.new("L", size), touched),
        )


def masked(picture: Image.Image, drawn: Image.Image, mask: Mask) -> Canvas:
    """A canvas from a fitted picture and its mask, as large as it comes.

    Old and new meet within `feather` pixels on both sides of the mask's edge.
    """
    grey = fitted(drawn, *picture.size).convert("L")
    if mask.invert:
        grey = ImageOps.invert(grey)
    anew = grey.point(lambda value: WHITE if value >= _HALF else 0)
    shown = anew.filter(ImageFilter.BoxBlur(mask.feather)) if mask.feather else anew
    return Canvas(picture=picture, anew=anew, shown=shown)
