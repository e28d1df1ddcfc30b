"""What the gates measure, each a plain function on pixels (numpy uint8, H x W x 3).

Sharpness: J. L. Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy" (ICPR 2000):
variance of the Laplacian. Stripes: J. Bigun, G. Granlund, "Optimal orientation detection of linear
symmetry" (ICCV 1987): the structure tensor. Fingerprint: the 64-bit DCT hash of C. Zauner,
"Implementation and benchmarking of perceptual image hash functions" (2010), with the median as the
threshold.
"""

from functools import lru_cache

import numpy as np
from PIL import Image

from brand.color import FloatArray, PixelArray

SHARPNESS_SIDE = 512
"""Sharpness is given as for a picture whose short side has this many pixels."""
STRIPE_SIDE = 192
"""Pictures larger than this are scaled down before stripes are looked for: speed, noise."""
STRIPE_CELLS = 16
CELL_WINDOW = 3
"""Stripes are looked for in windows of 3 x 3 of 16 x 16 cells, one window per cell."""
MIN_COHERENCE = 0.45
"""How much the edges of a window must agree on one direction (0 to 1)."""
MIN_CONTRAST = 0.02
"""Root mean square gradient (of a 0 to 1 scale, per pixel) below which a window is plain."""
HASH_SIDE, HASH_BITS = 32, 8

_LUMA = np.array([0.299, 0.587, 0.114])


def luma(pixels: PixelArray) -> FloatArray:
    """Brightness from 0 to 255 (ITU-R BT.601), shape H x W."""
    return np.asarray(pixels[..., :3] @ _LUMA)


def sharpness(pixels: PixelArray) -> float:
    """Variance of the Laplacian, scaled to a short side of SHARPNESS_SIDE.

    Edges fill a share of the picture that falls with its side, so the variance of one drawing falls
    likewise; times the side it is about the same number at every size. Below 3 pixels it is 0.
    """
    grey = luma(pixels)
    if min(grey.shape) < 3:
        return 0.0
    middle = grey[1:-1, 1:-1]
    around = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    return float((around - 4 * middle).var() * min(grey.shape) / SHARPNESS_SIDE)


def stripe_share(pixels: PixelArray, *, angle: float, tolerance: float) -> float:
    """Share of the picture (0 to 1) whose edges run at `angle` degrees, within `tolerance`.

    Degrees run counter-clockwise from the horizontal. A part counts where its colour gradients are
    strong enough and agree on that one direction.
    """
    xx, xy, yy = _tensor(pixels)
    strength = xx + yy
    spread = np.hypot(xx - yy, 2 * xy)
    coherent = spread >= MIN_COHERENCE * strength
    strong = strength >= MIN_CONTRAST**2
    # The gradient stands at a right angle to the stripe; image rows run downwards.
    direction = (np.degrees(0.5 * np.arctan2(-2 * xy, xx - yy)) + 90) % 180
    off = np.abs((direction - angle + 90) % 180 - 90)
    return float((coherent & strong & (off <= tolerance)).mean())


def _tensor(pixels: PixelArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Mean products of the colour gradients in the windows around each cell."""
    value = _scaled(pixels).astype(np.float64) / 255
    down, right = np.gradient(value, axis=(0, 1))
    products = ((right * right).sum(-1), (right * down).sum(-1), (down * down).sum(-1))
    xx, xy, yy = (_windows(product) for product in products)
    return xx, xy, yy


def _scaled(pixels: PixelArray) -> PixelArray:
    """At most STRIPE_SIDE pixels on the short side, at least one pixel per cell."""
    height, width = pixels.shape[:2]
    factor = min(1.0, STRIPE_SIDE / min(height, width))
    size = (max(STRIPE_CELLS, round(width * factor)), max(STRIPE_CELLS, round(height * factor)))
    if size == (width, height):
        return pixels[..., :3]
    image = Image.fromarray(np.ascontiguousarray(pixels[..., :3]))
    return np.asarray(image.resize(size, Image.Resampling.BOX))


def _windows(product: FloatArray) -> FloatArray:
    """Means over windows of CELL_WINDOW cells, one per cell, cut at the picture's edge."""
    rows, columns = (np.linspace(0, n, STRIPE_CELLS + 1).astype(int) for n in product.shape)
    total = np.zeros((product.shape[0] + 1, product.shape[1] + 1))
    total[1:, 1:] = product.cumsum(axis=0).cumsum(axis=1)
    cells = np.arange(STRIPE_CELLS)
    low = np.maximum(cells - CELL_WINDOW // 2, 0)
    high = np.minimum(cells + CELL_WINDOW // 2 + 1, STRIPE_CELLS)
    top, bottom, left, right = rows[low], rows[high], columns[low], columns[high]
    area = (bottom - top)[:, None] * (right - left)[None, :]
    corner = total[np.ix_(bottom, right)] - total[np.ix_(top, right)]
    return np.asarray(
        (corner - total[np.ix_(bottom, left)] + total[np.ix_(top, left)]) / area, dtype=np.float64
    )


def fingerprint(pixels: PixelArray) -> str:
    """64-bit perceptual hash as 16 hexadecimal characters; near pictures differ in few bits."""
    grey = Image.fromarray(np.ascontiguousarray(pixels[..., :3])).convert("L")
    small = np.asarray(grey.resize((HASH_SIDE, HASH_SIDE), Image.Resampling.LANCZOS), np.float64)
    basis = _dct_basis()
    low = (basis @ small @ basis.T)[:HASH_BITS, :HASH_BITS]
    bits = (low > np.median(low)).flatten()
    return f"{int(''.join('1' if bit else '0' for bit in bits), 2):016x}"


@lru_cache(maxsize=1)
def _dct_basis() -> FloatArray:
    """DCT-II without scaling: rows are frequencies."""
    k = np.arange(HASH_SIDE)
    return np.asarray(2 * np.cos(np.pi * np.outer(k, 2 * k + 1) / (2 * HASH_SIDE)))


def differing_bits(one: str, others: list[str]) -> list[int]:
    """Hamming distance (0 to 64) of a fingerprint to each of the others."""
    known = np.array([int(text, 16) for text in others], dtype=np.uint64)
    return [int(n) for n in np.bitwise_count(known ^ np.uint64(int(one, 16)))]
