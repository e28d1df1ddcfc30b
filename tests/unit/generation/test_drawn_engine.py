"""The drawn engine draws what the prompt names, the same each time."""

import io
from pathlib import Path

import pytest
from PIL import Image

from brand.spec import (
    InitImage,
    ModelMissing,
    Picture,
    Progress,
    RenderCancelled,
    RenderRequest,
    RenderSpec,
    SpecInvalid,
)
from generation.drawn_engine import DrawnEngine


class Folder:
    """Inputs by name."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def path(self, sha256: str) -> Path:
        return self._path / sha256


def spec(**changes: object) -> RenderSpec:
    plain = {"prompt": "a red mug", "model": "drawn", "seed": 3, "width": 128, "height": 128}
    return RenderSpec(**plain | changes)  # type: ignore[arg-type]


def drawn(
    wanted: RenderSpec, folder: Path = Path(), *, told: list[Progress] | None = None
) -> Picture:
    engine = DrawnEngine()
    request = RenderRequest(render_id="r", brand="b", spec=wanted)
    note = (told if told is not None else []).append
    return engine.render(request, Folder(folder), note, lambda: False)


def image(picture: Picture) -> Image.Image:
    return Image.open(io.BytesIO(picture.png))


def test_the_product_has_the_colour_that_the_prompt_names() -> None:
    red = image(drawn(spec(prompt="a (red:1.4) ball on a white background")))
    r, g, b = red.getpixel((64, 80))  # type: ignore[misc]
    assert r > 2 * max(g, b)


def test_weights_and_brackets_draw_the_same_picture_as_the_words() -> None:
    assert drawn(spec(prompt="a ((red)) mug")).png == drawn(spec(prompt="a red mug")).png


@pytest.mark.parametrize("size", [(64, 64), (512, 320), (2048, 64), (64, 4096), (1600, 1200)])
def test_any_size_of_a_recipe_can_be_drawn(size: tuple[int, int]) -> None:
    picture = drawn(spec(width=size[0], height=size[1], steps=1))
    assert image(picture).size == size == (picture.width, picture.height)


def test_every_step_is_told_and_every_fourth_shows_a_preview() -> None:
    told: list[Progress] = []
    drawn(spec(steps=10), told=told)
    assert [progress.done for progress in told] == list(range(1, 11))
    assert [bool(progress.preview) for progress in told] == [n in (4, 8) for n in range(1, 11)]


def test_a_reference_picture_shows_through_by_its_strength(tmp_path: Path) -> None:
    Image.new("RGB", (128, 128), "blue").save(tmp_path / ("0" * 64), "PNG")
    shares = []
    for strength in (0.0, 0.5, 1.0):
        wanted = spec(init=InitImage(sha256="0" * 64, strength=strength))
        shares.append(image(drawn(wanted, tmp_path)).getpixel((2, 2)))
    assert shares[0] == (0, 0, 255)
    assert shares[2] == image(drawn(spec())).getpixel((2, 2))
    assert shares[0] != shares[1] != shares[2]


def test_cancelling_takes_effect_at_the_next_step() -> None:
    told: list[Progress] = []
    request = RenderRequest(render_id="r", brand="b", spec=spec())
    with pytest.raises(RenderCancelled):
        DrawnEngine().render(request, Folder(Path()), told.append, lambda: len(told) == 2)
    assert len(told) == 2


def test_what_it_cannot_do_is_said() -> None:
    engine = DrawnEngine()
    with pytest.raises(SpecInvalid, match="tile"):
        engine.check(spec(tile=True))
    with pytest.raises(ModelMissing, match="sdxl"):
        engine.check(spec(model="sdxl"))


def test_its_class_never_equals_a_models() -> None:
    found = DrawnEngine().reproduction(spec())
    assert found.engine == "drawn/1"
    assert found.threads == 1
    assert DrawnEngine().models()[0].sha256 == found.weights
