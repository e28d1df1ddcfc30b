"""A Scene becomes a picture."""

import numpy as np
from PIL import Image

from generation.illustrator.backgrounds import PAINTERS
from generation.illustrator.canvas import Canvas
from generation.illustrator.products import DRAWERS, Finish
from generation.illustrator.scene import COLORS, Scene

MIN_SIDE, MAX_SIDE = 64, 1024
_TINTS = {"warm": (1.05, 1.0, 0.86), "cool": (0.88, 0.97, 1.06)}


def draw(scene: Scene, width: int = 128, height: int = 128) -> Image.Image:
    """Draw the scene as an RGB picture of that size.

    Raises ValueError where a side is outside 64..1024 pixels.
    """
    if not (MIN_SIDE <= width <= MAX_SIDE and MIN_SIDE <= height <= MAX_SIDE):
        message = f"A side must be {MIN_SIDE}..{MAX_SIDE} pixels, got {width}x{height}."
        raise ValueError(message)
    canvas = Canvas(width, height, light_side=scene.camera.light_side)
    PAINTERS[scene.setting](canvas, scene, np.random.default_rng(scene.seed))
    put_product(canvas, scene)
    return light(canvas.finish(), scene.lighting)


def put_product(canvas: Canvas, scene: Scene) -> None:
    """Draw the scene's product over whatever the canvas shows."""
    camera = scene.camera
    canvas.place(shift_x=camera.shift_x, shift_y=camera.shift_y, scale=camera.scale)
    finish = Finish(
        color=COLORS[scene.color], pattern=scene.pattern, second=COLORS[scene.pattern_color]
    )
    DRAWERS[scene.product](canvas, finish)


def light(image: Image.Image, lighting: str) -> Image.Image:
    """Give the picture one of LIGHTINGS."""
    if lighting == "soft":
        return image
    pixels = np.asarray(image, np.float32)
    if lighting == "dramatic":
        height, width = pixels.shape[:2]
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        away = np.hypot((x / width - 0.5) * 1.25, y / height - 0.58)
        pixels = pixels * np.clip(1.12 - 1.05 * away, 0.3, 1.05)[..., None]
    else:
        pixels = pixels * np.asarray(_TINTS[lighting], np.float32)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
