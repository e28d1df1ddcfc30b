"""What the engine gains, and what it costs: `python -m tests.benchmarks.engine`.

Every ratio compares the engine with the same model in stock diffusers' pipeline, which renders one
request after the other in a process of its own; in turns, as the median of `--runs` pairs. Both
make PNG files. The engine runs as in production: its own profile, its row buckets padded, behind
the service's queue.
Prints one JSON object; progress goes to standard error.

- `closed_throughput_ratio_16`, `_32`: pictures a second from a full queue, at 16² and 32² latents.
- `open_mean_ratio`, `open_p95_ratio`: waiting when requests come 1.4 times as fast as stock serves.
- `priority_p95_ratio`: waiting of urgent requests that come into a full queue.
- `idle_latency_ratio`: waiting of a request that is alone.
- `lora_mix_ratio`: four LoRAs in one batch against a call for each.
- `mixed_shape_ratio`: three sizes at once against the same requests size by size.
- `eta_median_error`: of the time left that a request is told after three steps in a full queue.
- `overhead_share`: of the loop's time, outside the models. `preview_share`: of a step.
- `cache_speedup`: a stored picture for an identical recipe against rendering it.
- `mixes`, `bit_equal_share`: random mixes, and the share of requests with the bits they have alone.
- `max_pixel_diff`: per sampler, the largest difference of a channel from the stock pipeline.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from generation.engine.engine import EngineOptions, InFlightEngine
from generation.engine.library.loader import quiet_libraries
from generation.host_memory import keep_freed_memory
from tests.benchmarks.engine_parts import loads
from tests.benchmarks.engine_parts.apart import StockApart
from tests.benchmarks.engine_parts.cache import cache_speedup
from tests.benchmarks.engine_parts.etas import eta_error
from tests.benchmarks.engine_parts.flying import fly
from tests.benchmarks.engine_parts.loads import Bench
from tests.benchmarks.engine_parts.mixes import bit_equal_mixes
from tests.benchmarks.engine_parts.models import facts, place_model
from tests.benchmarks.engine_parts.samplers import max_pixel_diff
from tests.benchmarks.engine_parts.small_costs import alone, lora_mix, preview_share
from tests.benchmarks.engine_parts.traffic import at_once

SMALL, LARGE = 16, 32
MIXES = 200
Figures = dict[str, Any]


def main() -> None:
    """Measure what was asked for and print JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", choices=("demo", "small"), default="demo")
    parser.add_argument(
        "--threads", type=int, default=len(os.sched_getaffinity(0)), help="of both sides"
    )
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--requests", type=int, default=60)
    parser.add_argument("--mixes", type=int, default=MIXES)
    parser.add_argument("--only", help="parts with commas between: " + ", ".join(_PARTS))
    chosen = parser.parse_args()
    quiet_libraries()
    keep_freed_memory()  # as the service does; stock's process is as diffusers leaves it
    wanted = chosen.only.split(",") if chosen.only else list(_PARTS)
    with (
        tempfile.TemporaryDirectory(prefix="housestyle-engine-") as folder,
        _bench(chosen, Path(folder)) as (bench, place),
    ):
        figures: Figures = {
            "model": facts(place),
            "latents": [SMALL, LARGE],
            "threads": chosen.threads,
            "runs": chosen.runs,
            "requests": chosen.requests,
            "torch": torch.__version__,
        }
        for name in wanted:
            print(f"· {name}", file=sys.stderr, flush=True)
            found = {k: _short(v) for k, v in _PARTS[name](bench, place, chosen).items()}
            print(f"  {json.dumps(found)}", file=sys.stderr, flush=True)
            figures |= found
    print(json.dumps(figures))


