"""Masks and canvases: what is painted anew, what keeps its bits, how the two meet."""

import numpy as np
import pytest
from PIL import Image

from brand.spec import Mask, Outpaint

pytest.importorskip("torch")
pytestmark = [pytest.mark.model, pytest.mark.filterwarnings("ignore:__array")]

SIDE = 64
SHA = "0" * 64
PAINTED = Image.new("RGB", (SIDE, SIDE), (255, 0, 255))


@pytest.fixture
def picture() -> Image.Image:
    rng = np.random.default_rng(0)
    return Image.fromarray(rng.integers(0, 255, (SIDE, SIDE, 3), dtype=np.uint8))


def stripe(left: int, right: int) -> Image.Image:
    drawn = np.zeros((SIDE, SIDE), np.uint8)
    drawn[:, left:right] = 255
    return Image.fromarray(drawn)


def test_pixels_outside_the_feather_keep_their_bits(picture: Image.Image) -> None:
    from generation.engine.ways.masks import masked

    canvas = masked(picture, stripe(20, 40), Mask(sha256=SHA, feather=4))
    old, new = np.asarray(picture), np.asarray(canvas.pasted(PAINTED))
    assert (new[:, :16] == old[:, :16]).all()
    assert (new[:, 44:] == old[:, 44:]).all()
    assert (new[:, 24:36] == (255, 0, 255)).all()
    assert (new[:, 19] != old[:, 19]).any()


def test_a_mask_without_feather_is_a_hard_edge(picture: Image.Image) -> None:
    from generation.engine.ways.masks import masked

    canvas = masked(picture, stripe(20, 40), Mask(sha256=SHA, feather=0))
    new = np.asarray(canvas.pasted(PAINTED))
    assert (new[:, :20] == np.asarray(picture)[:, :20]).all()
    assert (new[:, 20:40] == (255, 0, 255)).all()


def test_an_inverted_mask_paints_the_black_part(picture: Image.Image) -> None:
    from generation.engine.ways.masks import masked

    canvas = masked(picture, stripe(20, 40), Mask(sha256=SHA, feather=0, invert=True))
    assert canvas.mask[0, 0, 0] == 1
    assert canvas.mask[0, 0, 30] == 0


def test_a_grey_mask_counts_from_the_middle_on_as_white(picture: Image.Image) -> None:
    from generation.engine.ways.masks import masked

    for grey, wanted in ((127, 0), (128, 1)):
        canvas = masked(picture, Image.new("L", (8, 8), grey), Mask(sha256=SHA))
        assert float(canvas.mask.mean()) == wanted


def test_outpainting_keeps_the_picture_in_its_place(picture: Image.Image) -> None:
    from generation.engine.ways.outpaint import extended

    size = (SIDE + 40, SIDE + 16)
    canvas = extended(picture, size, Outpaint(left=16, right=24, top=16, feather=8))
    new = np.asarray(canvas.pasted(Image.new("RGB", size, (255, 0, 255))))
    old = np.asarray(picture)
    assert canvas.picture.size == size
    # Eight pixels inside every painted edge the old picture shows alone; no edge at the bottom.
    assert (new[16 + 8 :, 16 + 8 : 16 + SIDE - 8] == old[8:, 8:-8]).all()
    assert (new[:16] == (255, 0, 255)).all()
    assert (new[:, -24:] == (255, 0, 255)).all()


def test_outpainting_repaints_a_seam_inside_the_picture(picture: Image.Image) -> None:
    from generation.engine.ways.outpaint import extended

    size = (SIDE + 16, SIDE)
    canvas = extended(picture, size, Outpaint(left=16, feather=8))
    line = canvas.mask[0, 5]
    assert line[:24].all()
    assert not line[24:].any()
    shown = np.asarray(canvas.shown)[5, 16:25].astype(int)
    assert (np.diff(shown) < 0).all()
    assert shown[-1] == 0


def test_what_is_new_begins_as_a_mirror_image(picture: Image.Image) -> None:
    from generation.engine.ways.outpaint import extended

    canvas = extended(picture, (SIDE + 8, SIDE), Outpaint(left=8, feather=0))
    whole = np.asarray(canvas.picture)
    assert (whole[:, :8] == whole[:, 8:16][:, ::-1]).all()


@pytest.mark.parametrize("feather", [0, 4])
@pytest.mark.parametrize("size", [(SIDE, SIDE), (96, 96), (SIDE * 2, SIDE * 2), (88, 96)])
def test_an_enlarged_canvas_keeps_what_the_smaller_one_kept(
    picture: Image.Image, feather: int, size: tuple[int, int]
) -> None:
    from generation.engine.ways.masks import masked

    small = masked(picture, stripe(20, 40), Mask(sha256=SHA, feather=feather))
    large = small.enlarged(size)
    old = np.asarray(picture.resize(size, Image.Resampling.LANCZOS))
    new = np.asarray(large.pasted(PAINTED.resize(size)))
    scale = size[0] / SIDE
    left, right = int((20 - feather) * scale), int((40 + feather) * scale) + 1
    assert (new[:, :left] == old[:, :left]).all()
    assert (new[:, right:] == old[:, right:]).all()
    inner = slice(int((20 + feather + 1) * scale) + 1, int((40 - feather - 1) * scale))
    assert (new[:, inner] == (255, 0, 255)).all()
    assert large.mask.shape == (1, size[1], size[0])
    assert abs(float(large.mask.mean()) - float(small.mask.mean())) < 0.02
    if size == picture.size:
        assert new.tobytes() == small.pasted(PAINTED).tobytes()


def test_an_enlarged_canvas_meets_in_a_slope_without_steps(picture: Image.Image) -> None:
    from generation.engine.ways.masks import masked

    large = masked(picture, stripe(20, 40), Mask(sha256=SHA, feather=8)).enlarged((256, 256))
    slope = np.asarray(large.shown, np.int16)[128]
    assert np.abs(np.diff(slope)).max() <= 255 / (2 * 8 + 1) + 1
