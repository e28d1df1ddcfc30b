"""Models are found by what lies in their folder; what cannot be used is left out and named."""

import json
import logging
import shutil
from pathlib import Path

import numpy as np
import pytest

from generation.engine.library.catalogue import CONFIGS, find_models
from generation.engine.library.weights import WeightsIndex
from tests.unit.generation.lora_files import safetensors

NONE = Path("none")
SD1_KEYS = (
    "cond_stage_model.transformer.text_model.embeddings.token_embedding.weight",
    "model.diffusion_model.input_blocks.0.0.weight",
)


def folder_model(path: Path, **index: object) -> Path:
    """The shipped SD 1.x configs as a model, with weights of four bytes."""
    shutil.copytree(CONFIGS / "sd1", path)
    (path / "tokenizer").mkdir()
    (path / "tokenizer" / "vocab.json").write_text("{}")
    for part in ("unet", "vae", "text_encoder"):
        (path / part / "model.safetensors").write_bytes(part.encode())
    found = json.loads((path / "model_index.json").read_text())
    (path / "model_index.json").write_text(json.dumps(found | index))
    return path


def change_unet(path: Path, **changes: object) -> None:
    config = json.loads((path / "unet" / "config.json").read_text())
    (path / "unet" / "config.json").write_text(json.dumps(config | changes))


def single_file(path: Path, *, channels: int = 4, tokenizer: bool = True) -> Path:
    shapes = {SD1_KEYS[0]: (1, 1), SD1_KEYS[1]: (1, channels, 1, 1)}
    path.write_bytes(safetensors({name: np.ones(s, np.float32) for name, s in shapes.items()}))
    if tokenizer:
        (path.with_suffix(".config") / "tokenizer").mkdir(parents=True)
        (path.with_suffix(".config") / "tokenizer" / "vocab.json").write_text("{}")
    return path


def test_folders_and_single_files_are_named_by_their_names(tmp_path: Path) -> None:
    folder_model(tmp_path / "house")
    single_file(tmp_path / "field.safetensors")
    (tmp_path / "notes.txt").write_text("nothing")
    (tmp_path / "loras").mkdir()
    found = find_models(tmp_path, NONE)
    assert sorted(found) == ["field", "house"]
    assert {source.layout for source in found.values()} == {"sd1"}
    assert (found["house"].width, found["field"].width) == (512, 512)
    assert found["field"].config == CONFIGS / "sd1"


def test_the_shipped_model_is_called_demo_and_says_its_size(tmp_path: Path) -> None:
    shipped = folder_model(tmp_path / "shipped")
    (shipped / "housestyle.json").write_text('{"width": 128, "height": 96}')
    found = find_models(None, shipped)
    assert (found["demo"].width, found["demo"].height) == (128, 96)


def test_the_hash_covers_all_that_decides_the_pixels(tmp_path: Path) -> None:
    path = folder_model(tmp_path / "house")
    index = WeightsIndex(tmp_path / "weights.json")

    def now() -> str:
        return find_models(tmp_path, NONE)["house"].sha256(index)

    first = now()
    (path / "README.md").write_text("words")
    (path / "housestyle.json").write_text("{}")
    assert now() == first
    for name in (
        "unet/model.safetensors",
        "tokenizer/vocab.json",
        "scheduler/scheduler_config.json",
    ):
        (path / name).write_text((path / name).read_text() + " ")
        assert now() != first
        first = now()
    shutil.move(path, tmp_path / "moved")
    assert find_models(tmp_path, NONE)["moved"].sha256(index) == first


def test_a_hash_is_empty_until_every_file_is_hashed(tmp_path: Path) -> None:
    folder_model(tmp_path / "house")
    index = WeightsIndex(tmp_path / "weights.json")
    source = find_models(tmp_path, NONE)["house"]
    assert source.known_sha256(index) == ""
    assert source.sha256(index) == source.known_sha256(index)


