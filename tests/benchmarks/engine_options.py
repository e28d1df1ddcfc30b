"""What the engine's options cost and gain: `python -m tests.benchmarks.engine_options`.

For each of float32, bfloat16, int8, fp8 and compile: bytes of the denoiser, seconds of one call of
two rows (median) and the mean difference of a finished picture in steps of 1/255, all on the
shipped model. Prints JSON; --compile takes a minute and a C++ compiler.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from diffusers import EulerDiscreteScheduler

from generation.engine.denoisers.rows import RowDenoiser
from generation.engine.device import choose_device
from generation.engine.library.catalogue import find_models
from generation.engine.library.fleet import Fleet, LoadedModel
from generation.engine.library.loader import quiet_libraries
from generation.engine.library.weights import WeightsIndex
from generation.settings import SHIPPED_MODEL

PROMPT = "a red mug on a wooden table"
SIDE = 128
STEPS = 8
GUIDANCE = 5.0
CALLS = 15


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.engine_options")
    parser.add_argument("--compile", action="store_true", help="also torch.compile")
    given = parser.parse_args()
    quiet_libraries()
    options: dict[str, dict[str, object]] = {
        "float32": {},
        "bfloat16": {"dtype": "bfloat16"},
        "int8": {"quantize": "int8"},
        "fp8": {"quantize": "fp8"},
    }
    if given.compile:
        options["compile"] = {"compiles": True}
    plain: np.ndarray | None = None
    found: dict[str, object] = {}
    for name, chosen in options.items():
        figures, picture = _measured(**chosen)
        plain = picture if plain is None else plain
        difference = np.abs(picture.astype(int) - plain.astype(int)).mean()
        found[name] = figures | {"mean_pixel_difference": round(float(difference), 4)}
    sizes = {"model": "demo", "side": SIDE, "steps": STEPS, "rows": 2, "calls": CALLS}
    json.dump({"sizes": sizes, "options": found}, sys.stdout, indent=2)
    sys.stdout.write("\n")


def _measured(
    *, dtype: str = "float32", quantize: str = "none", compiles: bool = False
) -> tuple[dict[str, object], np.ndarray]:
    with tempfile.TemporaryDirectory() as folder:
        fleet = Fleet(
            sources=find_models(None, SHIPPED_MODEL),
            index=WeightsIndex(Path(folder, "weights.json")),
            device=choose_device("cpu", dtype, 1, quantize=quantize, compiles=compiles),
        )
        with fleet.use("demo") as model:
            picture = _picture(model)  # also warms it up
            figures = {
                "class": model.dtype,
                "bytes": _bytes(model.denoiser),
                "seconds_per_call": round(_seconds(model), 5),
            }
    return figures, picture


def _bytes(denoiser: RowDenoiser) -> int:
    module = denoiser.module
    return sum(tensor.nbytes for tensor in (*module.parameters(), *module.buffers()))


def _seconds(model: LoadedModel) -> float:
    signature = model.signature(SIDE, SIDE)
    rows = model.denoiser.sample_rows(signature, 2, 0)
    taken = []
    for _ in range(CALLS):
        begin = time.perf_counter()
        model.denoiser.predict(signature, rows, 2)
        taken.append(time.perf_counter() - begin)
    return statistics.median(taken)


def _picture(model: LoadedModel) -> np.ndarray:
    """A picture by the plainest loop there is: Euler with guidance."""
    from generation.engine.flights import Row

    encoded = model.prompts.encode(PROMPT, "", guidance=GUIDANCE, width=SIDE, height=SIDE)
    signature = model.signature(SIDE, SIDE, windows=encoded.windows)
    scheduler = EulerDiscreteScheduler.from_config(model.scheduler_config)
    scheduler.set_timesteps(STEPS)
    shape = (model.codec.latent_channels, signature.height, signature.width)
    latents = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    latents = latents * scheduler.init_noise_sigma
    for timestep in scheduler.timesteps:
        asked = scheduler.scale_model_input(latents, timestep)
        rows = [Row(latents=asked, timestep=float(timestep), terms=one) for one in encoded.terms]
        away, towards = model.denoiser.predict(signature, rows, 2)
        noise = away + GUIDANCE * (towards - away)
        latents = scheduler.step(noise, timestep, latents).prev_sample
    pixels = (model.codec.decode(latents) / 2 + 0.5).clamp(0, 1)
    values: np.ndarray = (pixels.permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
    return values


if __name__ == "__main__":
    main()
