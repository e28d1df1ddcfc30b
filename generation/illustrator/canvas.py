"""A small supersampled canvas: shaded, patterned polygons in parts of the picture's short side."""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFilter

RGB = tuple[int, int, int]
Points = list[tuple[float, float]]

GROUND = 0.86
"""Where products stand, in parts of the height from the top."""
PRODUCT_SCALE = 1.15
"""How much larger than their own measures products are drawn."""
_SHADE_CELLS = 24
_SHADOW_CELLS = 64


def supersampling(width: int, height: int) -> int:
    """How many drawn pixels stand for one: 3 up to 256 px, fewer where it would cost seconds."""
    longest = max(width, height)
    if longest <= 256:
        return 3
    return 2 if longest <= 640 else 1


class Canvas:
    """An RGB picture under construction.

    Points are (x, y): parts of the short side, x to the right from the middle,
    y upwards from the ground line.
    """

    def __init__(self, width: int, height: int, *, light_side: int = -1) -> None:
        self._factor = supersampling(width, height)
        self.size = (width * self._factor, height * self._factor)
        self.image = Image.new("RGB", self.size)
        self.unit = float(min(self.size))
        self.origin = (self.size[0] / 2, self.size[1] * GROUND)
        self._light_side = light_side

    @property
    def horizon(self) -> float:
        """Where the background's ground begins, in drawn pixels from the top."""
        return self.size[1] * 0.64

    def place(self, *, shift_x: float, shift_y: float, scale: float) -> None:
        """Put the ground point of the following shapes and set their size."""
        self.origin = (
            self.size[0] / 2 + shift_x * self.unit,
            self.size[1] * GROUND + shift_y * self.unit,
        )
        self.unit *= scale * PRODUCT_SCALE

    def pixels(self, points: Points) -> list[tuple[float, float]]:
        """The points in drawn pixels."""
        left, ground = self.origin
        return [(left + x * self.unit, ground - y * self.unit) for x, y in points]

    def fill(
        self,
        points: Points,
        color: RGB,
        *,
        shade: str = "cylinder",
        pattern: str = "plain",
        second: RGB = (255, 255, 255),
    ) -> None:
        """Fill a polygon with a shaded colour, and a pattern in a second colour over it."""
        corners = self.pixels(points)
        left = math.floor(min(x for x, _ in corners))
        top = math.floor(min(y for _, y in corners))
        width = max(1, math.ceil(max(x for x, _ in corners)) - left)
        height = max(1, math.ceil(max(y for _, y in corners)) - top)
        mask = Image.new("L", (width, height))
        ImageDraw.Draw(mask).polygon([(x - left, y - top) for x, y in corners], fill=255)
        self._paste(color, shade, mask, (left, top))
        if pattern != "plain":
            marks = pattern_mask(pattern, (width, height), period=self.unit * 0.125, diagonal=False)
            self._paste(second, shade, ImageChops.darker(mask, marks), (left, top))

    def _paste(self, color: RGB, shade: str, mask: Image.Image, at: tuple[int, int]) -> None:
        self.image.paste(_tile(color, shade, self._light_side, mask.size), at, mask)

    def line(self, points: Points, color: RGB, thickness: float) -> None:
        """A line with round joints; thickness in parts of the short side."""
        stroke = max(1, round(thickness * self.unit))
        ImageDraw.Draw(self.image).line(
            self.pixels(points), fill=color, width=stroke, joint="curve"
        )

    def shadow(self, half_width: float, *, depth: float = 0.05, strength: float = 0.5) -> None:
        """A soft contact shadow on the ground line, a little away from the light."""
        (x, y), unit = self.origin, self.unit
        box = (
            round(x - half_width * unit * 1.5 - self._light_side * unit * 0.04),
            round(y - depth * unit * 1.6),
            round(half_width * unit * 3),
            round(depth * unit * 3.4),
        )
        mask = _shadow_mask(strength).resize(
            (max(1, box[2]), max(1, box[3])), Image.Resampling.BILINEAR
        )
        self.image.paste((14, 12, 18), (box[0], box[1]), mask)

    def finish(self) -> Image.Image:
        """The picture at its real size."""
        return self.image.reduce(self._factor) if self._factor > 1 else self.image


def ellipse(x: float, y: float, rx: float, ry: float, start: float = 0, end: float = 360) -> Points:
    """Points of an ellipse or of an arc; degrees run counter-clockwise from the right."""
    steps = max(8, round(abs(end - start) / 9))
    angles = np.radians(np.linspace(start, end, steps + 1))
    return [(x + rx * math.cos(a), y + ry * math.sin(a)) for a in angles]


