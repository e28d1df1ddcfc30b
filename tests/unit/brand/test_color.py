"""Colour: the published test pairs, known CIELAB values, and palette coverage."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brand.color import (
    ciede2000,
    palette_coverage,
    parse_hex,
    srgb_to_lab,
    to_hex,
)

# Sharma, Wu, Dalal (2005), table 1: L1 a1 b1, L2 a2 b2, difference.
PUBLISHED_PAIRS = np.array(
    [
        [50.0000, 2.6772, -79.7751, 50.0000, 0.0000, -82.7485, 2.0425],
        [50.0000, 3.1571, -77.2803, 50.0000, 0.0000, -82.7485, 2.8615],
        [50.0000, 2.8361, -74.0200, 50.0000, 0.0000, -82.7485, 3.4412],
        [50.0000, -1.3802, -84.2814, 50.0000, 0.0000, -82.7485, 1.0000],
        [50.0000, -1.1848, -84.8006, 50.0000, 0.0000, -82.7485, 1.0000],
        [50.0000, -0.9009, -85.5211, 50.0000, 0.0000, -82.7485, 1.0000],
        [50.0000, 0.0000, 0.0000, 50.0000, -1.0000, 2.0000, 2.3669],
        [50.0000, -1.0000, 2.0000, 50.0000, 0.0000, 0.0000, 2.3669],
        [50.0000, 2.4900, -0.0010, 50.0000, -2.4900, 0.0009, 7.1792],
        [50.0000, 2.4900, -0.0010, 50.0000, -2.4900, 0.0010, 7.1792],
        [50.0000, 2.4900, -0.0010, 50.0000, -2.4900, 0.0011, 7.2195],
        [50.0000, 2.4900, -0.0010, 50.0000, -2.4900, 0.0012, 7.2195],
        [50.0000, -0.0010, 2.4900, 50.0000, 0.0009, -2.4900, 4.8045],
        [50.0000, -0.0010, 2.4900, 50.0000, 0.0010, -2.4900, 4.8045],
        [50.0000, -0.0010, 2.4900, 50.0000, 0.0011, -2.4900, 4.7461],
        [50.0000, 2.5000, 0.0000, 50.0000, 0.0000, -2.5000, 4.3065],
        [50.0000, 2.5000, 0.0000, 73.0000, 25.0000, -18.0000, 27.1492],
        [50.0000, 2.5000, 0.0000, 61.0000, -5.0000, 29.0000, 22.8977],
        [50.0000, 2.5000, 0.0000, 56.0000, -27.0000, -3.0000, 31.9030],
        [50.0000, 2.5000, 0.0000, 58.0000, 24.0000, 15.0000, 19.4535],
        [50.0000, 2.5000, 0.0000, 50.0000, 3.1736, 0.5854, 1.0000],
        [50.0000, 2.5000, 0.0000, 50.0000, 3.2972, 0.0000, 1.0000],
        [50.0000, 2.5000, 0.0000, 50.0000, 1.8634, 0.5757, 1.0000],
        [50.0000, 2.5000, 0.0000, 50.0000, 3.2592, 0.3350, 1.0000],
        [60.2574, -34.0099, 36.2677, 60.4626, -34.1751, 39.4387, 1.2644],
        [63.0109, -31.0961, -5.8663, 62.8187, -29.7946, -4.0864, 1.2630],
        [61.2901, 3.7196, -5.3901, 61.4292, 2.2480, -4.9620, 1.8731],
        [35.0831, -44.1164, 3.7933, 35.0232, -40.0716, 1.5901, 1.8645],
        [22.7233, 20.0904, -46.6940, 23.0331, 14.9730, -42.5619, 2.0373],
        [36.4612, 47.8580, 18.3852, 36.2715, 50.5065, 21.2231, 1.4146],
        [90.8027, -2.0831, 1.4410, 91.1528, -1.6435, 0.0447, 1.4441],
        [90.9257, -0.5406, -0.9208, 88.6381, -0.8985, -0.7239, 1.5381],
        [6.7747, -0.2908, -2.4247, 5.8714, -0.0985, -2.2286, 0.6377],
        [2.0776, 0.0795, -1.1350, 0.9033, -0.0636, -0.5514, 0.9082],
    ]
)

TEAL, ORANGE, CREAM = (15, 124, 124), (240, 138, 60), (246, 234, 210)
PALETTE = (("teal", TEAL), ("orange", ORANGE), ("cream", CREAM))

channel = st.integers(0, 255)
rgb_values = st.tuples(channel, channel, channel)


def test_ciede2000_agrees_with_the_34_published_pairs() -> None:
    got = ciede2000(PUBLISHED_PAIRS[:, :3], PUBLISHED_PAIRS[:, 3:6])
    assert len(PUBLISHED_PAIRS) == 34
    np.testing.assert_allclose(got, PUBLISHED_PAIRS[:, 6], atol=1e-4)


def test_ciede2000_is_symmetric_on_the_published_pairs() -> None:
    forward = ciede2000(PUBLISHED_PAIRS[:, :3], PUBLISHED_PAIRS[:, 3:6])
    back = ciede2000(PUBLISHED_PAIRS[:, 3:6], PUBLISHED_PAIRS[:, :3])
    np.testing.assert_allclose(forward, back, atol=1e-9)


@given(rgb_values, rgb_values)
def test_the_difference_of_any_two_colours_is_finite_and_zero_only_for_equals(
    one: tuple[int, int, int], two: tuple[int, int, int]
) -> None:
    difference = float(ciede2000(srgb_to_lab(one), srgb_to_lab(two)))
    assert np.isfinite(difference)
    assert (difference < 1e-6) == (one == two)


@pytest.mark.parametrize(
    ("rgb", "lab"),
    [
        ((255, 255, 255), (100.0, 0.0, 0.0)),
        ((0, 0, 0), (0.0, 0.0, 0.0)),
        ((255, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 255, 0), (87.73, -86.18, 83.18)),
        ((0, 0, 255), (32.30, 79.19, -107.86)),
    ],
)
def test_known_srgb_colours_have_their_known_lab_values(
    rgb: tuple[int, int, int], lab: tuple[float, float, float]
) -> None:
    np.testing.assert_allclose(srgb_to_lab(rgb), lab, atol=0.02)


@given(rgb_values)
def test_hex_and_rgb_are_one_colour(rgb: tuple[int, int, int]) -> None:
    assert parse_hex(to_hex(rgb)) == rgb


@pytest.mark.parametrize("text", ["teal", "#fff", "0f7c7c", "#0f7c7", "#0f7c7cff", "#gggggg"])
def test_a_colour_that_is_not_rrggbb_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="#rrggbb"):
        parse_hex(text)


def test_coverage_of_a_picture_in_known_parts_is_those_parts() -> None:
    pixels = np.full((100, 100, 3), 255, dtype=np.uint8)
    pixels[:50] = TEAL
    pixels[50:70] = ORANGE
    pixels[70:] = (200, 0, 200)
    coverage = palette_coverage(pixels, PALETTE)
    assert coverage.share("teal") == pytest.approx(0.5)
    assert coverage.share("orange") == pytest.approx(0.2)
    assert coverage.share("cream") == 0
    assert coverage.total == pytest.approx(0.7)


def test_a_pixel_counts_for_its_nearest_colour_only() -> None:
    pixels = np.full((8, 8, 3), (16, 120, 120), dtype=np.uint8)
    near = (("teal", TEAL), ("teal too", (30, 110, 120)))
    coverage = palette_coverage(pixels, near, max_delta_e=50)
    assert coverage.shares == (("teal", 1.0), ("teal too", 0.0))


def test_coverage_counts_only_within_the_limit() -> None:
    pixels = np.full((8, 8, 3), (60, 150, 150), dtype=np.uint8)
    distance = float(ciede2000(srgb_to_lab((60, 150, 150)), srgb_to_lab(TEAL)))
    assert palette_coverage(pixels, PALETTE, max_delta_e=distance + 0.01).total == 1.0
    assert palette_coverage(pixels, PALETTE, max_delta_e=distance - 0.01).total == 0.0


def test_coverage_of_a_large_picture_is_that_of_the_exact_count() -> None:
    rng = np.random.default_rng(3)
    smooth = rng.integers(0, 256, (16, 16, 3))
    pixels = np.kron(smooth, np.ones((64, 64, 1))).astype(np.uint8)
    pixels = (pixels.astype(int) + rng.integers(-6, 7, pixels.shape)).clip(0, 255).astype(np.uint8)
    wide = (*PALETTE, ("navy", (27, 42, 73)), ("green", (60, 160, 60)), ("red", (190, 40, 40)))
    lab = srgb_to_lab(pixels.reshape(-1, 3)[::5])
    distance = ciede2000(lab[:, None], srgb_to_lab([rgb for _, rgb in wide])[None])
    exact = float((distance.min(axis=1) <= 12).mean())
    assert exact > 0.02
    assert palette_coverage(pixels, wide).total == pytest.approx(exact, abs=0.01)


def test_an_empty_palette_covers_nothing() -> None:
    assert palette_coverage(np.zeros((4, 4, 3), dtype=np.uint8), ()).total == 0
