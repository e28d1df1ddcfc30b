"""How far the engine's pictures are from stock diffusers, sampler by sampler, on the shipped model.

All samplers fly at once, so that they share batches as in production; the stock pipeline then makes
the same pictures one by one. `python -m tests.benchmarks.engine_parts.samplers` prints the figures.
"""

import argparse
import io
import json
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

from brand.spec import RenderRequest, RenderSpec
from generation.engine.engine import EngineOptions, InFlightEngine
from generation.engine.library.loader import quiet_libraries
from generation.engine.sampling.samplers import samplers_for
from tests.benchmarks.engine_parts.flying import Files
from tests.benchmarks.engine_parts.models import place_model
from tests.benchmarks.engine_parts.stock import Stock

STEPS = 20
SIDE = 128
GUIDANCE = 5.0
MODEL = "demo"
NO_INPUTS = Files(None)


def max_pixel_diff(*, threads: int = 1, steps: int = STEPS) -> Mapping[str, int]:
    """The largest difference of a channel (of 255), for every sampler that the model takes."""
    with tempfile.TemporaryDirectory(prefix="housestyle-samplers-") as folder:
        place = place_model(MODEL, Path(folder) / "models")
        stock = Stock(place, threads)
        recipes = {name: _recipe(name, steps) for name in samplers_for(stock.config)}
        ours = _flown(Path(folder), recipes, threads)
        return {
            name: _most_apart(ours[name], stock.render(recipe)) for name, recipe in recipes.items()
        }


def _recipe(sampler: str, steps: int) -> RenderSpec:
    return RenderSpec(
        prompt="a red mug on a wooden table",
        negative="blurry",
        model=MODEL,
        seed=20,
        width=SIDE,
        height=SIDE,
        steps=steps,
        guidance=GUIDANCE,
        sampler=sampler,
    )


def _flown(folder: Path, recipes: Mapping[str, RenderSpec], threads: int) -> dict[str, bytes]:
    options = EngineOptions(
        shipped=folder / "none",
        state_dir=folder / "state",
        models_dir=folder / "models",
        warm=MODEL,
        device="cpu",
        threads=threads,
    )
    engine = InFlightEngine(options)
    engine.load()

    def png(name: str) -> bytes:
        request = RenderRequest(render_id=name, brand="b", spec=recipes[name])
        return engine.render(request, NO_INPUTS, lambda _: None, lambda: False).png

    with ThreadPoolExecutor(engine.slots) as pool:
        return dict(zip(recipes, pool.map(png, recipes), strict=True))


def _most_apart(one: bytes, other: bytes) -> int:
    pixels = [np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), int) for png in (one, other)]
    return int(np.abs(pixels[0] - pixels[1]).max())


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=STEPS)
    chosen = parser.parse_args()
    quiet_libraries()
    found = max_pixel_diff(threads=chosen.threads, steps=chosen.steps)
    print(json.dumps({"steps": chosen.steps, "side": SIDE, "max_pixel_diff": found}))


if __name__ == "__main__":
    main()
