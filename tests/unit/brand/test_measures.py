"""The measures: what they mean on pictures whose answer is known."""

import io

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFilter

from brand.color import PixelArray
from brand.measures import differing_bits, fingerprint, sharpness, stripe_share

TEAL, CREAM, ORANGE = (15, 124, 124), (246, 234, 210), (240, 138, 60)


def stripes(angle: float, side: int = 128, width: float = 0.1) -> PixelArray:
    """Stripes that run at this angle, counter-clockwise from the horizontal."""
    y, x = np.mgrid[0:side, 0:side] / side
    turn = np.radians(angle)
    across = x * np.sin(turn) + y * np.cos(turn)
    odd = np.floor(across / width) % 2 == 1
    return np.where(odd[..., None], TEAL, CREAM).astype(np.uint8)


def drawing(side: int) -> Image.Image:
    """A few shapes, the same at every size."""
    image = Image.new("RGB", (side * 2, side * 2), CREAM)
    pen = ImageDraw.Draw(image)
    for index, color in enumerate((TEAL, ORANGE, (30, 30, 60))):
        at = side * (0.3 + 0.35 * index)
        pen.ellipse((at, at * 0.8, at + side * 0.7, at * 0.8 + side * 0.6), fill=color)
    return image.reduce(2)


def array(image: Image.Image) -> PixelArray:
    """Its pixels."""
    return np.asarray(image)


@pytest.mark.parametrize("angle", [0, 20, 45, 90, 135, 170])
def test_stripes_are_found_at_their_own_angle_and_at_no_other(angle: float) -> None:
    pixels = stripes(angle)
    for asked in (0, 20, 45, 90, 135, 170):
        apart = abs((asked - angle + 90) % 180 - 90)
        share = stripe_share(pixels, angle=asked, tolerance=9)
        assert share > 0.85 if apart <= 8 else share < 0.12


@pytest.mark.parametrize("side", [64, 128, 300, 1024])
def test_stripes_are_found_at_every_size(side: int) -> None:
    assert stripe_share(stripes(45, side), angle=45, tolerance=12) > 0.9


def test_stripes_of_one_brightness_are_seen_by_their_colour() -> None:
    pixels = np.where((stripes(45) == TEAL).all(-1)[..., None], (180, 60, 60), (60, 118, 60))
    assert stripe_share(pixels.astype(np.uint8), angle=45, tolerance=12) > 0.85


def test_half_a_picture_of_stripes_is_about_a_half() -> None:
    pixels = stripes(45)
    pixels[:, 64:] = CREAM
    assert 0.4 < stripe_share(pixels, angle=45, tolerance=12) < 0.62


def test_soft_stripes_are_stripes_still() -> None:
    soft = Image.fromarray(stripes(45)).filter(ImageFilter.GaussianBlur(2))
    assert stripe_share(array(soft), angle=45, tolerance=12) > 0.8


@pytest.mark.parametrize("kind", ["flat", "noise", "drawing", "checks"])
def test_other_pictures_show_no_stripes(kind: str) -> None:
    rng = np.random.default_rng(2)
    pixels: npt.NDArray[np.uint8] = {
        "flat": np.full((128, 128, 3), 90, dtype=np.uint8),
        "noise": rng.integers(0, 256, (128, 128, 3), dtype=np.uint8),
        "drawing": array(drawing(128)),
        "checks": np.kron(np.indices((8, 8)).sum(0) % 2, np.ones((16, 16)))
        .astype(np.uint8)[..., None]
        .repeat(3, axis=2)
        * 200,
    }[kind]
    assert stripe_share(pixels, angle=45, tolerance=12) < 0.15


@pytest.mark.parametrize("shape", [(16, 16), (3, 500), (1, 1), (17, 33)])
def test_odd_sizes_are_measured_without_an_error(shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (*shape, 3), dtype=np.uint8)
    assert 0 <= stripe_share(pixels, angle=45, tolerance=12) <= 1
    assert sharpness(pixels) >= 0
    assert len(fingerprint(pixels)) == 16


def test_blur_lowers_sharpness_more_the_more_there_is() -> None:
    values = [
        sharpness(array(drawing(256).filter(ImageFilter.GaussianBlur(radius))))
        for radius in (0, 1, 2, 4)
    ]
    assert values == sorted(values, reverse=True)
    assert values[0] > 20 * values[2]


def test_one_drawing_is_about_as_sharp_at_every_size() -> None:
    values = [sharpness(array(drawing(side))) for side in (128, 256, 512, 1024)]
    assert max(values) < 1.35 * min(values)


def test_a_flat_picture_is_not_sharp_at_all() -> None:
    assert sharpness(np.full((64, 64, 3), 200, dtype=np.uint8)) == 0


def reference_fingerprint(pixels: PixelArray) -> str:
    """The DCT hash written out as sums."""
    grey = Image.fromarray(pixels).convert("L").resize((32, 32), Image.Resampling.LANCZOS)
    value = np.asarray(grey, dtype=float)
    n = np.arange(32)
    low = np.empty((8, 8))
    for u in range(8):
        for v in range(8):
            wave_u = np.cos(np.pi * u * (2 * n + 1) / 64)
            wave_v = np.cos(np.pi * v * (2 * n + 1) / 64)
            low[u, v] = (value * wave_u[:, None] * wave_v[None, :]).sum()
    bits = "".join("1" if item > np.median(low) else "0" for item in low.flatten())
    return f"{int(bits, 2):016x}"


def test_the_fingerprint_is_the_dct_hash() -> None:
    for seed in range(5):
        rng = np.random.default_rng(seed)
        pixels = array(
            Image.fromarray(rng.integers(0, 256, (6, 6, 3), dtype=np.uint8)).resize((90, 70))
        )
        assert fingerprint(pixels) == reference_fingerprint(pixels)


def test_a_re_encoded_or_scaled_picture_keeps_its_fingerprint_nearly() -> None:
    image = drawing(256)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=50)
    out.seek(0)
    others = [array(Image.open(out)), array(image.resize((150, 150)))]
    bits = differing_bits(fingerprint(array(image)), [fingerprint(other) for other in others])
    assert max(bits) <= 4


def test_other_pictures_have_other_fingerprints() -> None:
    one, other = fingerprint(array(drawing(128))), fingerprint(stripes(45))
    assert differing_bits(one, [other])[0] > 10


@given(st.integers(0, 2**64 - 1), st.lists(st.integers(0, 2**64 - 1), max_size=5))
@settings(max_examples=50)
def test_differing_bits_are_counted(one: int, others: list[int]) -> None:
    expected = [(one ^ other).bit_count() for other in others]
    assert differing_bits(f"{one:016x}", [f"{other:016x}" for other in others]) == expected
