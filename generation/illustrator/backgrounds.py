"""The settings: one function each paints what stands behind and under the product."""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

from generation.illustrator.canvas import RGB, Canvas, pattern_mask
from generation.illustrator.scene import COLORS, Scene

BACKDROP_PERIOD = 0.2
"""Width of two stripes of a patterned backdrop, in parts of the short side."""


def _ramp(canvas: Canvas, top: float, bottom: float, above: RGB, below: RGB) -> None:
    """A vertical colour ramp over the whole width, between two heights in pixels."""
    strip = np.linspace(np.asarray(above, np.float32), np.asarray(below, np.float32), 24)
    tile = Image.fromarray(strip.astype(np.uint8)[:, None, :])
    size = (canvas.size[0], max(1, round(bottom) - round(top)))
    canvas.image.paste(tile.resize(size, Image.Resampling.BILINEAR), (0, round(top)))


def _pen(canvas: Canvas) -> ImageDraw.ImageDraw:
    return ImageDraw.Draw(canvas.image)


def wooden_table(canvas: Canvas, scene: Scene, rng: np.random.Generator) -> None:
    """A pale wall above a table of brown planks."""
    width, height = canvas.size
    _ramp(canvas, 0, canvas.horizon, (226, 216, 200), (206, 192, 172))
    _ramp(canvas, canvas.horizon, height, (166, 112, 66), (196, 138, 84))
    pen, unit = _pen(canvas), min(width, height)
    middle = width / 2 + rng.uniform(-0.1, 0.1) * unit
    for index in range(-5, 6):
        top, foot = middle + index * 0.16 * unit, middle + index * 0.3 * unit
        pen.line((top, canvas.horizon, foot, height), fill=(128, 82, 46), width=round(unit * 0.012))


def white_studio(canvas: Canvas, scene: Scene, rng: np.random.Generator) -> None:
    """A light sweep without corners, a shade below white so that white things stand out."""
    height = canvas.size[1]
    _ramp(canvas, 0, canvas.horizon, (208, 211, 216), (226, 228, 231))
    _ramp(canvas, canvas.horizon, height, (232, 234, 236), (214, 216, 220))


def beach(canvas: Canvas, scene: Scene, rng: np.random.Generator) -> None:
    """Sky, sea and sand."""
    width, height = canvas.size
    shore = canvas.horizon
    _ramp(canvas, 0, shore * 0.62, (96, 178, 238), (186, 224, 246))
    _ramp(canvas, shore * 0.62, shore, (24, 122, 176), (70, 178, 200))
    _ramp(canvas, shore, height, (240, 218, 164), (222, 192, 132))
    pen, unit = _pen(canvas), min(width, height)
    pen.line((0, shore, width, shore), fill=(250, 250, 244), width=round(unit * 0.02))
    x = rng.uniform(0.1, 0.85) * width
    pen.ellipse((x, unit * 0.06, x + unit * 0.11, unit * 0.17), fill=(255, 246, 190))


def forest(canvas: Canvas, scene: Scene, rng: np.random.Generator) -> None:
    """Dark trunks before green, moss on the ground."""
    width, height = canvas.size
    _ramp(canvas, 0, canvas.horizon, (130, 176, 118), (72, 122, 70))
    _ramp(canvas, canvas.horizon, height, (70, 104, 44), (98, 132, 58))
    pen, unit = _pen(canvas), min(width, height)
    x = rng.uniform(-0.05, 0.05) * unit
    while x < width:
        thick = rng.uniform(0.05, 0.09) * unit
        pen.rectangle((x, 0, x + thick, canvas.horizon + unit * 0.015), fill=(66, 50, 36))
        x += thick + rng.uniform(0.1, 0.2) * unit


