"""One safetensors file draws the same picture as the folder it was made from, offline."""

import shutil
from pathlib import Path

import pytest
import safetensors.torch

from brand.spec import ModelMissing
from generation.engine.library.catalogue import CONFIGS
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


WHOLE = ("sd1-inpaint", "sd3", "sd3-short", "flux", "schnell")


@pytest.fixture(scope="module")
def newer_files(tiny_family: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Each model as a folder, as one whole file, and as a transformer with the rest beside it."""
    from tests.fakes.single_files import write_single_file
    from tests.fakes.single_transformers import write_transformer_file, write_whole_file

    folder = tmp_path_factory.mktemp("newer-files")
    for name in WHOLE:
        shutil.copytree(tiny_family / name, folder / name)
        if name == "sd1-inpaint":
            write_single_file(folder / name, folder / f"{name}-whole.safetensors")
        else:
            write_whole_file(folder / name, folder / f"{name}-whole.safetensors")
            write_transformer_file(folder / name, folder / f"{name}-alone.safetensors")
    return folder


@pytest.mark.parametrize("form", ["whole", "alone"])
@pytest.mark.parametrize("name", WHOLE)
def test_a_file_of_a_newer_layout_computes_what_its_folder_computes(
    newer_files: Path, name: str, form: str
) -> None:
    from tests.unit.generation.fleets import new_fleet

    if not (newer_files / f"{name}-{form}.safetensors").is_file():
        return  # a UNet's file is always whole
    fleet = new_fleet(newer_files)
    seen = []
    for asked in (name, f"{name}-{form}"):
        with fleet.use(asked) as model:
            signature = model.signature(64, 64)
            rows = model.denoiser.sample_rows(signature, 1, seed=1)
            terms = model.prompts.encode("a mug", "no", guidance=4, width=64, height=64).terms
            latents = rows[0].latents[: model.codec.latent_channels]
            seen.append(
                (
                    model.denoiser.predict(signature, rows, 2),
                    model.codec.decode(latents),
                    *(one.text for one in terms),
                    *(one.pooled for one in terms if one.pooled is not None),
                )
            )
            assert model.inpaints == (name == "sd1-inpaint")
    assert len(seen[0]) == len(seen[1])
    for mine, theirs in zip(*seen, strict=True):
        assert mine.equal(theirs)


def test_the_folder_beside_a_file_is_no_model_of_its_own(newer_files: Path) -> None:
    from generation.engine.library.catalogue import find_models

    found = find_models(newer_files, Path("none"))
    assert "flux-alone" in found
    assert not [name for name in found if name.endswith(".config")]


@pytest.mark.parametrize(
    ("part", "words"),
    [("transformer", "cannot be loaded"), ("text_encoder_2", "cannot be loaded")],
)
def test_a_folder_that_lacks_tensors_is_refused(
    tiny_family: Path, tmp_path: Path, part: str, words: str
) -> None:
    from tests.unit.generation.fleets import new_fleet

    shutil.copytree(tiny_family / "flux", tmp_path / "models" / "flux")
    (file,) = (tmp_path / "models" / "flux" / part).glob("*.safetensors")
    tensors = safetensors.torch.load_file(file)
    tensors.pop(sorted(tensors)[0])
    safetensors.torch.save_file(tensors, file, metadata={"format": "pt"})
    fleet = new_fleet(tmp_path / "models")
    with pytest.raises(ModelMissing, match=words), fleet.use("flux"):
        pass


# Millions of parameters, as the published models have them.
SIZES = {
    "sd1": {"unet": 859.5, "vae": 83.7, "text_encoder": 123.1},
    "sdxl": {"unet": 2567.5, "vae": 83.7, "text_encoder": 123.1, "text_encoder_2": 694.7},
    "sd3": {
        "transformer": 2028.3,
        "vae": 83.8,
        "text_encoder": 123.7,
        "text_encoder_2": 694.7,
        "text_encoder_3": 4762.3,
    },
    "flux": {"transformer": 11901.4, "vae": 83.8, "text_encoder": 123.1, "text_encoder_2": 4762.3},
}
KINDS = {
    "unet": "UNet2DConditionModel",
    "vae": "AutoencoderKL",
    ("sd3", "transformer"): "SD3Transformer2DModel",
    ("flux", "transformer"): "FluxTransformer2DModel",
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
                config = transformers.AutoConfig.from_pretrained(folder)
                model = getattr(transformers, config.architectures[0])(config)
            else:
                kind = getattr(diffusers, KINDS.get(part) or KINDS[layout, part])
                model = kind.from_config(kind.load_config(folder))
            count = sum(weight.numel() for weight in model.parameters()) / 1e6
            assert count == pytest.approx(millions, abs=0.1), part
