"""What no model of a layout could make is refused before anything is loaded."""

from pathlib import Path

import pytest
from PIL import Image

from brand.spec import HighRes, InitImage, SpecInvalid
from generation.engines import Engine
from tests.unit.generation.rendering import Folder, as_png, image_of, new_engine, rendered, tiny

pytestmark = [pytest.mark.model, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def family(tiny_family: Path) -> Engine:
    return new_engine(tiny_family, warm="none")


@pytest.mark.parametrize("model", ["sd3", "flux"])
def test_a_seamless_tile_needs_a_model_that_can_make_one(family: Engine, model: str) -> None:
    family.check(tiny(model=model, sampler="flow_euler"))
    with pytest.raises(SpecInvalid, match="seamless tiles"):
        family.check(tiny(model=model, sampler="flow_euler", tile=True))


def test_a_sampler_that_does_not_fit_the_model_is_refused_before_it_is_loaded(
    family: Engine,
) -> None:
    with pytest.raises(SpecInvalid, match="not made for"):
        family.check(tiny(sampler="flow_euler"))
    with pytest.raises(SpecInvalid, match="not made for"):
        family.check(tiny(model="sd3", sampler="ddim"))
    assert not any(model.loaded for model in family.models())


def test_a_picture_left_as_it_is_still_gets_its_second_pass(engine: Engine, tmp_path: Path) -> None:
    inputs = Folder(tmp_path)
    sha256 = inputs.put(as_png(Image.new("RGB", (64, 64), "teal")))
    spec = tiny(init=InitImage(sha256=sha256, strength=0), highres=HighRes(scale=1.5, strength=0.5))
    made = rendered(engine, spec, inputs=inputs)
    assert image_of(made).size == spec.output_size == (96, 96)