def brick_wall(canvas: Canvas, scene: Scene, rng: np.random.Generator) -> None:
    """A wall of bricks above a grey pavement."""
    width, height = canvas.size
    _ramp(canvas, 0, canvas.horizon, (166, 82, 62), (146, 68, 52))
    _ramp(canvas, canvas.horizon, height, (150, 148, 146), (176, 174, 170))
    pen, unit = _pen(canvas), min(width, height)
    row, across = 0.085 * unit, 0.2 * unit
    joint = round(unit * 0.013)
    for index in range(int(canvas.horizon / row) + 1):
        y = canvas.horizon - index * row
        pen.line((0, y, width, y), fill=(206, 178, 160), width=joint)
        start = (index % 2) * across / 2 - rng.uniform(0, 0.02) * unit
        for column in range(int(width / across) + 2):
            x = start + column * across
            pen.line((x, y - row, x, y), fill=(206, 178, 160), width=joint)


def kitchen(canvas: Canvas, scene: Scene, rng: np.random.Generator) -> None:
    """Pale blue-white tiles above a dark counter."""
    width, height = canvas.size
    _ramp(canvas, 0, canvas.horizon, (204, 226, 230), (184, 210, 216))
    _ramp(canvas, canvas.horizon, height, (74, 78, 88), (104, 108, 118))
    pen, unit = _pen(canvas), min(width, height)
    step, joint = 0.155 * unit, round(unit * 0.013)
    start = rng.uniform(-1, 0) * step
    for index in range(int(max(width, height) / step) + 2):
        x, y = start + index * step, canvas.horizon - index * step
        pen.line((x, 0, x, canvas.horizon), fill=(246, 250, 250), width=joint)
        if y > 0:
            pen.line((0, y, width, y), fill=(246, 250, 250), width=joint)
    pen.line(
        (0, canvas.horizon, width, canvas.horizon), fill=(50, 52, 60), width=round(unit * 0.02)
    )


def night_city(canvas: Canvas, scene: Scene, rng: np.random.Generator) -> None:
    """A dark blue sky, towers with lit windows, a wet street."""
    width, height = canvas.size
    _ramp(canvas, 0, canvas.horizon, (14, 18, 52), (50, 44, 98))
    _ramp(canvas, canvas.horizon, height, (62, 62, 92), (92, 92, 122))
    pen, unit = _pen(canvas), min(width, height)
    x = -rng.uniform(0, 0.08) * unit
    while x < width:
        across, tall = rng.uniform(0.14, 0.2) * unit, rng.uniform(0.25, 0.5) * unit
        top = canvas.horizon - tall
        pen.rectangle((x, top, x + across, canvas.horizon), fill=(24, 24, 48))
        for row in range(int(tall / (0.085 * unit))):
            for column in range(2):
                left, up = x + (0.2 + 0.4 * column) * across, top + (0.03 + 0.085 * row) * unit
                glow = (252, 214, 110) if rng.random() < 0.65 else (40, 40, 70)
                pen.rectangle((left, up, left + 0.2 * across, up + 0.038 * unit), fill=glow)
        x += across + 0.02 * unit


def backdrop(canvas: Canvas, scene: Scene, rng: np.random.Generator) -> None:
    """A coloured wall and ground, plain or with a large pattern (stripes run diagonally)."""
    width, height = canvas.size
    paint_wall(canvas, COLORS[scene.backdrop_color])
    if scene.backdrop_pattern != "plain":
        period = BACKDROP_PERIOD * min(width, height)
        marks = pattern_mask(scene.backdrop_pattern, (width, height), period=period, diagonal=True)
        canvas.image.paste(COLORS[scene.backdrop_second], (0, 0), marks)


def paint_wall(canvas: Canvas, color: RGB) -> None:
    """A plain wall whose ground is a little darker, so that the product stands on something."""
    height = canvas.size[1]
    below = tuple(round(part * 0.8) for part in color)
    lit = tuple(min(255, round(part * 1.04)) for part in color)
    _ramp(canvas, 0, canvas.horizon * 1.12, lit, color)  # type: ignore[arg-type]
    _ramp(canvas, canvas.horizon * 1.12, height, color, below)  # type: ignore[arg-type]


PAINTERS: dict[str, Callable[[Canvas, Scene, np.random.Generator], None]] = {
    "wooden table": wooden_table,
    "white studio": white_studio,
    "beach": beach,
    "forest": forest,
    "brick wall": brick_wall,
    "kitchen": kitchen,
    "night city": night_city,
    "backdrop": backdrop,
}
