"""One safetensors file draws the same picture as the folder it was made from, offline."""

import shutil
from pathlib import Path

import pytest
import safetensors.torch

from brand.spec import ModelMissing
from generation.engine.catalogue import CONFIGS
from tests.unit.generation.rendering import image_of, new_engine, rendered, tiny

pytestmark = [pytest.mark.model, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def single_files(tiny_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.fakes.single_files import write_single_file

    folder = tmp_path_factory.mktemp("single-files")
    for layout in ("sd1", "sdxl"):
        shutil.copytree(tiny_models / layout, folder / f"{layout}-folder")
        write_single_file(tiny_models / layout, folder / f"{layout}-file.safetensors")
    return folder


@pytest.mark.parametrize("layout", ["sd1", "sdxl"])
def test_a_single_file_draws_what_its_folder_draws(single_files: Path, layout: str) -> None:
    engine = new_engine(single_files, warm="")
    spec = {"prompt": "a (red:1.2) mug", "negative": "ugly", "sampler": "euler"}
    from_folder = rendered(engine, tiny(model=f"{layout}-folder", **spec))
    from_file = rendered(engine, tiny(model=f"{layout}-file", **spec))
    assert image_of(from_file).tobytes() == image_of(from_folder).tobytes()


def test_a_file_that_lacks_tensors_is_not_filled_up_with_noise(
    single_files: Path, tmp_path: Path
) -> None:
    source = single_files / "sd1-file.safetensors"
    tensors = safetensors.torch.load_file(source)
    del tensors["model.diffusion_model.middle_block.0.in_layers.2.weight"]
    safetensors.torch.save_file(tensors, tmp_path / "holes.safetensors")
    shutil.copytree(source.with_suffix(".config"), tmp_path / "holes.config")
    engine = new_engine(tmp_path, warm="")
    with pytest.raises(ModelMissing, match="'holes' cannot be loaded: it lacks"):
        rendered(engine, tiny(model="holes"))


# Millions of parameters, as the published models have them.
SIZES = {
    "sd1": {"unet": 859.5, "vae": 83.7, "text_encoder": 123.1},
    "sdxl": {"unet": 2567.5, "vae": 83.7, "text_encoder": 123.1, "text_encoder_2": 694.7},
}


@pytest.mark.parametrize("layout", SIZES)
def test_the_shipped_configs_describe_the_published_models(layout: str) -> None:
    import diffusers
    import torch
    import transformers

    with torch.device("meta"):
        for part, millions in SIZES[layout].items():
            folder = CONFIGS / layout / part
            if part.startswith("text"):
                config = transformers.CLIPTextConfig.from_pretrained(folder)
                model = getattr(transformers, config.architectures[0])(config)
            else:
                kind = {"unet": diffusers.UNet2DConditionModel, "vae": diffusers.AutoencoderKL}[
                    part
                ]
                model = kind.from_config(kind.load_config(folder))
            count = sum(weight.numel() for weight in model.parameters()) / 1e6
            assert count == pytest.approx(millions, abs=0.1), part
