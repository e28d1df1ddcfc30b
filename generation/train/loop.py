"""The one training loop of every stage: AdamW, falling rate, moving average, checkpoints.

Whatever is random in a step follows from (seed, stage, step) alone, so that a run which was
killed and resumed ends with the same weights as one that was not.
"""

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from generation.train.checkpoint import load_checkpoint, save_checkpoint
from generation.train.options import DivergedError, TrainProgress, WrongCheckpointError
from generation.train.threads import ThreadChoice, adapted

_FINAL_RATE = 0.04

Report = Callable[[TrainProgress], None]


@dataclass(frozen=True, kw_only=True)
class Stage:
    """How one stage is trained."""

    name: str
    steps: int
    rate: float
    """Learning rate at its highest."""
    warmup: int = 100
    """Steps over which the rate rises."""
    average: float | None = None
    """Decay of the moving average of the weights that the stage ends with."""
    weight_decay: float = 0.01
    clip: float = 1.0
    """Largest norm of the gradient."""
    report_every_s: float = 15.0
    save_every_s: float = 120.0


def train_stage(
    stage: Stage,
    module: nn.Module,
    loss_of: Callable[[int], Tensor],
    folder: Path,
    report: Report,
    after_save: Callable[[int], None] | None = None,
    threads: ThreadChoice | None = None,
) -> None:
    """Train `module` in place, resuming from `folder` where a checkpoint lies there.

    It ends with the averaged weights in `module`. `after_save` is called with the step after
    each checkpoint, while `module` holds the averaged weights. `threads` adapts the number of
    compute threads to how busy the machine is.
    """
    run = _Run(stage, module, folder / f"{stage.name}.pt")
    clock = _Clock(stage, folder / "progress.jsonl", report, run.step)
    while run.step < stage.steps:
        with adapted(threads):
            loss = run.one_step(loss_of)
        clock.note(run.step, loss)
        if clock.save_due():
            run.save()
            if after_save is not None:
                with run.averaged():
                    after_save(run.step)
    run.save()
    run.keep_average()


class _Run:
    def __init__(self, stage: Stage, module: nn.Module, path: Path) -> None:
        self.stage, self.module, self.path = stage, module, path
        self.parameters: list[Tensor] = [p for p in module.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(
            self.parameters, lr=stage.rate, weight_decay=stage.weight_decay, betas=(0.9, 0.99)
        )
        self.step = 0
        self.average = [p.detach().clone() for p in self.parameters]
        state = load_checkpoint(path)
        if state is not None:
            self._restore(state)

    def _restore(self, state: dict[str, object]) -> None:
        try:
            self.module.load_state_dict(state["module"])  # type: ignore[arg-type]
            self.optimizer.load_state_dict(state["optimizer"])  # type: ignore[arg-type]
            self.average = list(state["average"])  # type: ignore[call-overload]
            self.step = int(state["step"])  # type: ignore[call-overload]
        except (KeyError, RuntimeError, ValueError) as exc:
            message = f"{self.path} belongs to another recipe. Use another work folder."
            raise WrongCheckpointError(message) from exc

    def one_step(self, loss_of: Callable[[int], Tensor]) -> float:
        for group in self.optimizer.param_groups:
            group["lr"] = self.stage.rate * rate_factor(self.stage, self.step)
        self.optimizer.zero_grad(set_to_none=True)
        loss = loss_of(self.step)
        loss.backward()
        nn.utils.clip_grad_norm_(self.parameters, self.stage.clip)
        self.optimizer.step()
        value = loss.item()
        if not math.isfinite(value):
            message = f"Stage {self.stage.name} diverged at step {self.step}: lower its rate."
            raise DivergedError(message)
        self.step += 1
        self._move_average()
        return value

    @torch.no_grad()
    def _move_average(self) -> None:
        if self.stage.average is not None:
            # A young average forgets its random beginning faster (Karras et al., 2024, use the
            # same idea as a power function of the step).
            decay = min(self.stage.average, (1 + self.step) / (10 + self.step))
            torch._foreach_lerp_(self.average, self.parameters, 1 - decay)

    def save(self) -> None:
        state = {
            "module": self.module.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average": self.average,
            "step": self.step,
        }
        save_checkpoint(self.path, state)

    def averaged(self) -> "_Swapped":
        return _Swapped(self.parameters, self.average if self.stage.average else self.parameters)

    @torch.no_grad()
    def keep_average(self) -> None:
        if self.stage.average is not None:
            torch._foreach_copy_(self.parameters, self.average)


class _Swapped:
    """Lends the averaged weights to the module for the length of a `with` block."""

    def __init__(self, parameters: list[Tensor], average: list[Tensor]) -> None:
        self._parameters, self._average = parameters, average
        self._own: list[Tensor] = []

    @torch.no_grad()
    def __enter__(self) -> None:
        self._own = [p.detach().clone() for p in self._parameters]
        torch._foreach_copy_(self._parameters, self._average)

    @torch.no_grad()
    def __exit__(self, *_: object) -> None:
        torch._foreach_copy_(self._parameters, self._own)


class _Clock:
    """Decides when to report and when to save."""

    def __init__(self, stage: Stage, log: Path, report: Report, first: int) -> None:
        self._stage, self._log, self._report = stage, log, report
        self._first, self._began = first, time.monotonic()
        self._reported = self._saved = self._began
        self._losses: list[float] = []
        log.parent.mkdir(parents=True, exist_ok=True)

    def note(self, done: int, loss: float) -> None:
        now = time.monotonic()
        self._losses.append(loss)
        if now - self._reported < self._stage.report_every_s and done < self._stage.steps:
            return
        pace = (now - self._began) / max(1, done - self._first)
        progress = TrainProgress(
            stage=self._stage.name,
            step=done,
            steps=self._stage.steps,
            loss=sum(self._losses) / len(self._losses),
            seconds_left=pace * (self._stage.steps - done),
        )
        self._losses, self._reported = [], now
        line = {
            "stage": progress.stage,
            "step": done,
            "steps": progress.steps,
            "loss": progress.loss,
            "pace_s": round(pace, 4),
            "threads": torch.get_num_threads(),
        }
        with self._log.open("a") as file:
            file.write(json.dumps(line) + "\n")
        self._report(progress)

    def save_due(self) -> bool:
        now = time.monotonic()
        due = now - self._saved >= self._stage.save_every_s
        if due:
            self._saved = now
        return due


def rate_factor(stage: Stage, step: int) -> float:
    """Part of the highest learning rate at a step: a linear rise, then a cosine to 4 %."""
    rise = min(1.0, (step + 1) / max(1, stage.warmup))
    fall = 0.5 + 0.5 * math.cos(math.pi * min(1.0, step / max(1, stage.steps)))
    return rise * (_FINAL_RATE + (1 - _FINAL_RATE) * fall)
