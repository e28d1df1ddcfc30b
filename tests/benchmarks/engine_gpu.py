"""The engine on a GPU with the SDXL layout: `python -m tests.benchmarks.engine_gpu`.

Random weights, bfloat16, 1024², 30 steps with guidance. Everything is compared with stock diffusers
in eager mode, one picture after the other, in the same run. Prints one JSON object:

- `stock_per_s`: pictures a second of stock diffusers, eager, one by one: the baseline.
- `eager_one_by_one_per_s`, `eager_batched_per_s`, `compiled_batched_per_s`: the engine's, and each
  with `_ratio` over the baseline.
- `mixed_steps_share`: rows a second of 8-, 20- and 30-step requests together, over uniform ones.
- `lora_slowdown`: rows a second without LoRAs over those with eight LoRAs mixed, minus 1.
- `busy_share`: of the time under load, in which the device was inside the model (device events).
- `service_overhead_share`: what HTTP, PNG and writing the file add to the time under load.

Without a GPU it measures nothing and says so. `--tiny` runs the same code with a tiny model on
whatever device there is, and names the parts that ran, without figures.
"""

import argparse
import asyncio
import gc
import hashlib
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from diffusers import StableDiffusionXLPipeline

from brand.spec import LoraUse, Picture, RenderSpec
from generation.engine.engine import EngineOptions, InFlightEngine
from generation.engine.library.loader import quiet_libraries
from generation.engines import EngineUnusable
from tests.benchmarks.engine_parts.flying import AsLoaded, fly
from tests.benchmarks.engine_parts.sdxl import write_sdxl
from tests.benchmarks.engine_parts.small_costs import write_lora
from tests.benchmarks.engine_parts.traffic import Arrival, asked
from tests.fakes.generation_service import running_service, unix_settings
from tests.fakes.stock_samplers import stock_scheduler

MODEL = "sdxl"
LORAS = 8
MIXED_STEPS = (8, 20, 30)
Figures = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How much is rendered."""

    side: int = 1024
    steps: int = 30
    batch: int = 24
    """Requests in the air in each run of the batched parts."""
    alone: int = 3
    """Pictures of the one-by-one parts."""
    runs: int = 3
    compiled_rows: int = 0
    """In one call of the compiled model; each row bucket is compiled apart. 0: no bound."""


TINY = Scale(side=64, steps=3, batch=4, alone=1, runs=1, compiled_rows=2)


class Rig:
    """One model on disk, and what the parts need to render with it."""

    def __init__(self, folder: Path, scale: Scale, device: torch.device) -> None:
        self.folder, self.scale, self.device = folder, scale, device
        self.place = folder / "models" / MODEL

    def engine(self, **options: Any) -> InFlightEngine:
        """A loaded engine; its profile for this size is taken before it is handed out."""
        engine = InFlightEngine(
            EngineOptions(
                shipped=self.folder / "none",
                state_dir=self.folder / "state",
                models_dir=self.folder / "models",
                warm=MODEL,
                device=self.device.type,
                **options,
            )
        )
        engine.load()
        fly(engine, self.arrivals("warm", self.scale.batch))
        return engine

    def spec(self, number: int, **changes: Any) -> RenderSpec:
        """One recipe; the numbers differ in their seed alone."""
        plain = RenderSpec(
            prompt=f"a red mug on a wooden table, number {number}",
            negative="blurry",
            model=MODEL,
            seed=number,
            width=self.scale.side,
            height=self.scale.side,
            steps=self.scale.steps,
            guidance=5.0,
            sampler="euler",
        )
        return replace(plain, **changes)

    def arrivals(self, name: str, count: int) -> list[Arrival]:
        """So many requests at once."""
        return [Arrival(request=asked(f"{name}-{n}", self.spec(n))) for n in range(count)]


def main() -> None:
    """Measure, or say that there is nothing to measure with."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tiny", action="store_true", help="only see that everything runs")
    chosen = parser.parse_args()
    if not torch.cuda.is_available() and not chosen.tiny:
        print(json.dumps({"not_measured": "no device"}))
        return
    quiet_libraries()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    with tempfile.TemporaryDirectory(prefix="housestyle-gpu-") as folder:
        figures = measure(Path(folder), TINY if chosen.tiny else Scale(), device)
    if chosen.tiny:
        figures = {"device": device.type, "ran": sorted(figures)}
    print(json.dumps(figures))


def measure(folder: Path, scale: Scale, device: torch.device) -> Figures:
    """All parts, one after another."""
    rig = Rig(folder, scale, device)
    _say("writing the model")
    write_sdxl(rig.place, tiny=scale is TINY, device=device)
    figures: Figures = {
        "device": torch.cuda.get_device_name() if device.type == "cuda" else "cpu",
        "torch": torch.__version__,
        "size": scale.side,
        "steps": scale.steps,
    }
    figures |= _stock(rig)
    engine = rig.engine()
    for part in (_one_by_one, _batched, _mixed_steps, _loras, _service):
        _say(part.__name__.strip("_").replace("_", " "))
        figures |= part(rig, engine)
    del engine
    _tidy()
    _say("compiled")
    figures |= _compiled(rig)
    for key in ("eager_one_by_one", "eager_batched", "compiled_batched"):
        if f"{key}_per_s" in figures:
            figures[f"{key}_ratio"] = figures[f"{key}_per_s"] / figures["stock_per_s"]
    return {k: round(v, 4) if isinstance(v, float) else v for k, v in figures.items()}


