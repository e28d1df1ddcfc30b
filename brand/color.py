"""Colour as people see it: sRGB to CIELAB, the CIEDE2000 difference, palette coverage.

Sources: IEC 61966-2-1 (sRGB), CIE 15 (CIELAB under D65, 2° observer), and G. Sharma, W. Wu,
E. N. Dalal, "The CIEDE2000 color-difference formula", Color Res. Appl. 30 (2005), whose 34 test
pairs hold the implementation in `tests/unit/brand/test_color.py`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
PixelArray = npt.NDArray[np.uint8]
Rgb = tuple[int, int, int]

DEFAULT_MAX_DELTA_E = 12.0
SAMPLE_PIXELS = 250_000
"""Coverage looks at about this many pixels of a larger picture, evenly spread."""

_HEX = re.compile(r"#([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})")
_TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
_WHITE_D65 = np.array([0.95047, 1.0, 1.08883])
_25_TO_7 = 25.0**7
_BIN_BITS = 5
_BINS = 1 << (3 * _BIN_BITS)


def parse_hex(text: str) -> Rgb:
    """`#rrggbb` as three numbers from 0 to 255. Raises ValueError for any other form."""
    match = _HEX.fullmatch(text)
    if match is None:
        raise ValueError(f"a colour is written #rrggbb, got {text!r}")
    red, green, blue = (int(part, 16) for part in match.groups())
    return red, green, blue


def to_hex(rgb: Sequence[float]) -> str:
    """Three numbers from 0 to 255 as `#rrggbb`."""
    red, green, blue = (round(value) for value in rgb)
    return f"#{red:02x}{green:02x}{blue:02x}"


def srgb_to_lab(rgb: npt.ArrayLike) -> FloatArray:
    """sRGB values from 0 to 255, shape (..., 3), as CIELAB (L*, a*, b*), same shape, float64."""
    value = np.asarray(rgb, dtype=np.float64) / 255.0
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    xyz = linear @ _TO_XYZ.T / _WHITE_D65
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (xyz * 24389 / 27 + 16) / 116)
    x, y, z = f[..., 0], f[..., 1], f[..., 2]
    return np.stack((116 * y - 16, 500 * (x - y), 200 * (y - z)), axis=-1)


def ciede2000(first: npt.ArrayLike, second: npt.ArrayLike) -> FloatArray:
    """CIEDE2000 difference (k_L = k_C = k_H = 1) of CIELAB values, shapes (..., 3), broadcast."""
    l1, c1, h1, l2, c2, h2 = _adjusted_lch(np.asarray(first), np.asarray(second))
    d_l, d_c = l2 - l1, c2 - c1
    chromatic = c1 * c2 > 0
    turn = h2 - h1
    turn = np.where(turn > 180, turn - 360, np.where(turn < -180, turn + 360, turn))
    d_h = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(np.where(chromatic, turn, 0.0)) / 2)

    l_mean, c_mean = (l1 + l2) / 2, (c1 + c2) / 2
    h_mean = _mean_hue(h1, h2, chromatic=chromatic)
    s_l = 1 + 0.015 * (l_mean - 50) ** 2 / np.sqrt(20 + (l_mean - 50) ** 2)
    s_c = 1 + 0.045 * c_mean
    s_h = 1 + 0.015 * c_mean * _hue_weight(h_mean)
    term_l, term_c, term_h = d_l / s_l, d_c / s_c, d_h / s_h
    rotation = _rotation(c_mean, h_mean)
    squared = term_l**2 + term_c**2 + term_h**2 + rotation * term_c * term_h
    return np.sqrt(np.maximum(squared, 0.0))


def _adjusted_lch(one: FloatArray, two: FloatArray) -> tuple[FloatArray, ...]:
    """L, C' and h' of both colours, after the paper's correction of a* (its equations 2 to 7)."""
    chroma = (np.hypot(one[..., 1], one[..., 2]) + np.hypot(two[..., 1], two[..., 2])) / 2
    scale = 1.5 - 0.5 * np.sqrt(chroma**7 / (chroma**7 + _25_TO_7))
    parts: list[FloatArray] = []
    for lab in (one, two):
        a, b = lab[..., 1] * scale, np.asarray(lab[..., 2], dtype=np.float64)
        hue = np.degrees(np.arctan2(b, a)) % 360
        parts += [np.asarray(lab[..., 0], dtype=np.float64), np.hypot(a, b), hue]
    return tuple(parts)


