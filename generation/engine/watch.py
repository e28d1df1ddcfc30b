"""Stands beside a running pipeline: progress, previews, cancelling, and the first bad number."""

import functools
import time
from typing import Any

import torch
from diffusers import DiffusionPipeline, SchedulerMixin

from brand.spec import Progress, RenderCancelled, RenderFailed
from generation.engine.previews import PreviewMap, guessed_latents
from generation.engines import Cancelled, OnProgress
from generation.pixels import to_preview


class Watch:
    """The pipeline's callback for one render. Progress counts model evaluations."""

    def __init__(
        self,
        *,
        preview_map: PreviewMap,
        preview_every: int,
        on_progress: OnProgress,
        cancelled: Cancelled,
    ) -> None:
        self._preview_map = preview_map
        self._preview_every = preview_every
        self._on_progress = on_progress
        self._cancelled = cancelled
        self._started = time.monotonic()
        self._guess: tuple[SchedulerMixin, torch.Tensor, float, torch.Tensor] | None = None

    def follow(self, scheduler: SchedulerMixin) -> SchedulerMixin:
        """The scheduler, remembering what each of its steps was given."""
        step = scheduler.step

        # Pipelines ask the step's signature whether it takes `eta` and `generator`.
        @functools.wraps(step)
        def remembering(
            output: torch.Tensor, timestep: torch.Tensor, sample: torch.Tensor, **options: Any
        ) -> tuple[torch.Tensor, ...]:
            self._guess = (scheduler, output, float(timestep), sample)
            after: tuple[torch.Tensor, ...] = step(output, timestep, sample, **options)
            return after

        scheduler.step = remembering
        return scheduler

    def stop_if_cancelled(self) -> None:
        """Raises RenderCancelled."""
        if self._cancelled():
            raise RenderCancelled("Cancelled on request.")

    def __call__(
        self, pipe: DiffusionPipeline, index: int, _timestep: torch.Tensor, values: dict[str, Any]
    ) -> dict[str, Any]:
        """After each evaluation. Raises RenderCancelled, RenderFailed."""
        self.stop_if_cancelled()
        done, total = index + 1, int(pipe.num_timesteps)
        if done == total and not bool(torch.isfinite(values["latents"]).all()):
            raise RenderFailed(
                "The model's numbers overflowed; render with dtype float32 or without the LoRA."
            )
        each = (time.monotonic() - self._started) / done
        self._on_progress(
            Progress(
                done=done,
                total=total,
                eta_s=each * (total - done),
                preview=self._preview(done, total),
            )
        )
        return {}

    def _preview(self, done: int, total: int) -> bytes:
        if (
            not self._preview_every
            or done % self._preview_every
            or done == total
            or not self._guess
        ):
            return b""
        return to_preview(self._preview_map.picture(guessed_latents(*self._guess)))
