"""Line art: extended difference of Gaussians (Winnemöller, Kyprianidis and Olsen, 2012)."""

import cv2
import numpy as np
from PIL import Image

from generation.pixels import fitted

_SIGMA = 1.4
"""Width of the finer Gaussian in pixels, for a picture whose short side has _SIDE pixels."""
_SIDE = 512
_NARROWEST = 0.7
_RATIO = 1.6
"""Of the two Gaussians' widths: the usual approximation of a Laplacian (Marr and Hildreth)."""
_SHARPNESS = 16.0
"""The paper's p: how much of the difference is added."""
_RAMP = 0.35
"""Darkness against the surrounding, in parts of full brightness, that makes a full line."""
_FAINTEST = 0.05
"""Less than this is no line."""
_DEPTH = 65535


def map_of(picture: Image.Image, width: int, height: int) -> Image.Image:
    """White strokes on black, in RGB: full where the picture is darker than around.

    A straight ramp stands for the paper's hyperbolic tangent. Blurs are whole numbers of 16
    bits and the rest is exact in double precision: the same map on every machine.
    """
    pixels = np.asarray(fitted(picture, width, height))
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.uint16) * 257
    sigma = max(_NARROWEST, _SIGMA * min(width, height) / _SIDE)
    fine = cv2.GaussianBlur(grey, (0, 0), sigma).astype(np.float64) / _DEPTH
    coarse = cv2.GaussianBlur(grey, (0, 0), sigma * _RATIO).astype(np.float64) / _DEPTH
    darker = _SHARPNESS * (coarse - fine) - _FAINTEST
    lines = np.clip(darker * (255 / _RAMP), 0, 255).astype(np.uint8)
    return Image.fromarray(lines).convert("RGB")
