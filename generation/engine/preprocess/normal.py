"""Surface normals, worked out from depth: it needs the depth model and no other."""

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from generation.engine.preprocess import depth

_RELIEF = 0.25
"""How far nearness 1 stands out before nearness 0, in parts of the picture's short side. Depth
models do not tell this; a quarter gives plain shapes."""
_SMOOTH = 1.0
"""Blur of the depth in pixels: a network's grain would make the normals restless."""


class Normal:
    """Normals by a depth model."""

    def __init__(self, source: depth.Depth) -> None:
        self._depth = source

    def map_of(self, picture: Image.Image, width: int, height: int) -> Image.Image:
        """Red is to the right, green up, blue towards the eye, 0 at 128, in RGB."""
        near = cv2.GaussianBlur(self._depth.nearness(picture, width, height), (0, 0), _SMOOTH)
        down, across = np.gradient(near * (_RELIEF * min(width, height)))
        normals = np.stack([-across, down, np.ones_like(near)], axis=2)
        normals /= np.linalg.norm(normals, axis=2, keepdims=True)
        return Image.fromarray(np.rint(normals * 127 + 128).clip(0, 255).astype(np.uint8))


def load(models_dir: Path | None) -> Normal:
    """Normals by the model in preprocessors/depth. Raises ModelMissing."""
    return Normal(depth.load(models_dir))
