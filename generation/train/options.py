"""What a training run is told, and what it tells in return; free of torch."""

from dataclasses import dataclass
from pathlib import Path


class TrainingError(Exception):
    """Base of everything that can go wrong in training; the message says how to go on."""


class DivergedError(TrainingError):
    """The loss is no number any more: lower the learning rate, then resume."""


class WrongCheckpointError(TrainingError):
    """The checkpoint belongs to another recipe or is damaged: use another work folder."""


@dataclass(frozen=True, kw_only=True)
class TrainProgress:
    """One report of a running training."""

    stage: str
    """`draw`, `vae`, `judge`, `words`, `unet`, `lora`, `control` or `export`."""
    step: int
    """Steps (or pictures) done in this stage."""
    steps: int
    """Steps of this stage in all."""
    loss: float | None = None
    """Mean loss since the last report."""
    seconds_left: float | None = None
    """Estimate for this stage."""


@dataclass(frozen=True, kw_only=True)
class DemoModelOptions:
    """How to train the demo model."""

    out: Path
    """Folder for the finished model, in diffusers' layout."""
    work: Path
    """Folder for drawn pictures and checkpoints; give the same one again to resume."""
    hours: float = 2.0
    """Wanted length; turned into steps when the work folder is new, and kept there."""
    seed: int = 2
    """Everything random follows from it."""
    pictures: int = 40_000
    """Pictures drawn for training."""
    threads: int = 2
    """Compute threads; equal numbers give bit-identical weights. 0 takes at each moment what is
    fastest beside the machine's other work, at the price of the last bits."""
    report_every_s: float = 15.0
    save_every_s: float = 120.0
    """Seconds between two checkpoints: what a kill costs at most."""
    resume_from: Path | None = None
    """A finished model whose weights the first steps start from, instead of random ones."""
