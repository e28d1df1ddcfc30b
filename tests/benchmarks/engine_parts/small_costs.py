"""What should be small beside the model: LoRAs that differ by row, and previews."""

import hashlib
import statistics
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from diffusers import UNet2DConditionModel

from brand.spec import LoraUse
from generation.engine.device import choose_device, compute_with
from generation.engine.library.catalogue import find_models
from generation.engine.library.loaded import LoadedModel, read_model
from generation.engine.lora.bank import LoraBank
from generation.engine.sampling.courses import Course
from generation.engine.sampling.steppers import Start, new_stepper
from tests.benchmarks.engine_parts.flying import Files
from tests.benchmarks.engine_parts.loads import timed
from tests.unit.generation.lora_files import Tensors, safetensors

LORAS = 4
RANK = 16
PREVIEW_EVERY = 4
_ATTENTION = ("to_q", "to_k", "to_v", "to_out.0")


def alone(folder: Path, threads: int) -> LoadedModel:
    """The model without an engine around it."""
    device = choose_device("cpu", "auto", threads)
    source = find_models(folder.parent, folder.parent / "none")[folder.name]
    model = read_model(source, "0" * 64, device)
    compute_with(model.threads)
    return model


def lora_mix(model: LoadedModel, latents: int, folder: Path, *, runs: int) -> float:
    """Four LoRAs in one call of eight rows, against a call of two rows for each of them."""
    bank = LoraBank(model.pipe)
    model.denoiser.loras = bank
    place = model.source.path
    uses = [LoraUse(sha256=write_lora(place, folder, seed), weight=0.8) for seed in range(LORAS)]
    signature = model.signature(latents * 8, latents * 8)
    with bank.using(uses, Files(folder)) as held, torch.inference_mode():
        plain = model.denoiser.sample_rows(signature, 2 * LORAS, seed=1)
        rows = [replace(row, loras=(held[number // 2],)) for number, row in enumerate(plain)]
        pairs = [rows[at : at + 2] for at in range(0, len(rows), 2)]

        def together() -> None:
            model.denoiser.predict(signature, rows, len(rows))

        def apart() -> None:
            for pair in pairs:
                model.denoiser.predict(signature, pair, 2)

        return statistics.median(timed(apart) / timed(together) for _ in range(runs))


def preview_share(model: LoadedModel, latents: int, *, runs: int) -> float:
    """What a preview costs the step loop's processor, spread over the steps between two of them.

    The guess is made by the loop; the linear map and the JPEG by a pool beside it. All of it
    counts here, against one call with two rows.
    """
    signature = model.signature(latents * 8, latents * 8)
    course = Course(sampler="euler", config=model.scheduler_config, steps=8)
    generator = torch.Generator("cpu").manual_seed(0)
    shape = (model.codec.latent_channels, latents, latents)
    stepper = new_stepper(
        course, Start(generator=generator, device=torch.device("cpu"), shape=shape)
    )
    with torch.inference_mode():
        rows = model.denoiser.sample_rows(signature, 2, seed=1)
        stepper.question()
        stepper.answer(torch.randn(shape, generator=generator))

        def call() -> None:
            model.denoiser.predict(signature, rows, 2)

        def loop_side() -> None:
            model.preview_map.picture(stepper.guess().detach().clone()[None])

        share = statistics.median(timed(loop_side) / timed(call) for _ in range(runs))
    return share / PREVIEW_EVERY


def write_lora(place: Path, folder: Path, seed: int) -> str:
    """A LoRA on every attention of the model's UNet, as training tools write it; its hash."""
    rng = np.random.default_rng(seed)
    tensors: Tensors = {}
    for name, (inner, outer) in _attentions(place).items():
        for side, shape in (("lora_A", (RANK, inner)), ("lora_B", (outer, RANK))):
            values = rng.normal(0, 0.02, shape).astype(np.float32)
            tensors[f"unet.{name}.{side}.weight"] = values
    data = safetensors(tensors)
    sha256 = hashlib.sha256(data).hexdigest()
    (folder / sha256).write_bytes(data)
    return sha256


def _attentions(place: Path) -> dict[str, tuple[int, int]]:
    """(inputs, outputs) of each layer, from the configuration alone."""
    with torch.device("meta"):
        unet = UNet2DConditionModel.from_config(UNet2DConditionModel.load_config(place / "unet"))
    return {
        name: (module.in_features, module.out_features)
        for name, module in unet.named_modules()
        if isinstance(module, torch.nn.Linear) and name.endswith(_ATTENTION)
    }
