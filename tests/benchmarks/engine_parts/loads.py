"""Throughput, waiting and fairness under load: the engine against stock diffusers, paired."""

import random
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from brand.spec import RenderSpec
from generation.engines import Engine
from tests.benchmarks.engine_parts.apart import StockApart
from tests.benchmarks.engine_parts.flying import fly
from tests.benchmarks.engine_parts.traffic import (
    Arrival,
    asked,
    at_once,
    poisson,
    recipe,
    urgent_among,
)

OVERLOAD = 1.4
LATENT_PIXELS = 8
SMALL = 16
MIXED_LATENTS = (16, 20, 24)
IDLE_REQUESTS = 6


@dataclass(frozen=True, kw_only=True)
class Bench:
    """The two sides, and how often each pair is run."""

    engine: Engine
    stock: StockApart
    model: str
    pixels_per_latent: int = LATENT_PIXELS
    runs: int = 5
    requests: int = 60

    def side(self, latents: int) -> int:
        """Pixels of a picture of so many latents each way."""
        return latents * self.pixels_per_latent


def closed(bench: Bench, latents: int) -> tuple[float, float]:
    """(throughput ratio, stock's pictures a second) of a queue that is full from the start."""
    ratios, rates = [], []
    count = bench.requests * SMALL // max(SMALL, latents)
    for run in range(bench.runs):
        arrivals = at_once(count, bench.model, bench.side(latents), seed=run)
        ours, theirs = _paired(
            run, lambda a=arrivals: fly(bench.engine, a), lambda a=arrivals: bench.stock.serve(a)
        )
        ratios.append(max(theirs) / max(ours))
        rates.append(count / max(theirs))
    return statistics.median(ratios), statistics.median(rates)


def opened(bench: Bench, latents: int) -> dict[str, float]:
    """Mean and p95 of the waiting, ours to stock's, with arrivals faster than stock can serve.

    What stock can serve is found with the very requests of a pair, right before it: recipes differ
    in work, and a machine changes its pace.
    """
    means, tails = [], []
    for run in range(bench.runs):
        requests = at_once(bench.requests, bench.model, bench.side(latents), seed=100 + run)
        served_in = max(bench.stock.serve(requests))
        arrivals = poisson(requests, over=served_in / OVERLOAD, seed=run)
        ours, theirs = _paired(
            run, lambda a=arrivals: fly(bench.engine, a), lambda a=arrivals: bench.stock.serve(a)
        )
        means.append(statistics.fmean(ours) / statistics.fmean(theirs))
        tails.append(_p95(ours) / _p95(theirs))
    return {
        "open_mean_ratio": statistics.median(means),
        "open_p95_ratio": statistics.median(tails),
    }


def urgent(bench: Bench, latents: int, rate: float) -> dict[str, float]:
    """p95 of urgent requests that come into a full queue.

    The second figure compares with a stock queue that lets urgent ones go first, between pictures.
    """
    to_plain, to_sorted = [], []
    count = bench.requests // 5
    for run in range(bench.runs):
        arrivals = urgent_among(
            bench.requests,
            count,
            bench.model,
            bench.side(latents),
            over=bench.requests / rate / 3,
            seed=200 + run,
        )
        ours, theirs = _paired(
            run, lambda a=arrivals: fly(bench.engine, a), lambda a=arrivals: bench.stock.serve(a)
        )
        ordered = bench.stock.serve(arrivals, by_priority=True)
        to_plain.append(_p95(_urgent(arrivals, ours)) / _p95(_urgent(arrivals, theirs)))
        to_sorted.append(_p95(_urgent(arrivals, ours)) / _p95(_urgent(arrivals, ordered)))
    return {
        "priority_p95_ratio": statistics.median(to_plain),
        "priority_p95_ratio_to_stock_with_priorities": statistics.median(to_sorted),
    }


def idle(bench: Bench, latents: int) -> float:
    """The waiting of a request that is alone, ours to stock's: the same recipe, in turns."""
    ratios = []
    for run in range(bench.runs):
        spec = _guided(bench, latents, run)
        ours, theirs = [], []
        for number in range(IDLE_REQUESTS):
            lone = [Arrival(request=asked(f"idle-{run}-{number}", spec))]
            mine, stocks = _paired(
                number, lambda a=lone: fly(bench.engine, a), lambda a=lone: bench.stock.serve(a)
            )
            ours += mine
            theirs += stocks
        ratios.append(statistics.median(ours) / statistics.median(theirs))
    return statistics.median(ratios)


def mixed_shapes(bench: Bench) -> float:
    """Three sizes at once against the same requests size by size: 1 is no loss."""
    ratios = []
    each = bench.requests // len(MIXED_LATENTS)
    for run in range(bench.runs):
        by_size = [
            at_once(each, bench.model, bench.side(latents), seed=300 + run)
            for latents in MIXED_LATENTS
        ]
        apart = sum(max(fly(bench.engine, arrivals)) for arrivals in by_size)
        together = [arrival for arrivals in by_size for arrival in arrivals]
        random.Random(run).shuffle(together)
        ratios.append(apart / max(fly(bench.engine, together)))
    return statistics.median(ratios)


def _guided(bench: Bench, latents: int, seed: int) -> RenderSpec:
    """Like everyone's recipe, with guidance: two rows, as stock diffusers batches them too."""
    rng = random.Random(400 + seed)
    while True:
        spec = recipe(rng, bench.model, bench.side(latents))
        if spec.guidance > 1:
            return spec


def _paired(
    number: int, ours: Callable[[], list[float]], theirs: Callable[[], list[float]]
) -> tuple[list[float], list[float]]:
    """Both, each first every other time, so that a machine that warms up favours neither."""
    if number % 2:
        stocks = theirs()
        return ours(), stocks
    mine = ours()
    return mine, theirs()


def _urgent(arrivals: Sequence[Arrival], waits: Sequence[float]) -> list[float]:
    return [w for a, w in zip(arrivals, waits, strict=True) if a.request.priority]


def _p95(values: Sequence[float]) -> float:
    return float(np.percentile(values, 95))


def timed(work: Callable[[], object], *, at_least_s: float = 0.5) -> float:
    """Median seconds of one call, over as many calls as fill the time."""
    work()
    seconds: list[float] = []
    began = time.perf_counter()
    while time.perf_counter() - began < at_least_s or len(seconds) < 5:
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)
