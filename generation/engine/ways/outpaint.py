"""Outpainting: a picture goes on over its edges; what is new is inpainted (see inpaint.py)."""

import numpy as np
import numpy.typing as npt
from PIL import Image

from brand.spec import Outpaint
from generation.engine.ways.masks import WHITE, Canvas
from generation.pixels import fitted


def extended(reference: Image.Image, size: tuple[int, int], out: Outpaint) -> Canvas:
    """A canvas of `size` with the picture in its place; the rest mirrors it until painted.

    The model also repaints a seam of `feather` pixels inside the old picture, which fades in.
    """
    width, height = size
    inner = (width - out.left - out.right, height - out.top - out.bottom)
    old = np.asarray(fitted(reference, *inner))
    sides = ((out.top, out.bottom), (out.left, out.right), (0, 0))
    whole = Image.fromarray(np.pad(old, sides, mode="symmetric"))
    depth = np.minimum.outer(
        _depths(height, out.top, out.bottom), _depths(width, out.left, out.right)
    )
    anew = np.where(depth < out.feather, WHITE, 0).astype(np.uint8)
    # Pixel 0 of the old picture shows almost the new one only, pixel `feather` the old one only.
    fade = np.clip((out.feather - depth) / (out.feather + 1), 0, 1)
    shown = np.where(depth < 0, 1, fade) * WHITE
    return Canvas(
        picture=whole,
        anew=Image.fromarray(anew),
        shown=Image.fromarray(shown.round().astype(np.uint8)),
    )


def _depths(length: int, before: int, after: int) -> npt.NDArray[np.int64]:
    """How far inside the old picture each line lies; negative outside, huge without an edge."""
    at = np.arange(length)
    first = at - before if before else np.full(length, length)
    last = length - after - 1 - at if after else np.full(length, length)
    found: npt.NDArray[np.int64] = np.minimum(first, last)
    return found
