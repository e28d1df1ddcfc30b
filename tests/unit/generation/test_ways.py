"""Every way of making a picture is diffusers' own, picture by picture, on tiny models."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from brand.spec import HighRes, InitImage, Mask, Outpaint, RenderSpec, SpecInvalid
from generation.engines import Engine
from tests.unit.generation.rendering import (
    Folder,
    as_png,
    evaluations,
    image_of,
    largest_difference,
    new_engine,
    rendered,
    stock_pipeline,
    tiny,
)

if TYPE_CHECKING:
    from diffusers import DiffusionPipeline

pytestmark = [pytest.mark.model, pytest.mark.filterwarnings("ignore")]

SIDE = 64
NEAREST = 1
"""Of 255: what rounding may differ by."""


@pytest.fixture(scope="module")
def engine(tiny_family: Path) -> Engine:
    """An engine on one of every layout, with the smallest batches: soon profiled."""
    return new_engine(tiny_family, max_models=9, max_rows=2)


@pytest.fixture
def inputs(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.fixture(scope="module")
def reference() -> Image.Image:
    """Soft stripes: a picture without sharp corners, of the models' size."""
    ys, xs = np.mgrid[0:SIDE, 0:SIDE]
    waves = [np.sin(xs / 9) + np.cos(ys / 7), np.cos(xs / 5), np.sin((xs + ys) / 11)]
    return Image.fromarray(np.stack([np.uint8(127 + 60 * w) for w in waves], -1))


@pytest.fixture(scope="module")
def drawn_mask() -> Image.Image:
    """White in the middle."""
    mask = Image.new("L", (SIDE, SIDE))
    mask.paste(255, (20, 16, 50, 44))
    return mask


def stock(models: Path, kind: str, layout: str, spec: RenderSpec, **given: Any) -> Image.Image:
    """What diffusers' own pipeline of that class draws."""
    import diffusers
    import torch

    from generation.engine.sampling.samplers import new_scheduler

    parts = dict(_parts(models, layout).components)
    parts["scheduler"] = new_scheduler(spec.sampler, parts["scheduler"].config)
    made = getattr(diffusers, kind)
    if layout.startswith("sd1"):
        parts |= {"safety_checker": None, "feature_extractor": None}
        parts["requires_safety_checker"] = False
    takes = made.__init__.__code__.co_varnames
    pipe = made(**{name: part for name, part in parts.items() if name in takes})
    pipe.set_progress_bar_config(disable=True)
    if not layout.startswith(("flux", "schnell")):
        given["negative_prompt"] = spec.negative or None
    if kind == "StableDiffusion3InpaintPipeline":
        given["output_type"] = "latent"  # it decodes without the VAE's shift
    drawn = pipe(
        spec.prompt,
        guidance_scale=spec.guidance,
        num_inference_steps=spec.steps,
        width=spec.width,
        height=spec.height,
        generator=torch.Generator("cpu").manual_seed(spec.seed),
        **given,
    ).images[0]
    if isinstance(drawn, torch.Tensor):
        latents = drawn[None] / pipe.vae.config.scaling_factor + pipe.vae.config.shift_factor
        with torch.no_grad():
            pixels = pipe.vae.decode(latents).sample
        drawn = pipe.image_processor.postprocess(pixels)[0]
    found: Image.Image = drawn
    return found


def _parts(models: Path, layout: str) -> "DiffusionPipeline":
    import diffusers
    import torch

    torch.set_num_threads(1)
    if layout in {"sd1", "sdxl"}:
        return stock_pipeline(models, layout)
    pipe = diffusers.DiffusionPipeline.from_pretrained(models / layout, local_files_only=True)
    for module in pipe.components.values():
        if isinstance(module, torch.nn.Module):
            for parameter in module.parameters():
                parameter.data = parameter.data.clone()
    return pipe


@pytest.mark.parametrize(
    ("layout", "kind"),
    [("sd3", "StableDiffusion3Pipeline"), ("flux", "FluxPipeline"), ("schnell", "FluxPipeline")],
)
def test_text_to_image_with_a_flow_model(
    engine: Engine, tiny_family: Path, layout: str, kind: str
) -> None:
    # diffusers does not guide a model without distilled guidance unless told of it elsewhere.
    guidance = 1.0 if layout == "schnell" else 3.5
    spec = tiny(model=layout, sampler="flow_euler", guidance=guidance, steps=4)
    mine = image_of(rendered(engine, spec))
    assert largest_difference(mine, stock(tiny_family, kind, layout, spec)) <= NEAREST


