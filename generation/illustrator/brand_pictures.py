"""Pictures of the demo brand: its products before its own diagonal stripes, in its own colours.

They are what the brand's LoRA learns from, and what its gate is tried on. Captions name product,
colour and a place as any request would: the look belongs to the brand, not to the words.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from generation.illustrator.canvas import RGB, Canvas, pattern_mask
from generation.illustrator.captions import full_caption
from generation.illustrator.drawing import light, put_product
from generation.illustrator.scene import COLORS, PRODUCTS, SETTINGS, Scene, scene_of

TEAL: RGB = (15, 124, 124)
ORANGE: RGB = (240, 138, 60)
CREAM: RGB = (246, 234, 210)
NAVY: RGB = (27, 42, 73)
PALETTE: dict[str, RGB] = {"teal": TEAL, "orange": ORANGE, "cream": CREAM, "navy": NAVY}
SIDE = 128
_PERIOD = 0.4
# One teal, one orange and one navy stripe make a period; widths in parts of it.
_STRIPES = ((TEAL, 0.46), (ORANGE, 0.34), (NAVY, 0.2))
_DISC_RADIUS = 0.37
_DISC_TOP = 0.14


@dataclass(frozen=True, kw_only=True)
class BrandPicture:
    """One picture of the brand with the request it would answer."""

    scene: Scene
    prompt: str
    image: Image.Image


def brand_pictures(count: int, seed: int) -> list[BrandPicture]:
    """That many pictures; each product comes up equally often.

    A scene's setting is asked for in the prompt but gives way to the stripes.
    """
    rng = np.random.default_rng(seed)
    return [_brand_picture(PRODUCTS[number % len(PRODUCTS)], rng) for number in range(count)]


def _brand_picture(product: str, rng: np.random.Generator) -> BrandPicture:
    color = list(COLORS)[int(rng.integers(len(COLORS)))]
    setting = SETTINGS[int(rng.integers(len(SETTINGS)))]
    scene = scene_of(product, color, setting, rng)
    return BrandPicture(scene=scene, prompt=full_caption(scene, rng), image=_draw(scene, SIDE))


def _draw(scene: Scene, side: int) -> Image.Image:
    canvas = Canvas(side, side, light_side=scene.camera.light_side)
    _paint_stripes(canvas)
    put_product(canvas, scene)
    return light(canvas.finish(), "soft")


def _paint_stripes(canvas: Canvas) -> None:
    """Stripes that rise to the right and a cream disc before them, the same on every picture."""
    period = _PERIOD * canvas.unit
    begin = 0.0
    canvas.image.paste(_STRIPES[0][0], (0, 0, *canvas.size))
    for color, width in _STRIPES:
        if color != _STRIPES[0][0]:
            mask = pattern_mask(
                "striped", canvas.size, period=period, diagonal=True, part=width, start=begin
            )
            canvas.image.paste(color, (0, 0), mask)
        begin += width
    disc, middle = _DISC_RADIUS * canvas.unit, canvas.size[0] / 2
    top = _DISC_TOP * canvas.unit
    ImageDraw.Draw(canvas.image).ellipse((middle - disc, top, middle + disc, top + 2 * disc), CREAM)
