"""Checkpoints that survive a kill: written beside, flushed to the disk, renamed into place."""

import os
import pickle
from pathlib import Path
from typing import Any

import torch

from generation.train.options import WrongCheckpointError


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Replace the checkpoint at `path`; a crash leaves either the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def load_checkpoint(path: Path) -> dict[str, Any] | None:
    """The state saved at `path`, or None where there is none yet.

    Raises WrongCheckpointError for a file that is no checkpoint of ours.
    """
    if not path.exists():
        return None
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, pickle.UnpicklingError) as exc:
        message = f"{path} cannot be read as a checkpoint. Delete it to start this stage again."
        raise WrongCheckpointError(message) from exc
    if not isinstance(state, dict):
        message = f"{path} holds no training state. Use another work folder."
        raise WrongCheckpointError(message)
    return state