@pytest.mark.parametrize(
    ("layout", "sampler", "kind"),
    [
        ("sd1", "euler_a", "StableDiffusionImg2ImgPipeline"),
        ("sd1", "pndm", "StableDiffusionImg2ImgPipeline"),
        ("sd1", "heun", "StableDiffusionImg2ImgPipeline"),
        ("sdxl", "dpmpp_2m_karras", "StableDiffusionXLImg2ImgPipeline"),
        ("sd3", "flow_euler", "StableDiffusion3Img2ImgPipeline"),
        ("flux", "flow_euler", "FluxImg2ImgPipeline"),
    ],
)
@pytest.mark.parametrize("strength", [0.45, 1.0])
def test_image_to_image(
    engine: Engine,
    inputs: Folder,
    tiny_family: Path,
    reference: Image.Image,
    layout: str,
    sampler: str,
    kind: str,
    strength: float,
) -> None:
    init = InitImage(sha256=inputs.put(as_png(reference)), strength=strength)
    spec = tiny(model=layout, sampler=sampler, steps=6, guidance=3.0, init=init)
    alone = stock(tiny_family, kind, layout, spec, image=reference, strength=strength)
    mine = image_of(rendered(engine, spec, inputs=inputs))
    assert largest_difference(mine, alone) <= NEAREST
    assert largest_difference(mine, reference) > 9


@pytest.mark.parametrize(
    ("layout", "sampler", "kind"),
    [
        ("sd1", "ddim", "StableDiffusionInpaintPipeline"),
        ("sd1", "euler_a", "StableDiffusionInpaintPipeline"),
        ("sd1", "dpmpp_2m_karras", "StableDiffusionInpaintPipeline"),
        ("sd1", "unipc", "StableDiffusionInpaintPipeline"),
        ("sd1", "pndm", "StableDiffusionInpaintPipeline"),
        ("sd1-inpaint", "euler_a", "StableDiffusionInpaintPipeline"),
        ("sdxl", "dpmpp_2m_sde", "StableDiffusionXLInpaintPipeline"),
        ("sd3", "flow_euler", "StableDiffusion3InpaintPipeline"),
    ],
)
@pytest.mark.parametrize("strength", [0.6, 1.0])
def test_inpainting(
    engine: Engine,
    inputs: Folder,
    tiny_family: Path,
    reference: Image.Image,
    drawn_mask: Image.Image,
    layout: str,
    sampler: str,
    kind: str,
    strength: float,
) -> None:
    from generation.engine.ways.masks import masked

    spec = tiny(
        model=layout,
        sampler=sampler,
        steps=5,
        guidance=3.0,
        init=InitImage(sha256=inputs.put(as_png(reference)), strength=strength),
        mask=Mask(sha256=inputs.put(as_png(drawn_mask))),
    )
    alone = stock(
        tiny_family, kind, layout, spec,
        image=reference, mask_image=drawn_mask, strength=strength,
    )  # fmt: skip
    mine = image_of(rendered(engine, spec, inputs=inputs))
    assert spec.mask
    pasted = masked(reference, drawn_mask, spec.mask).pasted(alone)
    assert largest_difference(mine, pasted) <= NEAREST
    assert largest_difference(mine, reference) > 9


def test_pixels_outside_the_mask_are_the_pictures_own(
    engine: Engine, inputs: Folder, reference: Image.Image, drawn_mask: Image.Image
) -> None:
    spec = tiny(
        init=InitImage(sha256=inputs.put(as_png(reference)), strength=1),
        mask=Mask(sha256=inputs.put(as_png(drawn_mask)), feather=3),
    )
    mine = np.asarray(image_of(rendered(engine, spec, inputs=inputs)))
    kept = np.ones((SIDE, SIDE), bool)
    kept[16 - 3 : 44 + 3, 20 - 3 : 50 + 3] = False
    assert (mine[kept] == np.asarray(reference)[kept]).all()