@contextmanager
def _bench(chosen: argparse.Namespace, folder: Path) -> Iterator[tuple[Bench, Path]]:
    place = place_model(chosen.model, folder / "models")
    engine = InFlightEngine(
        EngineOptions(
            shipped=folder / "none",
            state_dir=folder / "state",
            models_dir=folder / "models",
            warm=chosen.model,
            device="cpu",
            threads=chosen.threads,
        )
    )
    engine.load()
    with StockApart(place, chosen.threads) as stock:
        bench = Bench(
            engine=engine,
            stock=stock,
            model=chosen.model,
            runs=chosen.runs,
            requests=chosen.requests,
        )
        for latents in (SMALL, *loads.MIXED_LATENTS, LARGE):  # profiles are taken once and kept
            arrivals = at_once(2, chosen.model, bench.side(latents), seed=9)
            fly(engine, arrivals)
            stock.serve(arrivals)
        yield bench, place


def _closed(bench: Bench, _place: Path, _chosen: argparse.Namespace) -> Figures:
    found: Figures = {}
    for latents in (SMALL, LARGE):
        before = bench.engine.standing().counters
        ratio, rate = loads.closed(bench, latents)
        after = bench.engine.standing().counters
        found[f"closed_throughput_ratio_{latents}"] = ratio
        found[f"stock_pictures_per_s_{latents}"] = rate
        working = after.working_s - before.working_s
        outside = 1 - (after.model_s - before.model_s) / working
        found.setdefault("overhead_share", outside)  # of the smaller size, where it weighs most
    return found


def _open(bench: Bench, _place: Path, _chosen: argparse.Namespace) -> Figures:
    return loads.opened(bench, SMALL)


def _urgent(bench: Bench, _place: Path, _chosen: argparse.Namespace) -> Figures:
    return loads.urgent(bench, SMALL, _stock_rate(bench))


def _stock_rate(bench: Bench) -> float:
    """Pictures a second that stock makes now: the machine may have changed its pace meanwhile."""
    arrivals = at_once(20, bench.model, bench.side(SMALL), seed=500)
    return len(arrivals) / max(bench.stock.serve(arrivals))


def _idle(bench: Bench, _place: Path, _chosen: argparse.Namespace) -> Figures:
    return {"idle_latency_ratio": loads.idle(bench, SMALL)}


def _shapes(bench: Bench, _place: Path, _chosen: argparse.Namespace) -> Figures:
    return {"mixed_shape_ratio": loads.mixed_shapes(bench)}


def _etas(bench: Bench, _place: Path, _chosen: argparse.Namespace) -> Figures:
    arrivals = at_once(bench.requests, bench.model, bench.side(SMALL), seed=600)
    return {"eta_median_error": eta_error(bench.engine, arrivals)}


def _costs(bench: Bench, place: Path, chosen: argparse.Namespace) -> Figures:
    model = alone(place, chosen.threads)
    with tempfile.TemporaryDirectory(prefix="housestyle-loras-") as folder:
        return {
            "lora_mix_ratio": lora_mix(model, SMALL, Path(folder), runs=bench.runs),
            "preview_share": preview_share(model, SMALL, runs=bench.runs),
        }


def _cache(_bench: Bench, _place: Path, _chosen: argparse.Namespace) -> Figures:
    return {"cache_speedup": asyncio.run(cache_speedup())}


def _mixes(_bench: Bench, _place: Path, chosen: argparse.Namespace) -> Figures:
    share = bit_equal_mixes(chosen.mixes)
    return {"mixes": chosen.mixes, "bit_equal_share": share}


def _samplers(_bench: Bench, _place: Path, _chosen: argparse.Namespace) -> Figures:
    return {"max_pixel_diff": max_pixel_diff()}


_PARTS: dict[str, Callable[[Bench, Path, argparse.Namespace], Figures]] = {
    "closed": _closed,
    "open": _open,
    "priority": _urgent,
    "idle": _idle,
    "shapes": _shapes,
    "eta": _etas,
    "costs": _costs,
    "cache": _cache,
    "mixes": _mixes,
    "samplers": _samplers,
}


def _short(value: Any) -> Any:  # noqa: ANN401  # JSON
    return round(value, 4) if isinstance(value, float) else value


if __name__ == "__main__":
    main()
