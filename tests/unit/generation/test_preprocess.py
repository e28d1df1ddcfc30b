"""Maps of pictures: the kinds that need no weights."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from brand.spec import CONTROL_KINDS, ModelMissing, RenderFailed, SpecInvalid
from generation.engine.preprocess import canny, lineart, softedge, tile
from generation.engine.preprocess.kinds import KINDS, Preprocessors
from generation.engine.preprocess.skeleton import draw_people

pytestmark = pytest.mark.model
GOLDEN = "97dcb3596b5e595ed91bf86a2bff52bde80af855c129d842afe2ee4734d477cf"
LINES = {"canny": canny.map_of, "softedge": softedge.map_of, "lineart": lineart.map_of}


@pytest.fixture
def drawn() -> Image.Image:
    """A dark disc and a light bar on a middle ground, 160 by 96."""
    picture = Image.new("RGB", (160, 96), (150, 150, 140))
    pen = ImageDraw.Draw(picture)
    pen.ellipse((60, 28, 100, 68), fill=(30, 40, 90))
    pen.rectangle((110, 10, 118, 90), fill=(240, 230, 200))
    return picture


def _grey(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture.convert("L"))


def test_there_is_a_preprocessor_for_every_kind_a_recipe_may_name() -> None:
    assert set(KINDS) == set(CONTROL_KINDS)


def test_an_unknown_kind_is_refused_with_those_there_are() -> None:
    with pytest.raises(SpecInvalid, match="canny, softedge"):
        Preprocessors(None).map_of("scribble", Image.new("RGB", (8, 8)), 8, 8)


@pytest.mark.parametrize("kind", [*LINES, "tile"])
def test_a_map_has_the_asked_size_and_is_the_same_twice(kind: str, drawn: Image.Image) -> None:
    maps = [Preprocessors(None).map_of(kind, drawn, 72, 120) for _ in range(2)]
    assert maps[0].size == (72, 120)
    assert maps[0].mode == "RGB"
    assert maps[0].tobytes() == maps[1].tobytes()


@pytest.mark.parametrize("kind", LINES)
def test_lines_lie_on_the_outlines_and_nowhere_else(kind: str, drawn: Image.Image) -> None:
    found = _grey(LINES[kind](drawn, 160, 96))
    rim = found[46:51, 56:64].max()  # the disc's left edge
    assert rim > 120
    assert found[2:8, 2:50].max() < 20  # the even ground
    assert found[46:50, 78:82].max() < 20  # inside the disc


@pytest.mark.parametrize("kind", LINES)
@pytest.mark.parametrize("brightness", [0, 128, 255])
def test_an_even_picture_has_no_lines(kind: str, brightness: int) -> None:
    even = Image.new("RGB", (64, 64), (brightness,) * 3)
    assert _grey(LINES[kind](even, 64, 64)).max() == 0


def test_canny_sees_an_edge_between_colours_of_one_brightness() -> None:
    picture = Image.new("RGB", (64, 64), (180, 80, 80))
    ImageDraw.Draw(picture).rectangle((32, 0, 64, 64), fill=(55, 133, 133))
    brightness = _grey(picture)
    assert abs(int(brightness[0, 0]) - int(brightness[0, 63])) < 8
    assert _grey(canny.map_of(picture, 64, 64))[:, 29:35].max() == 255


@pytest.mark.parametrize(
    ("brightness", "thresholds"),
    [(10, (40, 80)), (90, (60, 120)), (240, (140, 255))],
)
def test_canny_takes_its_thresholds_from_the_median_within_bounds(
    brightness: int, thresholds: tuple[int, int]
) -> None:
    assert canny.thresholds(np.full((8, 8, 3), brightness, np.uint8)) == thresholds


def test_tile_keeps_the_broad_colours_and_drops_the_detail() -> None:
    checks = np.indices((64, 64)).sum(axis=0) % 2 * 255
    picture = Image.fromarray(np.repeat(checks[..., None], 3, axis=2).astype(np.uint8))
    found = np.asarray(tile.map_of(picture, 64, 64))
    assert found.min() >= 126
    assert found.max() <= 129


def test_equal_pictures_give_the_same_maps_on_every_machine(drawn: Image.Image) -> None:
    joined = b"".join(LINES[kind](drawn, 96, 64).tobytes() for kind in LINES)
    joined += tile.map_of(drawn, 96, 64).tobytes()
    assert hashlib.sha256(joined).hexdigest() == GOLDEN


@pytest.mark.parametrize("size", [(1, 1), (3, 4000), (64, 64)])
@pytest.mark.parametrize("kind", [*LINES, "tile"])
def test_odd_shapes_are_no_trouble(kind: str, size: tuple[int, int]) -> None:
    found = Preprocessors(None).map_of(kind, Image.new("RGB", size, (9, 99, 199)), 64, 128)
    assert found.size == (64, 128)


@pytest.mark.parametrize("kind", [*LINES, "tile"])
def test_a_map_that_cannot_be_made_fails_by_a_named_error(kind: str) -> None:
    with pytest.raises(RenderFailed, match=f"No {kind} map could be made"):
        Preprocessors(None).map_of(kind, Image.new("RGB", (64, 64)), 0, 64)


@pytest.mark.parametrize("kind", ["depth", "normal", "pose", "segmentation"])
def test_a_kind_without_weights_says_where_they_belong_and_that_a_map_may_be_given(
    kind: str, tmp_path: Path
) -> None:
    folder = "depth" if kind == "normal" else kind
    with pytest.raises(ModelMissing, match=f"preprocessors/{folder}/ in the models folder.*ready"):
        Preprocessors(tmp_path).map_of(kind, Image.new("RGB", (64, 64)), 64, 64)


def test_a_stick_figure_has_a_neck_and_leaves_out_unseen_joints() -> None:
    person = np.zeros((17, 3))
    person[5], person[6] = (40, 20, 1), (20, 20, 1)  # the shoulders
    person[8] = (10, 40, 1)  # the right elbow
    figure = draw_people([person], 64, 64)
    assert tuple(figure[20, 30].tolist()) == (255, 85, 0)  # the neck, between them
    assert figure[30, 15].any()  # the upper arm
    assert not figure[45:].any()