def test_an_inpainting_model_also_paints_from_words_alone(
    engine: Engine, inputs: Folder, reference: Image.Image
) -> None:
    plain = rendered(engine, tiny(model="sd1-inpaint"))
    other = rendered(engine, tiny(model="sd1-inpaint", prompt="a blue chair"))
    init = InitImage(sha256=inputs.put(as_png(reference)), strength=0.5)
    over = rendered(engine, tiny(model="sd1-inpaint", init=init), inputs=inputs)
    assert len({plain.png, other.png, over.png}) == 3


def test_outpainting_goes_on_over_the_edges_and_keeps_the_picture(
    engine: Engine, inputs: Folder, reference: Image.Image
) -> None:
    spec = tiny(
        width=SIDE + 32,
        height=SIDE + 16,
        init=InitImage(sha256=inputs.put(as_png(reference)), strength=1),
        outpaint=Outpaint(left=16, right=16, bottom=16, feather=8),
    )
    mine = np.asarray(image_of(rendered(engine, spec, inputs=inputs)))
    assert mine.shape == (SIDE + 16, SIDE + 32, 3)
    old = np.asarray(reference)
    assert (mine[: SIDE - 8, 16 + 8 : 16 + SIDE - 8] == old[: SIDE - 8, 8:-8]).all()
    assert mine[SIDE:].std() > 5


def test_high_resolution_is_the_first_picture_enlarged_and_painted_over(
    engine: Engine, inputs: Folder, tiny_family: Path
) -> None:
    told: list[Any] = []
    spec = tiny(steps=6, sampler="ddim", highres=HighRes(scale=1.5, strength=0.5))
    mine = image_of(rendered(engine, spec, told=told))
    first = image_of(rendered(engine, tiny(steps=6, sampler="ddim")))
    large = first.resize((96, 96), Image.Resampling.LANCZOS)
    second = tiny(steps=6, sampler="ddim", width=96, height=96)
    kind = "StableDiffusionImg2ImgPipeline"
    alone = stock(tiny_family, kind, "sd1", second, image=large, strength=0.5)
    assert mine.size == (96, 96)
    assert largest_difference(mine, alone) <= NEAREST
    assert evaluations(told) == [(n + 1, 9) for n in range(9)]
    left = [item.eta_s for item in told if item.done]
    assert left[-1] < left[2]


@pytest.mark.parametrize(
    ("layout", "kind"),
    [
        ("sd1", "StableDiffusionInpaintPipeline"),
        ("sd1-inpaint", "StableDiffusionInpaintPipeline"),
        ("sdxl", "StableDiffusionXLInpaintPipeline"),
        ("sd3", "StableDiffusion3InpaintPipeline"),
    ],
)
@pytest.mark.parametrize("scale", [1.0, 1.5])
def test_the_second_pass_of_inpainting_paints_under_the_mask_alone(
    engine: Engine,
    inputs: Folder,
    tiny_family: Path,
    reference: Image.Image,
    drawn_mask: Image.Image,
    layout: str,
    kind: str,
    scale: float,
) -> None:
    from generation.engine.ways.masks import masked

    sampler = "flow_euler" if layout == "sd3" else "euler_a"
    spec = tiny(
        model=layout,
        sampler=sampler,
        steps=5,
        guidance=3.0,
        init=InitImage(sha256=inputs.put(as_png(reference)), strength=1),
        mask=Mask(sha256=inputs.put(as_png(drawn_mask))),
    )
    first = image_of(rendered(engine, spec, inputs=inputs))
    again = replace(spec, highres=HighRes(scale=scale, strength=0.6))
    mine = image_of(rendered(engine, again, inputs=inputs))
    assert mine.size == again.highres_size
    assert spec.mask
    canvas = masked(reference, drawn_mask, spec.mask).enlarged(mine.size)
    kept = np.asarray(canvas.shown) == 0
    large = reference.resize(mine.size, Image.Resampling.LANCZOS)
    assert (np.asarray(mine)[kept] == np.asarray(large)[kept]).all()
    over = first.resize(mine.size, Image.Resampling.LANCZOS)
    assert largest_difference(mine, over) > 9
    alone = stock(
        tiny_family, kind, layout, replace(spec, width=mine.width, height=mine.height),
        image=over, mask_image=canvas.anew, strength=0.6,
    )  # fmt: skip
    assert largest_difference(mine, canvas.pasted(alone)) <= NEAREST


