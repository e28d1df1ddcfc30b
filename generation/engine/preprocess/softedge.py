"""Soft edges: how steeply the picture changes, at three scales at once.

ControlNets for soft edges were trained on HED (Xie and Tu, 2015), a network. This is no network:
the mean of the gradient's strength at a fine, a middle and a coarse scale gives lines of like
width and softness, but it does not know which lines matter. A finished HED map can be given
as a `ready` control.
"""

import cv2
import numpy as np
from PIL import Image

from generation.pixels import fitted

_SCALES = (1.0, 2.0, 4.0)
"""Widths of the Gaussians in pixels, for a picture whose short side has _SIDE pixels."""
_SIDE = 512
_NARROWEST = 0.8
_BRIGHT_SHARE = 0.99
"""This part of the pixels lies below full white."""
_FAINTEST = 24.0
"""Steepness, in steps of brightness a pixel, that is white at the least: an even picture is black
and not full of grain."""


def map_of(picture: Image.Image, width: int, height: int) -> Image.Image:
    """Soft white lines on black, in RGB.

    Blurs and gradients are whole numbers, and the rest is exact in double precision: the same
    map on every machine.
    """
    pixels = np.asarray(fitted(picture, width, height))
    scale = min(width, height) / _SIDE
    steep = [_steepness(pixels, max(_NARROWEST, sigma * scale)) for sigma in _SCALES]
    mean = sum(steep[1:], start=steep[0]) / len(steep)
    white = max(_FAINTEST, float(np.quantile(mean, _BRIGHT_SHARE, method="lower")))
    lines = np.clip(mean * (255 / white), 0, 255).astype(np.uint8)
    return Image.fromarray(lines).convert("RGB")


def _steepness(pixels: np.ndarray, sigma: float) -> np.ndarray:
    """(height, width) gradient strength of the steepest colour, after a blur of that width."""
    blurred = cv2.GaussianBlur(pixels, (0, 0), sigma)
    across = cv2.Sobel(blurred, cv2.CV_16S, 1, 0).astype(np.float64)
    down = cv2.Sobel(blurred, cv2.CV_16S, 0, 1).astype(np.float64)
    strength: np.ndarray = np.sqrt(across**2 + down**2).max(axis=2) * sigma
    return strength
