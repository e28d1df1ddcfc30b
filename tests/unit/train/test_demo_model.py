"""The demo model's recipe from the first picture to the folder that diffusers loads."""

from pathlib import Path

import pytest
import torch
from diffusers import StableDiffusionPipeline
from safetensors.torch import load_file

from generation.train.demo_model import train_demo_model
from generation.train.options import TrainProgress
from tests.unit.train.tiny import TINY, silent, tiny_options

pytestmark = pytest.mark.model
WEIGHTS = (
    "unet/diffusion_pytorch_model.safetensors",
    "vae/diffusion_pytorch_model.safetensors",
    "text_encoder/model.safetensors",
)


class Killed(Exception):
    """Stands for a kill -9: nothing in the recipe catches it."""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train_demo_model(tiny_options(tmp_path_factory.mktemp("whole")), silent, sizes=TINY)


def test_the_finished_folder_loads_and_draws_with_the_ordinary_pipeline(model: Path) -> None:
    pipe = StableDiffusionPipeline.from_pretrained(
        model, safety_checker=None, local_files_only=True, dtype=torch.float32
    )
    pipe.set_progress_bar_config(disable=True)
    picture = pipe("a red mug", num_inference_steps=2, guidance_scale=4.0).images[0]
    assert picture.size == (128, 128)
    # The latents that the UNet was trained on are what the VAE decodes, unscaled.
    assert pipe.vae.config.scaling_factor == 1.0


def test_the_weights_are_stored_in_half_precision(model: Path) -> None:
    for name in WEIGHTS:
        tensors = load_file(model / name)
        assert {tensor.dtype for tensor in tensors.values() if tensor.is_floating_point()} == {
            torch.float16
        }


@pytest.mark.parametrize(
    "stage",
    ["unet", *(pytest.param(one, marks=pytest.mark.deep) for one in ("vae", "words", "decoder"))],
)
def test_a_killed_run_ends_with_the_weights_of_an_undisturbed_one(
    stage: str, model: Path, tmp_path: Path
) -> None:
    def killer(progress: TrainProgress) -> None:
        if progress.stage == stage and progress.step == 2:
            raise Killed

    options = tiny_options(tmp_path)
    with pytest.raises(Killed):
        train_demo_model(options, killer, sizes=TINY)
    resumed = train_demo_model(options, silent, sizes=TINY)
    for name in WEIGHTS:
        expected, got = load_file(model / name), load_file(resumed / name)
        assert all(torch.equal(expected[key], got[key]) for key in expected)


def test_training_can_start_from_a_finished_model(model: Path, tmp_path: Path) -> None:
    further = train_demo_model(tiny_options(tmp_path, resume_from=model), silent, sizes=TINY)
    before, after = (load_file(folder / WEIGHTS[0]) for folder in (model, further))
    assert before.keys() == after.keys()
    assert any(not torch.equal(before[key], after[key]) for key in before)
    # The encoder makes the latents that the UNet knows, so it stays.
    old, new = (load_file(folder / WEIGHTS[1]) for folder in (model, further))
    assert all(torch.equal(old[key], new[key]) for key in old if key.startswith("encoder."))


def test_hours_become_steps_that_fit_into_them() -> None:
    steps = TINY.steps(2.0)
    seconds = (
        steps["vae"] * TINY.vae_seconds
        + steps["words"] * TINY.word_seconds
        + steps["unet"] * TINY.unet_seconds
        + steps["decoder"] * TINY.decoder_seconds
    )
    assert 0.95 * 7200 < seconds < 1.05 * 7200