@pytest.mark.parametrize("layout", ["sd1", "sd1-inpaint"])
def test_the_second_pass_of_outpainting_keeps_the_picture(
    engine: Engine, inputs: Folder, reference: Image.Image, layout: str
) -> None:
    spec = tiny(
        model=layout,
        width=SIDE + 32,
        init=InitImage(sha256=inputs.put(as_png(reference)), strength=1),
        outpaint=Outpaint(left=16, right=16, feather=8),
    )
    first = image_of(rendered(engine, spec, inputs=inputs))
    again = replace(spec, highres=HighRes(scale=2, strength=0.6))
    mine = np.asarray(image_of(rendered(engine, again, inputs=inputs)))
    assert mine.shape == (SIDE * 2, (SIDE + 32) * 2, 3)
    mirrored = np.pad(np.asarray(reference), ((0, 0), (16, 16), (0, 0)), mode="symmetric")
    whole = Image.fromarray(mirrored).resize(
        (mine.shape[1], mine.shape[0]), Image.Resampling.LANCZOS
    )
    inside = slice((16 + 8) * 2, (16 + SIDE - 8) * 2)
    assert (mine[:, inside] == np.asarray(whole)[:, inside]).all()
    over = np.asarray(first.resize(whole.size, Image.Resampling.LANCZOS), np.int16)
    assert np.abs(mine[:, :32] - over[:, :32]).max() > 9


def test_a_recipes_last_stage_keeps_the_picture_before_in_both_of_its_passes(
    engine: Engine, inputs: Folder, reference: Image.Image
) -> None:
    from brand.brief import Brief
    from brand.demo import demo_kit
    from brand.staging import later_stage, stage_mask

    kit = demo_kit()
    brief = Brief(words="a red mug", recipe="scene", highres=2)
    whole = next(recipe for recipe in kit.recipes if recipe.name == "scene")
    recipe = replace(whole, stages=whole.stages[:2])  # the background anew, at last
    file, drawn = as_png(reference), stage_mask(recipe.stages[1], SIDE, SIDE)
    [spec] = later_stage(
        brief, kit, recipe, 1, seed=7, file=inputs.put(file), mask=inputs.put(drawn)
    )
    assert spec.highres
    small = replace(
        spec,
        model="sd1",
        model_sha256="",
        width=SIDE,
        height=SIDE,
        steps=3,
        loras=(),
        embeddings=(),
    )
    mine = np.asarray(image_of(rendered(engine, small, inputs=inputs)))
    left, top, right, bottom = (round(2 * SIDE * share) for share in recipe.stages[1].box)
    inside = slice(top + 12, bottom - 12), slice(left + 12, right - 12)  # beyond the soft edge
    old = np.asarray(reference.resize((2 * SIDE, 2 * SIDE), Image.Resampling.LANCZOS))
    assert old[inside].size > 1000
    assert (mine[inside] == old[inside]).all()
    assert (mine[:4] != old[:4]).any()


def test_a_reference_that_is_left_untouched_is_still_painted_under_its_mask_at_last(
    engine: Engine, inputs: Folder, reference: Image.Image, drawn_mask: Image.Image
) -> None:
    spec = tiny(
        init=InitImage(sha256=inputs.put(as_png(reference)), strength=0),
        mask=Mask(sha256=inputs.put(as_png(drawn_mask)), feather=0),
        highres=HighRes(scale=1, strength=0.6),
    )
    mine = image_of(rendered(engine, spec, inputs=inputs))
    outside = Image.composite(reference, mine, drawn_mask)
    assert largest_difference(outside, reference) == 0
    assert largest_difference(mine, reference) > 9


def test_a_size_that_the_layout_has_no_patches_for_is_refused(engine: Engine) -> None:
    with pytest.raises(SpecInvalid, match="multiples of 16"):
        engine.check(tiny(model="sd3", sampler="flow_euler", width=72))
    engine.check(tiny(width=72))
