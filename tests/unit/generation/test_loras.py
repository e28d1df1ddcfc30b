"""LoRAs act exactly as in the stock pipeline, leave no trace, and are refused when unsound."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from brand.spec import InputMissing, LoraRefused, LoraUse, RenderFailed, sha256_hex
from generation.engines import Engine
from tests.unit.generation.lora_files import (
    BY_KOHYA,
    ON_BOTH,
    ON_UNET,
    SDXL_UNET,
    TEXT,
    UNET,
    UNSOUND,
    peft_lora,
    safetensors,
)
from tests.unit.generation.rendering import (
    STEPS,
    Folder,
    image_of,
    largest_difference,
    rendered,
    stock_pipeline,
    tiny,
)

pytestmark = [pytest.mark.model, pytest.mark.filterwarnings("ignore")]

ALPHA = {"unet.r": 4, "unet.lora_alpha": 16, "unet.target_modules": ["to_k"]}


@pytest.fixture
def inputs(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def with_lora(engine: Engine, inputs: Folder, *files: bytes, weight: float = 1.0) -> bytes:
    """The picture with these LoRAs."""
    uses = tuple(LoraUse(sha256=inputs.put(data), weight=weight) for data in files)
    return rendered(engine, tiny(loras=uses), inputs=inputs).png


def stock(
    models: Path, folder: Path, file: bytes, weight: float, layout: str = "sd1"
) -> Image.Image:
    """What diffusers alone draws with this LoRA."""
    import diffusers
    import torch

    pipe = stock_pipeline(models, layout)
    pipe.scheduler = diffusers.DPMSolverMultistepScheduler.from_config(
        pipe.scheduler.config, use_karras_sigmas=True
    )
    (folder / "lora.safetensors").write_bytes(file)
    pipe.load_lora_weights(folder, weight_name="lora.safetensors", adapter_name="it")
    pipe.set_adapters(["it"], [weight])
    generator = torch.Generator("cpu").manual_seed(5)
    drawn: Image.Image = pipe(
        "a red mug",
        guidance_scale=7.5,
        num_inference_steps=STEPS,
        width=64,
        height=64,
        generator=generator,
    ).images[0]
    return drawn


@pytest.mark.parametrize(
    ("file", "weight"),
    [
        (safetensors(ON_BOTH), 1.0),
        (safetensors(ON_BOTH), -0.5),
        (safetensors(BY_KOHYA), 0.7),
        (safetensors(ON_UNET, {"lora_adapter_metadata": json.dumps(ALPHA)}), 1.0),
    ],
    ids=["both", "negative", "kohya", "alpha"],
)
def test_the_picture_is_the_stock_pipelines_own(
    engine: Engine, inputs: Folder, tiny_models: Path, tmp_path: Path, file: bytes, weight: float
) -> None:
    use = LoraUse(sha256=inputs.put(file), weight=weight)
    mine = image_of(rendered(engine, tiny(loras=(use,)), inputs=inputs))
    assert largest_difference(mine, stock(tiny_models, tmp_path, file, weight)) <= 1


def test_a_lora_fits_the_sdxl_layout_with_both_text_encoders(
    engine: Engine, inputs: Folder, tiny_models: Path, tmp_path: Path
) -> None:
    tensors = peft_lora(f"unet.{SDXL_UNET}", size=64)
    tensors |= peft_lora(f"text_encoder.{TEXT}", seed=3)
    tensors |= peft_lora(f"text_encoder_2.{TEXT}", seed=4, size=48)
    file = safetensors(tensors)
    use = LoraUse(sha256=inputs.put(file), weight=0.8)
    mine = rendered(engine, tiny(model="sdxl", loras=(use,)), inputs=inputs)
    alone = stock(tiny_models, tmp_path, file, 0.8, "sdxl")
    assert largest_difference(image_of(mine), alone) <= 1


def test_weight_and_lora_change_the_picture_and_weight_zero_does_not(
    engine: Engine, inputs: Folder
) -> None:
    both, unet = safetensors(ON_BOTH), safetensors(ON_UNET)
    plain = rendered(engine, tiny()).png
    made = [
        with_lora(engine, inputs, both),
        with_lora(engine, inputs, both, weight=0.5),
        with_lora(engine, inputs, unet),
        with_lora(engine, inputs, both, unet),
    ]
    assert len({plain, *made}) == 5
    assert with_lora(engine, inputs, both, weight=0) == plain


def test_a_lora_leaves_no_trace_in_the_next_picture(engine: Engine, inputs: Folder) -> None:
    plain = rendered(engine, tiny()).png
    alone = with_lora(engine, inputs, safetensors(ON_UNET))
    with_lora(engine, inputs, safetensors(ON_BOTH))
    assert rendered(engine, tiny()).png == plain
    assert with_lora(engine, inputs, safetensors(ON_UNET)) == alone
    assert rendered(engine, tiny()).png == plain


@pytest.mark.parametrize("kind", UNSOUND)
def test_an_unsound_lora_is_refused_and_the_model_stays_as_it_was(
    engine: Engine, inputs: Folder, kind: str
) -> None:
    plain = rendered(engine, tiny()).png
    with pytest.raises(LoraRefused):
        with_lora(engine, inputs, UNSOUND[kind]())
    assert rendered(engine, tiny()).png == plain
    assert with_lora(engine, inputs, safetensors(ON_UNET)) != plain


def test_a_file_that_changed_on_disk_is_refused(engine: Engine, inputs: Folder) -> None:
    sha256 = inputs.put(safetensors(peft_lora(f"unet.{UNET}", seed=99)))
    inputs.path(sha256).write_bytes(safetensors(ON_UNET))
    with pytest.raises(LoraRefused, match="has changed on disk"):
        rendered(engine, tiny(loras=(LoraUse(sha256=sha256),)), inputs=inputs)


def test_the_same_lora_twice_is_refused(engine: Engine, inputs: Folder) -> None:
    use = LoraUse(sha256=inputs.put(safetensors(ON_UNET)))
    with pytest.raises(LoraRefused, match="twice"):
        rendered(engine, tiny(loras=(use, use)), inputs=inputs)


def test_a_lora_that_is_not_here_is_missing(engine: Engine) -> None:
    class Empty(Folder):
        """Nothing was uploaded."""

        def path(self, sha256: str) -> Path:
            raise InputMissing(sha256)

    use = LoraUse(sha256=sha256_hex(b"not here"))
    with pytest.raises(InputMissing):
        rendered(engine, tiny(loras=(use,)), inputs=Empty(Path()))


@pytest.mark.deep
def test_two_thousand_mutated_loras_are_refused_or_draw_a_picture(
    engine: Engine, inputs: Folder
) -> None:
    rng = np.random.default_rng(0)
    sound = safetensors(ON_BOTH)
    plain = rendered(engine, tiny(steps=1)).png
    head = len(sound) - sum(tensor.nbytes for tensor in ON_BOTH.values())
    refused = 0
    for _ in range(2000):
        mutant = bytearray(sound)
        for _ in range(int(rng.integers(1, 4))):
            at = int(rng.integers(head if rng.random() < 0.8 else len(mutant)))
            mutant[at] = int(rng.integers(256))
        use = LoraUse(sha256=inputs.put(bytes(mutant)))
        try:
            rendered(engine, tiny(steps=1, loras=(use,)), inputs=inputs)
        except (LoraRefused, RenderFailed):
            refused += 1
    assert 1000 < refused < 2000
    assert rendered(engine, tiny(steps=1)).png == plain
