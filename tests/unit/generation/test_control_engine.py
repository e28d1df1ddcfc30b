"""The shipped ControlNet in the whole engine, from a recipe to a picture."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler
from PIL import Image

from brand.spec import ControlUse, Picture, RenderRequest, RenderSpec
from generation.engine.engine import EngineOptions, InFlightEngine
from generation.engine.preprocess import canny
from generation.illustrator import draw, scene_from_prompt
from generation.pixels import to_png
from generation.settings import SHIPPED_MODEL
from generation.train.evaluate import load_pipeline
from tests.benchmarks.control import controlled
from tests.unit.generation.rendering import Folder

pytestmark = pytest.mark.model
PROMPT, STEPS, SIDE = "a blue ball on the beach", 6, 128
WEIGHT, END = 0.9, 0.8


@pytest.fixture(scope="module")
def reference() -> Image.Image:
    return draw(scene_from_prompt("a red mug in a kitchen", "", 3), SIDE, SIDE)


def _own(folder: Path, reference: Image.Image) -> Picture:
    options = EngineOptions(shipped=SHIPPED_MODEL, state_dir=folder / "s", threads=1, max_rows=2)
    engine = InFlightEngine(options)
    engine.load()
    inputs = Folder(folder)
    use = ControlUse(kind="canny", sha256=inputs.put(to_png(reference)), weight=WEIGHT, end=END)
    spec = RenderSpec(
        prompt=PROMPT,
        model="demo",
        seed=11,
        width=SIDE,
        height=SIDE,
        steps=STEPS,
        guidance=3.0,
        sampler="ddim",
        controls=(use,),
    )
    request = RenderRequest(render_id="one", brand="acme", spec=spec)
    return engine.render(request, inputs, lambda _: None, lambda: False)


def _stock(reference: Image.Image) -> np.ndarray:
    pipe = controlled(load_pipeline(SHIPPED_MODEL), SHIPPED_MODEL / "controlnet-canny")
    pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config)
    picture = pipe(
        PROMPT,
        image=canny.map_of(reference, SIDE, SIDE),
        num_inference_steps=STEPS,
        guidance_scale=3.0,
        generator=torch.Generator().manual_seed(11),
        width=SIDE,
        height=SIDE,
        controlnet_conditioning_scale=WEIGHT,
        control_guidance_end=END,
    ).images[0]
    return np.asarray(picture, np.int16)


def test_a_recipe_with_edges_paints_what_the_stock_pipeline_paints(
    reference: Image.Image, tmp_path: Path
) -> None:
    picture = _own(tmp_path, reference)
    pixels = np.asarray(Image.open(io.BytesIO(picture.png)), np.int16)
    assert np.abs(pixels - _stock(reference)).max() <= 1
    assert picture.reproduction.aids, "the class names the ControlNet's weights, not its kind"