@pytest.mark.parametrize(
    ("index", "words"),
    [
        ({"_class_name": "KandinskyPipeline"}, "KandinskyPipeline is not one of"),
        ({"unet": ["my_code", "Net"]}, "neither diffusers nor transformers"),
        ({"unet": ["os", "system"]}, "neither diffusers nor transformers"),
    ],
)
def test_a_folder_that_cannot_be_used_is_left_out_and_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, index: dict[str, object], words: str
) -> None:
    folder_model(tmp_path / "odd", **index)
    with caplog.at_level(logging.WARNING):
        assert find_models(tmp_path, NONE) == {}
    assert "model odd is left out" in caplog.text
    assert words in caplog.text


@pytest.mark.parametrize("broken", [b"", b"[]", b"{", b"\xff", b"[" * 100_000])
def test_a_broken_index_is_left_out(tmp_path: Path, broken: bytes) -> None:
    path = folder_model(tmp_path / "odd")
    (path / "model_index.json").write_bytes(broken)
    assert find_models(tmp_path, NONE) == {}


def test_an_inpainting_unet_is_known_as_one(tmp_path: Path) -> None:
    change_unet(folder_model(tmp_path / "house"), in_channels=9)
    folder_model(tmp_path / "plain")
    single_file(tmp_path / "field.safetensors", channels=9)
    found = find_models(tmp_path, NONE)
    assert {name: source.inpaints for name, source in found.items()} == {
        "field": True,
        "house": True,
        "plain": False,
    }
    assert {source.layout for source in found.values()} == {"sd1"}


def test_a_denoiser_of_other_channels_is_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    change_unet(folder_model(tmp_path / "house"), in_channels=8)
    single_file(tmp_path / "field.safetensors", channels=7)
    assert find_models(tmp_path, NONE) == {}
    assert "takes 8 channels, not 4 or 9" in caplog.text
    assert "takes 7 channels, not 4 or 9" in caplog.text


def test_a_unet_that_is_told_of_guidance_is_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    change_unet(folder_model(tmp_path / "house"), time_cond_proj_dim=256)
    assert find_models(tmp_path, NONE) == {}
    assert "told of guidance" in caplog.text


@pytest.mark.parametrize(
    ("sign", "layout", "lacking"),
    [
        (("joint_blocks.0.context_block.adaLN_modulation.1.bias", "x_embedder.proj.weight"),
         "sd3", "vae, text_encoder, text_encoder_2"),
        (("double_blocks.0.img_attn.norm.key_norm.scale", "img_in.weight"),
         "flux", "vae, text_encoder, text_encoder_2"),
    ],
)  # fmt: skip
def test_a_transformer_alone_says_what_must_lie_beside_it(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    sign: tuple[str, str],
    layout: str,
    lacking: str,
) -> None:
    path = tmp_path / "big.safetensors"
    shape = {"sd3": (1, 16, 1, 1), "flux": (1, 64)}[layout]
    path.write_bytes(
        safetensors({sign[0]: np.ones((1,), np.float32), sign[1]: np.ones(shape, np.float32)})
    )
    assert find_models(tmp_path, NONE) == {}
    assert f"it does not hold its {lacking}. Put the folders" in caplog.text
    assert "big.config/ beside the file" in caplog.text


def test_a_single_file_without_tokenizer_says_where_to_put_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    single_file(tmp_path / "field.safetensors", tokenizer=False)
    assert find_models(tmp_path, NONE) == {}
    assert "field.config/ beside the file" in caplog.text


def test_a_lora_among_the_models_is_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "lora.safetensors").write_bytes(
        safetensors({"unet.x.lora_A.weight": np.ones((1, 1), np.float32)})
    )
    (tmp_path / "broken.safetensors").write_bytes(b"not weights")
    assert find_models(tmp_path, NONE) == {}
    assert "no checkpoint of Stable Diffusion 1.x, SDXL, SD3 or Flux" in caplog.text


def test_a_models_folder_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert find_models(tmp_path / "none", NONE) == {}
