"""The files behind a recipe's controls, which its reproduction class names."""

from dataclasses import replace
from pathlib import Path

import pytest

from brand.spec import ControlUse, ModelMissing
from generation.engine.control.deciding import deciding_files
from generation.engine.control.sources import find_controls
from generation.engine.library.catalogue import find_models
from generation.engine.library.sources import ModelSource
from generation.settings import SHIPPED_MODEL
from tests.unit.generation.test_control_sources import control_folder

pytestmark = pytest.mark.model
DEMO_SHAPE = {
    "_class_name": "ControlNetModel",
    "cross_attention_dim": 128,
    "block_out_channels": [80, 128, 192],
}
SHA = "0" * 64


@pytest.fixture
def demo() -> ModelSource:
    return find_models(None, SHIPPED_MODEL)["demo"]


def _names(files: tuple[tuple[str, Path], ...]) -> list[str]:
    return [name for name, _ in files]


def test_a_recipe_without_controls_has_none(demo: ModelSource) -> None:
    assert deciding_files((), {}, demo, None) == ()


def test_each_control_is_there_with_its_place(demo: ModelSource, tmp_path: Path) -> None:
    control_folder(tmp_path / "controlnets" / "edges-canny", DEMO_SHAPE)
    control_folder(tmp_path / "controlnets" / "other-canny", DEMO_SHAPE)
    uses = (
        ControlUse(kind="canny", sha256=SHA),
        ControlUse(kind="canny", sha256=SHA, model="other-canny"),
    )
    files = deciding_files(uses, find_controls(tmp_path, tmp_path), demo, tmp_path)
    assert [(name.split("/")[0], file.parent.name) for name, file in files] == [
        ("control 0", "edges-canny"),
        ("control 0", "edges-canny"),
        ("control 1", "other-canny"),
        ("control 1", "other-canny"),
    ]


def test_weights_that_make_a_map_count_unless_the_map_is_given(
    demo: ModelSource, tmp_path: Path
) -> None:
    control_folder(tmp_path / "controlnets" / "my-normal", DEMO_SHAPE)
    sources = find_controls(tmp_path, tmp_path)
    use = ControlUse(kind="normal", sha256=SHA)
    with pytest.raises(ModelMissing, match="preprocessors/depth/"):
        deciding_files((use,), sources, demo, tmp_path)
    ready = deciding_files((replace(use, ready=True),), sources, demo, tmp_path)
    assert len(ready) == 2
    depth = tmp_path / "preprocessors" / "depth"
    depth.mkdir(parents=True)
    (depth / "config.json").write_text("{}")
    made = deciding_files((use,), sources, demo, tmp_path)
    assert _names(made) == [*_names(ready), "preprocessors/depth/config.json"]


def test_another_familys_controlnet_is_no_candidate(demo: ModelSource, tmp_path: Path) -> None:
    control_folder(tmp_path / "controlnets" / "canny", {**DEMO_SHAPE, "cross_attention_dim": 768})
    use = ControlUse(kind="canny", sha256=SHA)
    with pytest.raises(ModelMissing, match="no canny ControlNet for this model"):
        deciding_files((use,), find_controls(tmp_path, tmp_path), demo, tmp_path)


def test_a_layout_without_a_unet_takes_no_control(demo: ModelSource) -> None:
    with pytest.raises(ModelMissing, match=r"SD 1\.x and SDXL"):
        deciding_files(
            (ControlUse(kind="canny", sha256=SHA),), {}, replace(demo, layout="flux"), None
        )
