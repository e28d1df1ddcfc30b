"""What lies in a models folder is told, usable or not, without torch."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from generation.engine.library.extras import (
    look_at_controls,
    look_at_image_prompts,
    look_at_models,
    look_at_preprocessors,
)
from generation.engine.library.image_prompt_files import FIRST

NONE = Path("none")


def weights(file: Path, tensor: str = "x") -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file({tensor: np.zeros((2, 8), np.float32)}, file)


def config(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({}))


def test_models_and_controls_that_are_left_out_are_told_with_the_reason(tmp_path: Path) -> None:
    weights(tmp_path / "odd.safetensors")
    weights(tmp_path / "controlnets/canny.safetensors")
    ((name, why),) = look_at_models(tmp_path, NONE).left_out
    assert name == "odd"
    assert why
    ((name, why),) = look_at_controls(tmp_path, NONE).left_out
    assert name == "canny"
    assert "holds no ControlNet" in why


def test_image_prompts_need_an_encoder_and_weights_that_read_a_picture(tmp_path: Path) -> None:
    folder = tmp_path / "image-prompts"
    for name, tensor in (("good", FIRST), ("other", "x"), ("blind", FIRST)):
        weights(folder / name / "weights.safetensors", tensor)
        if name != "blind":
            config(folder / name / "image_encoder")
    (folder / "empty").mkdir()
    looked = look_at_image_prompts(tmp_path)
    assert looked.found == ("good",)
    reasons = dict(looked.left_out)
    assert "CLIP encoder" in reasons["blind"]
    assert "no layer of it reads a picture" in reasons["other"]
    assert "safetensors file is missing" in reasons["empty"]


def test_preprocessors_need_a_known_name_a_config_and_sound_weights(tmp_path: Path) -> None:
    folder = tmp_path / "preprocessors"
    weights(folder / "depth/model.safetensors")
    config(folder / "depth")
    weights(folder / "pose/model.safetensors")
    config(folder / "segmentation")
    config(folder / "smell")
    looked = look_at_preprocessors(tmp_path)
    assert looked.found == ("depth",)
    reasons = dict(looked.left_out)
    assert "config.json" in reasons["pose"]
    assert "no safetensors" in reasons["segmentation"]
    assert "known are depth" in reasons["smell"]


@pytest.mark.parametrize("models_dir", [None, NONE])
def test_without_a_models_folder_there_is_nothing(models_dir: Path | None) -> None:
    for looked in (look_at_image_prompts(models_dir), look_at_preprocessors(models_dir)):
        assert (looked.found, looked.left_out) == ((), ())


def test_a_look_loads_no_torch() -> None:
    code = "import sys, generation.engine.library.extras; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
