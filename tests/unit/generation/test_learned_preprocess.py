"""Maps that need weights: tiny random models of the real classes, loaded from folders."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from brand.spec import ModelMissing
from generation.engine.preprocess.depth import Depth
from generation.engine.preprocess.kinds import Preprocessors
from generation.engine.preprocess.segmentation import plain_palette
from tests.fakes.tiny_preprocessors import (
    CLASSES,
    build_depth,
    build_detector,
    build_distance,
    build_pose,
    build_segmentation,
)

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    build_depth(folder / "preprocessors" / "depth")
    build_segmentation(folder / "preprocessors" / "segmentation")
    build_pose(folder / "preprocessors" / "pose")
    return folder


@pytest.fixture(scope="module")
def picture() -> Image.Image:
    noise = np.random.default_rng(1).integers(0, 255, (24, 32, 3), np.uint8)
    return Image.fromarray(noise).resize((128, 96), Image.Resampling.BICUBIC)


@pytest.mark.parametrize("kind", ["depth", "normal", "segmentation", "pose"])
def test_local_weights_make_a_map_of_the_asked_size_twice_the_same(
    kind: str, models: Path, picture: Image.Image
) -> None:
    one = Preprocessors(models).map_of(kind, picture, 96, 64)
    two = Preprocessors(models).map_of(kind, picture, 96, 64)
    assert one.size == (96, 64)
    assert one.mode == "RGB"
    assert one.tobytes() == two.tobytes()
    assert len(set(one.get_flattened_data())) > 1


def test_depth_reaches_from_black_to_white(models: Path, picture: Image.Image) -> None:
    depth = np.asarray(Preprocessors(models).map_of("depth", picture, 96, 64))
    assert depth.min() == 0
    assert depth.max() == 255


def test_a_model_that_tells_distances_is_turned_round(tmp_path: Path, picture: Image.Image) -> None:
    folder = build_depth(tmp_path / "metres")
    near = Depth(folder).nearness(picture, 96, 64)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "depth_estimation_type": "metric"}))
    told = Depth(folder).nearness(picture, 96, 64)
    assert np.allclose(near + told, 1)


def test_depth_anything_is_read_too(tmp_path: Path, picture: Image.Image) -> None:
    found = Depth(build_distance(tmp_path / "metres")).map_of(picture, 96, 64)
    assert found.size == (96, 64)
    assert np.asarray(found).max() == 255


def test_normals_of_a_flat_wall_look_at_the_eye(models: Path) -> None:
    class Flat(Depth):
        def __init__(self) -> None:
            """Nothing to load."""

        def nearness(self, picture: Image.Image, width: int, height: int) -> np.ndarray:
            ramp = np.linspace(0, 1, width) if picture.width > 1 else np.zeros(width)
            return np.tile(ramp, (height, 1))

    from generation.engine.preprocess.normal import Normal

    flat = np.asarray(Normal(Flat()).map_of(Image.new("RGB", (1, 1)), 64, 64))
    assert (flat == (128, 128, 255)).all()
    slope = np.asarray(Normal(Flat()).map_of(Image.new("RGB", (2, 2)), 64, 64))
    assert slope[32, 32, 0] < 128  # nearer on the right: it faces left
    assert slope[32, 32, 1] == 128


def test_segments_have_the_colours_of_the_palette_beside_the_weights(
    models: Path, picture: Image.Image
) -> None:
    plain = Preprocessors(models).map_of("segmentation", picture, 96, 64)
    assert set(plain.get_flattened_data()) <= {tuple(c) for c in plain_palette(CLASSES).tolist()}
    own = [[index, 7, 200] for index in range(CLASSES)]
    file = models / "preprocessors" / "segmentation" / "palette.json"
    file.write_text(json.dumps(own))
    try:
        painted = Preprocessors(models).map_of("segmentation", picture, 96, 64)
        assert set(painted.get_flattened_data()) <= {tuple(color) for color in own}
        file.write_text(json.dumps(own[:-1]))
        with pytest.raises(ModelMissing, match=f"list of {CLASSES} colours"):
            Preprocessors(models).map_of("segmentation", picture, 96, 64)
    finally:
        file.unlink()


def test_the_plain_palette_is_that_of_pascal_voc() -> None:
    assert plain_palette(10).tolist()[:4] == [[0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0]]
    assert plain_palette(10).tolist()[9] == [192, 0, 0]


@pytest.mark.parametrize("people", [True, False])
def test_poses_are_drawn_for_the_people_that_a_detector_finds(
    people: bool, tmp_path: Path, picture: Image.Image
) -> None:
    pose = build_pose(tmp_path / "preprocessors" / "pose", experts=6)
    build_detector(pose / "detector", people=people)
    found = Preprocessors(tmp_path).map_of("pose", picture, 96, 64)
    assert np.asarray(found).any() is np.bool_(people)


def test_weights_with_a_hole_are_refused_by_name(tmp_path: Path, picture: Image.Image) -> None:
    from safetensors.torch import load_file, save_file

    folder = build_depth(tmp_path / "preprocessors" / "depth")
    tensors = load_file(folder / "model.safetensors")
    del tensors["head.head.0.weight"]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelMissing, match=r"lacks head\.head\.0\.weight"):
        Preprocessors(tmp_path).map_of("depth", picture, 64, 64)


@pytest.mark.parametrize("file", ["config.json", "preprocessor_config.json", "model.safetensors"])
@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\x00" * 64])
def test_damaged_weights_are_refused_with_the_folder(
    file: str, content: bytes, tmp_path: Path, picture: Image.Image
) -> None:
    folder = build_depth(tmp_path / "preprocessors" / "depth")
    (folder / file).write_bytes(content)
    with pytest.raises(ModelMissing, match="preprocessors/depth"):
        Preprocessors(tmp_path).map_of("depth", picture, 64, 64)


def test_pickled_weights_are_not_read(tmp_path: Path, picture: Image.Image) -> None:
    folder = build_depth(tmp_path / "preprocessors" / "depth")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ModelMissing, match="preprocessors/depth"):
        Preprocessors(tmp_path).map_of("depth", picture, 64, 64)
