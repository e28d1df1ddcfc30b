"""The baseline: the same model in diffusers' own pipeline, one request after the other."""

import time
from collections.abc import Sequence
from pathlib import Path

import torch
from diffusers import StableDiffusionPipeline

from brand.spec import RenderSpec
from generation.pixels import to_png
from tests.benchmarks.engine_parts.traffic import Arrival
from tests.fakes.stock_samplers import stock_scheduler


class Stock:
    """A stock pipeline that makes PNGs; `threads` of compute."""

    def __init__(self, folder: Path, threads: int) -> None:
        self._threads = threads
        torch.set_num_threads(threads)
        self._pipe = StableDiffusionPipeline.from_pretrained(
            folder,
            dtype=torch.float32,
            local_files_only=True,
            safety_checker=None,
            requires_safety_checker=False,
        )
        self._pipe.set_progress_bar_config(disable=True)
        self.config = self._pipe.scheduler.config

    def render(self, spec: RenderSpec) -> bytes:
        """One picture, start to end."""
        torch.set_num_threads(self._threads)
        self._pipe.scheduler = stock_scheduler(spec.sampler, self.config)
        image = self._pipe(
            spec.prompt,
            negative_prompt=spec.negative or None,
            width=spec.width,
            height=spec.height,
            num_inference_steps=spec.steps,
            guidance_scale=spec.guidance,
            generator=torch.Generator("cpu").manual_seed(spec.seed),
        ).images[0]
        return to_png(image)

    def serve(self, arrivals: Sequence[Arrival], *, by_priority: bool = False) -> list[float]:
        """Render one by one; the seconds each waited from its arrival to its picture.

        First come, first served; with `by_priority` the most urgent one that is there goes next.
        """
        began = time.perf_counter()
        waits: dict[str, float] = {}
        left = list(arrivals)
        while left:
            now = time.perf_counter() - began
            here = [arrival for arrival in left if arrival.at <= now]
            if not here:
                time.sleep(left[0].at - now)
                continue
            rank = max(here, key=lambda a: a.request.priority) if by_priority else here[0]
            left.remove(rank)
            self.render(rank.request.spec)
            waits[rank.request.render_id] = time.perf_counter() - began - rank.at
        return [waits[arrival.request.render_id] for arrival in arrivals]
