"""Which ControlNets are found, what they are led by, and which model they fit."""

import json
import logging
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from generation.engine.control.sources import find_controls
from generation.engine.library.weights import WeightsIndex
from generation.settings import SHIPPED_MODEL

CONFIG = {
    "_class_name": "ControlNetModel",
    "cross_attention_dim": 768,
    "block_out_channels": [320, 640],
}
pytestmark = pytest.mark.model  # for torch, which writes the files


def control_folder(path: Path, config: object = CONFIG) -> Path:
    """A folder that looks like a ControlNet of that shape, with weights of two numbers."""
    path.mkdir(parents=True)
    (path / "config.json").write_text(json.dumps(config))
    save_file({"x": torch.zeros(2)}, path / "diffusion_pytorch_model.safetensors")
    return path


def _file(path: Path, *, words: int = 768, first: int = 320, prefix: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    tensors = {
        f"{prefix}controlnet_cond_embedding.conv_in.weight": torch.zeros(16, 3, 3, 3),
        f"{prefix}input_blocks.0.0.weight": torch.zeros(first, 4, 3, 3),
        f"{prefix}input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight": torch.zeros(8, words),
    }
    save_file(tensors, path)
    return path


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("canny", "canny"),
        ("control_v11p_sd15_openpose", "pose"),
        ("control_v11f1p_sd15_depth", "depth"),
        ("sdxl-softedge-pidi", "softedge"),
        ("control_v11p_sd15_normalbae", "normal"),
        ("control_v11p_sd15_seg", "segmentation"),
        ("Control_V11f1e_SD15_Tile", "tile"),
    ],
)
def test_the_name_tells_the_kind(name: str, kind: str, tmp_path: Path) -> None:
    control_folder(tmp_path / "controlnets" / name)
    assert find_controls(tmp_path, tmp_path)[name].kind == kind


def test_a_settings_file_tells_the_kind_before_the_name(tmp_path: Path) -> None:
    folder = control_folder(tmp_path / "controlnets" / "old-canny")
    (folder / "housestyle.json").write_text('{"kind": "lineart"}')
    assert find_controls(tmp_path, tmp_path)["old-canny"].kind == "lineart"


def test_a_folder_fits_models_of_its_text_width_and_levels(tmp_path: Path) -> None:
    control_folder(tmp_path / "controlnets" / "canny")
    source = find_controls(tmp_path, tmp_path)["canny"]
    assert source.fits(768, [320, 640])
    assert not source.fits(2048, [320, 640])
    assert not source.fits(768, [320, 320])


@pytest.mark.parametrize("prefix", ["", "control_model."])
@pytest.mark.parametrize("place", ["depth.safetensors", "depth/weights.safetensors"])
def test_a_single_file_is_read_from_its_header(place: str, prefix: str, tmp_path: Path) -> None:
    _file(tmp_path / "controlnets" / place, prefix=prefix)
    source = find_controls(tmp_path, tmp_path)["depth"]
    assert source.kind == "depth"
    assert source.fits(768, [320, 640, 1280, 1280])
    assert not source.fits(1024, [320, 640, 1280, 1280])
    assert not source.fits(768, [64])


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ([], "no JSON object"),
        ({**CONFIG, "_class_name": "FluxControlNetModel"}, "FluxControlNetModel is not"),
        ({**CONFIG, "cross_attention_dim": "768"}, "describes no ControlNet"),
        ({**CONFIG, "block_out_channels": []}, "describes no ControlNet"),
        ({**CONFIG, "global_pool_conditions": True}, "describes no ControlNet"),
    ],
)
def test_what_is_no_controlnet_is_left_out_with_the_reason(
    config: object, reason: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    control_folder(tmp_path / "controlnets" / "canny", config)
    with caplog.at_level(logging.WARNING):
        assert find_controls(tmp_path, tmp_path) == {}
    assert reason in caplog.text


def test_an_unknown_kind_is_left_out_and_told_how_to_name_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    control_folder(tmp_path / "controlnets" / "shuffle")
    with caplog.at_level(logging.WARNING):
        assert find_controls(tmp_path, tmp_path) == {}
    assert "one of canny, softedge" in caplog.text


def test_a_damaged_file_is_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = _file(tmp_path / "controlnets" / "canny.safetensors")
    file.write_bytes(file.read_bytes()[:-3])
    with caplog.at_level(logging.WARNING):
        assert find_controls(tmp_path, tmp_path) == {}
    assert "longer or shorter" in caplog.text


def test_other_weights_are_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "controlnets"
    folder.mkdir()
    save_file({"lora.up": torch.zeros(4, 4)}, folder / "canny.safetensors")
    with caplog.at_level(logging.WARNING):
        assert find_controls(tmp_path, tmp_path) == {}
    assert "it holds no ControlNet" in caplog.text


def test_changed_weights_have_another_hash(tmp_path: Path) -> None:
    folder = control_folder(tmp_path / "controlnets" / "canny")
    source = find_controls(tmp_path, tmp_path)["canny"]
    before = source.sha256(WeightsIndex(tmp_path / "one.json"))
    save_file({"x": torch.ones(2)}, folder / "diffusion_pytorch_model.safetensors")
    assert source.sha256(WeightsIndex(tmp_path / "two.json")) != before


def test_without_a_models_folder_only_the_shipped_ones_are_there() -> None:
    assert all(
        source.path.is_relative_to(SHIPPED_MODEL)
        for source in find_controls(None, SHIPPED_MODEL).values()
    )