def box(x: float, y: float, width: float, height: float, radius: float = 0.0) -> Points:
    """A rectangle whose lower left corner is (x, y), with rounded corners where asked."""
    if radius <= 0:
        return [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
    right, top = x + width - radius, y + height - radius
    return [
        *ellipse(right, top, radius, radius, 0, 90),
        *ellipse(x + radius, top, radius, radius, 90, 180),
        *ellipse(x + radius, y + radius, radius, radius, 180, 270),
        *ellipse(right, y + radius, radius, radius, 270, 360),
    ]


def lathe(profile: list[tuple[float, float]], flatness: float = 0.16) -> Points:
    """The outline of a turned body from (half width, height) pairs, bottom first."""
    (bottom, low), (top, high) = profile[0], profile[-1]
    right = [(w, h) for w, h in profile]
    left = [(-w, h) for w, h in reversed(profile)]
    return [
        *ellipse(0, low, bottom, bottom * flatness, 180, 360),
        *right,
        *ellipse(0, high, top, top * flatness, 0, 180),
        *left,
    ]


def pattern_mask(
    pattern: str,
    size: tuple[int, int],
    *,
    period: float,
    diagonal: bool,
    part: float = 0.5,
    start: float = 0.0,
) -> Image.Image:
    """Where the second colour of a pattern shows (255) in a box of that size.

    Diagonal stripes rise to the right at 45 degrees; `part` is the width of one and `start` its
    place, both in periods.
    """
    mask = Image.new("L", size)
    pen = ImageDraw.Draw(mask)
    if pattern == "striped" and diagonal:
        _diagonals(pen, size, period, part, start)
    elif pattern == "striped":
        for index in range(math.ceil(size[1] / period) + 1):
            pen.rectangle((0, (index + 0.25) * period, size[0], (index + 0.75) * period), fill=255)
    elif pattern == "dotted":
        _dots(pen, size, period)
    elif pattern == "checked":
        _checks(pen, size, period)
    return mask


def _diagonals(
    pen: ImageDraw.ImageDraw, size: tuple[int, int], period: float, part: float, start: float
) -> None:
    width, height = size
    step = period * math.sqrt(2)
    for index in range(math.ceil((width + height) / step) + 1):
        x = (index + start) * step - height
        end = x + step * part
        pen.polygon([(x, height), (end, height), (end + height, 0), (x + height, 0)], fill=255)


def _dots(pen: ImageDraw.ImageDraw, size: tuple[int, int], period: float) -> None:
    radius = period * 0.3
    for row in range(math.ceil(size[1] / period) + 1):
        for column in range(math.ceil(size[0] / period) + 1):
            x, y = (column + 0.5 * (row % 2)) * period, (row + 0.5) * period
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)


def _checks(pen: ImageDraw.ImageDraw, size: tuple[int, int], period: float) -> None:
    for row in range(math.ceil(size[1] / period) + 1):
        for column in range(row % 2, math.ceil(size[0] / period) + 1, 2):
            x, y = column * period, row * period
            pen.rectangle((x, y, x + period, y + period), fill=255)


@lru_cache(maxsize=32)
def _shadow_mask(strength: float) -> Image.Image:
    """A blurred ellipse that fills its box."""
    cells = _SHADOW_CELLS
    mask = Image.new("L", (cells, cells))
    inset = cells * 0.24
    ImageDraw.Draw(mask).ellipse(
        (inset * 0.8, inset, cells - inset * 0.8, cells - inset), fill=round(255 * strength)
    )
    return mask.filter(ImageFilter.GaussianBlur(cells * 0.08))


@lru_cache(maxsize=32)
def _shade(name: str, light_side: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(factor, highlight) of a kind of surface, each (cells, cells), lit from that side."""
    y, x = np.mgrid[0:_SHADE_CELLS, 0:_SHADE_CELLS].astype(np.float32) / (_SHADE_CELLS - 1)
    if light_side > 0:
        x = 1 - x
    if name == "cylinder":
        facing = np.cos((x - 0.34) * math.pi * 0.86)
        factor, shine = 0.52 + 0.54 * facing, 0.12 * np.exp(-(((x - 0.27) / 0.09) ** 2))
    elif name == "sphere":
        away = np.hypot(x - 0.36, y - 0.32)
        factor, shine = 1.12 - 0.72 * away**1.35, 0.4 * np.exp(-((away / 0.11) ** 2))
    elif name == "soft":
        factor, shine = 1.06 - 0.22 * x - 0.16 * y, 0.05 * np.exp(-(((x - 0.2) / 0.3) ** 2))
    elif name == "dark":
        factor, shine = 0.72 - 0.18 * x - 0.1 * y, 0 * x
    elif name == "top":
        factor, shine = 1.14 - 0.1 * x, 0.05 + 0 * x
    else:
        factor, shine = np.ones_like(x), 0 * x
    return factor.astype(np.float32)[..., None], (255 * shine).astype(np.float32)[..., None]


@lru_cache(maxsize=2048)
def _small_tile(color: RGB, shade: str, light_side: int) -> Image.Image:
    factor, shine = _shade(shade, light_side)
    cells = np.asarray(color, np.float32) * factor + shine
    return Image.fromarray(np.clip(cells, 0, 255).astype(np.uint8))


def _tile(color: RGB, shade: str, light_side: int, size: tuple[int, int]) -> Image.Image:
    return _small_tile(color, shade, light_side).resize(size, Image.Resampling.BILINEAR)