def _stock(rig: Rig) -> Figures:
    _say("stock")
    pipe = StableDiffusionXLPipeline.from_pretrained(
        rig.place, dtype=_dtype(rig), local_files_only=True, add_watermarker=False
    ).to(rig.device)
    pipe.set_progress_bar_config(disable=True)
    config = pipe.scheduler.config

    def render(number: int) -> None:
        spec = rig.spec(number)
        pipe.scheduler = stock_scheduler(spec.sampler, config)
        pipe(
            spec.prompt,
            negative_prompt=spec.negative,
            width=spec.width,
            height=spec.height,
            num_inference_steps=spec.steps,
            guidance_scale=spec.guidance,
            generator=torch.Generator("cpu").manual_seed(spec.seed),
        )

    render(0)
    seconds = [_timed(lambda n=n: render(n)) for n in range(rig.scale.alone)]
    _tidy()
    return {"stock_per_s": 1 / statistics.median(seconds)}


def _one_by_one(rig: Rig, engine: InFlightEngine) -> Figures:
    seconds = [max(fly(engine, [arrival])) for arrival in rig.arrivals("lone", rig.scale.alone)]
    return {"eager_one_by_one_per_s": 1 / statistics.median(seconds)}


def _batched(rig: Rig, engine: InFlightEngine) -> Figures:
    before = engine.standing().counters
    rate = _rate(rig, engine, rig.arrivals("batched", rig.scale.batch))
    after = engine.standing().counters
    busy = (after.model_s - before.model_s) / (after.working_s - before.working_s)
    return {"eager_batched_per_s": rate, "busy_share": busy}


def _compiled(rig: Rig) -> Figures:
    try:
        engine = rig.engine(compiles=True, max_rows=rig.scale.compiled_rows)
    except EngineUnusable as exc:  # e.g. no compiler on this machine
        return {"not_compiled": str(exc)}
    rate = _rate(rig, engine, rig.arrivals("compiled", rig.scale.batch))
    return {"compiled_batched_per_s": rate}


def _mixed_steps(rig: Rig, engine: InFlightEngine) -> Figures:
    count = rig.scale.batch

    def rows_per_s(steps: Sequence[int]) -> float:
        arrivals = [
            Arrival(request=asked(f"m{n}", rig.spec(n, steps=steps[n % len(steps)])))
            for n in range(count)
        ]
        return _rows_rate(rig, engine, arrivals)

    return {"mixed_steps_share": rows_per_s(MIXED_STEPS) / rows_per_s((rig.scale.steps,))}


def _loras(rig: Rig, engine: InFlightEngine) -> Figures:
    files = rig.folder / "loras"
    files.mkdir(exist_ok=True)
    uses = [LoraUse(sha256=write_lora(rig.place, files, seed), weight=0.8) for seed in range(LORAS)]
    count = rig.scale.batch
    plain = [Arrival(request=asked(f"p{n}", rig.spec(n))) for n in range(count)]
    mixed = [
        Arrival(request=asked(f"l{n}", rig.spec(n, loras=(uses[n % LORAS],)))) for n in range(count)
    ]
    without = _rows_rate(rig, engine, plain)
    return {"lora_slowdown": without / _rows_rate(rig, engine, mixed, files=files) - 1}


def _service(rig: Rig, engine: InFlightEngine) -> Figures:
    """The same requests inside the process, and through the service's own HTTP onto the disk."""
    arrivals = rig.arrivals("service", rig.scale.batch)
    inside, outside = [], []
    for run in range(rig.scale.runs):
        inside.append(max(fly(engine, arrivals)))
        outside.append(asyncio.run(_over_http(rig, engine, arrivals, run)))
    return {"service_overhead_share": 1 - statistics.median(inside) / statistics.median(outside)}


async def _over_http(
    rig: Rig, engine: InFlightEngine, arrivals: Sequence[Arrival], run: int
) -> float:
    folder = rig.folder / f"http-{run}"
    archive = folder / "archive"
    archive.mkdir(parents=True)
    async with (
        running_service(AsLoaded(engine), unix_settings(folder)) as running,
        running.client() as client,
    ):

        async def one(arrival: Arrival) -> None:
            async for event in client.render(arrival.request):
                if isinstance(event, Picture):
                    name = hashlib.sha256(event.png).hexdigest()
                    await asyncio.to_thread((archive / name).write_bytes, event.png)

        began = time.perf_counter()
        await asyncio.gather(*(one(arrival) for arrival in arrivals))
        return time.perf_counter() - began


def _rate(rig: Rig, engine: InFlightEngine, arrivals: Sequence[Arrival]) -> float:
    """Pictures a second, as the median of the runs."""
    return statistics.median(
        len(arrivals) / max(fly(engine, arrivals)) for _ in range(rig.scale.runs)
    )


def _rows_rate(
    rig: Rig,
    engine: InFlightEngine,
    arrivals: Sequence[Arrival],
    *,
    files: Path | None = None,
) -> float:
    """Rows a second while there was something to do."""
    rates = []
    for _ in range(rig.scale.runs):
        before = engine.standing().counters
        fly(engine, arrivals, files=files)
        after = engine.standing().counters
        rates.append((after.rows - before.rows) / (after.working_s - before.working_s))
    return statistics.median(rates)


def _timed(work: Callable[[], object]) -> float:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    began = time.perf_counter()
    work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - began


def _tidy() -> None:
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _dtype(rig: Rig) -> torch.dtype:
    return torch.bfloat16 if rig.device.type == "cuda" else torch.float32


def _say(text: str) -> None:
    print(f"· {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
