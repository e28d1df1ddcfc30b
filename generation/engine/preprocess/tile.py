"""Tile: the picture's broad colours, from which a ControlNet draws the detail anew."""

from PIL import Image

from generation.pixels import fitted

FACTOR = 4
"""Detail finer than so many pixels is taken away."""


def map_of(picture: Image.Image, width: int, height: int) -> Image.Image:
    """The picture made smaller by FACTOR (each pixel a mean) and larger again (bicubic), in RGB.

    Pillow computes both in whole numbers: the same map on every machine.
    """
    whole = fitted(picture, width, height)
    small = whole.resize((max(1, width // FACTOR), max(1, height // FACTOR)), Image.Resampling.BOX)
    return small.resize((width, height), Image.Resampling.BICUBIC)
