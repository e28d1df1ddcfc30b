"""A picture as a prompt is diffusers' own IP-Adapter, row by row, and leaves no trace."""

import shutil
from pathlib import Path

import pytest
from PIL import Image

from brand.spec import ImagePrompt, ModelMissing, RenderSpec, SpecInvalid
from generation.engines import Engine
from tests.unit.generation.mixes import Mix, Wish
from tests.unit.generation.rendering import (
    Folder,
    as_png,
    image_of,
    largest_difference,
    new_engine,
    rendered,
    stock_pipeline,
    tiny,
)

pytestmark = [pytest.mark.model, pytest.mark.filterwarnings("ignore")]

LAYOUTS = ("sd1", "sdxl")


@pytest.fixture(scope="module")
def models(tiny_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny models with image-prompt weights `for-sd1` and `for-sdxl`."""
    from tests.fakes.tiny_image_prompts import build_image_prompt

    folder = tmp_path_factory.mktemp("with-image-prompts")
    for layout in LAYOUTS:
        shutil.copytree(tiny_models / layout, folder / layout)
        unet = stock_pipeline(tiny_models, layout).unet
        build_image_prompt(folder / "image-prompts" / f"for-{layout}", unet)
    return folder


@pytest.fixture(scope="module")
def engine(models: Path) -> Engine:
    return new_engine(models, max_rows=4)


@pytest.fixture
def inputs(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.fixture(scope="module")
def picture() -> Image.Image:
    """Wide, so that it must be cropped."""
    return Image.radial_gradient("L").resize((90, 60)).convert("RGB")


def prompted(inputs: Folder, picture: Image.Image, layout: str, weight: float) -> RenderSpec:
    sha256 = inputs.put(as_png(picture))
    use = ImagePrompt(sha256=sha256, weight=weight, model=f"for-{layout}")
    return tiny(model=layout, sampler="ddim", image_prompt=use)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_picture_is_the_stock_adapters_own(
    engine: Engine, models: Path, inputs: Folder, picture: Image.Image, layout: str
) -> None:
    import diffusers
    import torch

    pipe = stock_pipeline(models, layout)
    pipe.scheduler = diffusers.DDIMScheduler.from_config(pipe.scheduler.config, clip_sample=False)
    pipe.load_ip_adapter(
        models / "image-prompts" / f"for-{layout}",
        subfolder="",
        weight_name="ip-adapter.safetensors",
        image_encoder_folder="image_encoder",
    )
    pipe.set_ip_adapter_scale(0.7)
    alone = pipe(
        "a red mug",
        num_inference_steps=3,
        width=64,
        height=64,
        guidance_scale=7.5,
        ip_adapter_image=picture,
        generator=torch.Generator("cpu").manual_seed(5),
    ).images[0]
    mine = image_of(rendered(engine, prompted(inputs, picture, layout, 0.7), inputs=inputs))
    assert largest_difference(mine, alone) <= 1
    plain = image_of(rendered(engine, tiny(model=layout, sampler="ddim")))
    assert largest_difference(mine, plain) > 9


def test_each_row_has_its_own_picture_and_weight(
    engine: Engine, inputs: Folder, picture: Image.Image
) -> None:
    other = picture.rotate(90).convert("L").convert("RGB").crop((0, 0, 40, 60))
    specs = [
        prompted(inputs, picture, "sd1", 0.7),
        prompted(inputs, picture, "sd1", 0.2),
        prompted(inputs, other, "sd1", 0.7),
        tiny(sampler="ddim"),
    ]
    alone = [rendered(engine, spec, inputs=inputs).png for spec in specs]
    assert len(set(alone)) == 4
    wishes = [
        Wish(spec=spec, priority=0, team="", joins_after=None, cancelled_after=None)
        for spec in specs
    ]
    made = Mix(engine, inputs, wishes).run()
    assert [outcome.picture.png for outcome in made if outcome.picture] == alone


def test_weights_of_another_family_are_refused(
    engine: Engine, inputs: Folder, picture: Image.Image
) -> None:
    sha256 = inputs.put(as_png(picture))
    use = ImagePrompt(sha256=sha256, model="for-sdxl")
    with pytest.raises(ModelMissing, match="do not fit"):
        rendered(engine, tiny(image_prompt=use), inputs=inputs)


def test_missing_weights_are_refused_at_once_with_where_to_put_them(
    engine: Engine, tiny_models: Path
) -> None:
    use = ImagePrompt(sha256="0" * 64)
    with pytest.raises(ModelMissing, match="image-prompts/"):
        new_engine(tiny_models).check(tiny(image_prompt=use))
    with pytest.raises(ModelMissing, match="for-sd1, for-sdxl"):
        engine.check(tiny(image_prompt=ImagePrompt(sha256="0" * 64, model="none")))
    engine.check(tiny(image_prompt=use))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_without_a_name_the_weights_that_fit_are_taken(
    engine: Engine, inputs: Folder, picture: Image.Image, layout: str
) -> None:
    named = prompted(inputs, picture, layout, 0.6)
    unnamed = tiny(model=layout, sampler="ddim", image_prompt=ImagePrompt(sha256=named.inputs[0]))
    made = [rendered(engine, spec, inputs=inputs).png for spec in (named, unnamed)]
    assert made[0] == made[1]


def test_a_layout_without_a_unet_takes_no_image_prompt(tiny_family: Path) -> None:
    engine = new_engine(tiny_family, warm="none")
    spec = tiny(model="sd3", sampler="flow_euler", image_prompt=ImagePrompt(sha256="0" * 64))
    with pytest.raises(SpecInvalid, match="layouts only"):
        engine.check(spec)
