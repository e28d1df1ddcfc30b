"""Preprocessors with weights: how these are read. Offline, safetensors only.

They compute in float32 on the processor, whatever the engine paints on: a map is small work, and
so it does not depend on the accelerator.
"""

from pathlib import Path
from typing import Any, Protocol

import torch
from transformers import AutoImageProcessor

from brand.spec import ModelMissing
from generation.engine.library.weights import WeightsDamaged
from generation.engine.preprocess.places import FOLDER, check_weights


class ModelClass(Protocol):
    """One of transformers' Auto classes."""

    def from_pretrained(self, folder: Path, **settings: Any) -> Any:  # noqa: ANN401
        """Read a model."""
        ...


def read_model(kind: str, folder: Path, model_class: ModelClass) -> tuple[Any, Any]:
    """(image processor, model) from that folder. Raises ModelMissing if they are not sound."""
    try:
        check_weights(folder)
        processor = AutoImageProcessor.from_pretrained(folder, local_files_only=True)
        model, found = model_class.from_pretrained(
            folder,
            local_files_only=True,
            use_safetensors=True,
            dtype=torch.float32,
            output_loading_info=True,
        )
    except (
        OSError, ValueError, KeyError, TypeError, RuntimeError, AttributeError, ImportError,
        WeightsDamaged,
    ) as exc:  # fmt: skip
        raise ModelMissing(f"{_cannot(kind)}: {_first_line(exc)}") from exc
    if found["missing_keys"]:
        # transformers would draw them by chance.
        raise ModelMissing(f"{_cannot(kind)}: it lacks {sorted(found['missing_keys'])[0]}.")
    for parameter in model.parameters():
        # Memory of our own: bits depend on how a mapped file lies (see loader.py).
        parameter.data = parameter.data.clone(memory_format=torch.contiguous_format)
    return processor, model.eval().requires_grad_(False)


def _cannot(kind: str) -> str:
    return f"The weights in {FOLDER}/{kind} cannot be used"


def _first_line(exc: Exception) -> str:
    return (str(exc).strip() or type(exc).__name__).splitlines()[0]