def _mean_hue(h1: FloatArray, h2: FloatArray, *, chromatic: npt.NDArray[np.bool_]) -> FloatArray:
    total = h1 + h2
    far = np.abs(h1 - h2) > 180
    around = np.where(total < 360, (total + 360) / 2, (total - 360) / 2)
    return np.where(chromatic, np.where(far, around, total / 2), total)


def _hue_weight(hue: FloatArray) -> FloatArray:
    return np.asarray(
        1
        - 0.17 * np.cos(np.radians(hue - 30))
        + 0.24 * np.cos(np.radians(2 * hue))
        + 0.32 * np.cos(np.radians(3 * hue + 6))
        - 0.20 * np.cos(np.radians(4 * hue - 63))
    )


def _rotation(chroma: FloatArray, hue: FloatArray) -> FloatArray:
    angle = 30 * np.exp(-(((hue - 275) / 25) ** 2))
    strength = 2 * np.sqrt(chroma**7 / (chroma**7 + _25_TO_7))
    return np.asarray(-strength * np.sin(np.radians(2 * angle)))


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """How much of a picture each palette colour covers; a pixel counts for its nearest colour."""

    shares: tuple[tuple[str, float], ...]
    """(name, share from 0 to 1), in the palette's order."""

    @property
    def total(self) -> float:
        """Share of the picture that lies near any palette colour."""
        return sum(share for _, share in self.shares)

    def share(self, name: str) -> float:
        """Share of one named colour. Raises KeyError when the palette has no such name."""
        return dict(self.shares)[name]


def palette_coverage(
    pixels: PixelArray,
    palette: Sequence[tuple[str, Rgb]],
    *,
    max_delta_e: float = DEFAULT_MAX_DELTA_E,
) -> Coverage:
    """Share of `pixels` (uint8, H x W x 3) within `max_delta_e` of each palette colour."""
    if not palette:
        return Coverage(shares=())
    colors, weights = _color_counts(pixels)
    targets = srgb_to_lab([rgb for _, rgb in palette])
    distance = ciede2000(srgb_to_lab(colors)[:, None, :], targets[None, :, :])
    nearest = np.argmin(distance, axis=1)
    near = distance[np.arange(len(colors)), nearest] <= max_delta_e
    counts = np.bincount(nearest[near], weights=weights[near], minlength=len(palette))
    shares = counts / weights.sum()
    return Coverage(
        shares=tuple((name, float(share)) for (name, _), share in zip(palette, shares, strict=True))
    )


def _color_counts(pixels: PixelArray) -> tuple[FloatArray, FloatArray]:
    """The picture's colours (N x 3, the mean of each of 32³ cells) and their pixel counts."""
    step = max(1, int(np.sqrt(pixels.shape[0] * pixels.shape[1] / SAMPLE_PIXELS)))
    flat = pixels[::step, ::step, :3].reshape(-1, 3)
    cell = (flat >> (8 - _BIN_BITS)).astype(np.int64)
    index = (cell[:, 0] << (2 * _BIN_BITS)) | (cell[:, 1] << _BIN_BITS) | cell[:, 2]
    counts = np.bincount(index, minlength=_BINS)
    used = np.flatnonzero(counts)
    sums = [np.bincount(index, weights=flat[:, c], minlength=_BINS)[used] for c in range(3)]
    return np.stack(sums, axis=-1) / counts[used, None], counts[used].astype(np.float64)
