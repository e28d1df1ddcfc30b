"""Hard edges (Canny, 1986) by OpenCV: white lines of one pixel on black."""

import cv2
import numpy as np
from PIL import Image

from generation.pixels import fitted

_SPREAD = 1 / 3
"""The thresholds lie this part below and above the median brightness."""
_LOWEST, _HIGHEST = (40, 80), (140, 255)
"""Between these a picture's own median decides: a night scene's grain is no edge, and a white
studio keeps its soft ones."""
_BLUR = (3, 3)


def map_of(picture: Image.Image, width: int, height: int) -> Image.Image:
    """The edges of the picture's middle at this size, in RGB.

    A light blur first; gradients by 3×3 Sobel over all three colours (the strongest counts, so
    that red on green of one brightness is an edge too), whole numbers throughout: the same map on
    every machine.
    """
    pixels = cv2.GaussianBlur(np.asarray(fitted(picture, width, height)), _BLUR, 0)
    low, high = thresholds(pixels)
    edges = cv2.Canny(pixels, low, high)
    return Image.fromarray(edges).convert("RGB")


def thresholds(pixels: np.ndarray) -> tuple[int, int]:
    """Canny's two thresholds for (height, width, 3) uint8: a third around the median brightness.

    The rule of thumb is common (A. Rosebrock, "Zero-parameter, automatic Canny edge detection",
    2015); the bounds are our own.
    """
    median = float(np.median(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)))
    low, high = round(median * (1 - _SPREAD)), round(median * (1 + _SPREAD))
    return (
        min(max(low, _LOWEST[0]), _HIGHEST[0]),
        min(max(high, _LOWEST[1]), _HIGHEST[1]),
    )
