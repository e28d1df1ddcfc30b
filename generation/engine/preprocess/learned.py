"""Preprocessors with weights: where these lie, and how they are read. Offline, safetensors only.

They compute in float32 on the processor, whatever the engine paints on: a map is small work, and
so it does not depend on the accelerator.
"""

from pathlib import Path
from typing import Any, Protocol

import torch
from transformers import AutoImageProcessor

from brand.spec import ModelMissing
from generation.engine.library.weights import WeightsDamaged, read_header

FOLDER = "preprocessors"
"""In the models folder: one folder for each kind, in transformers' layout."""


class ModelClass(Protocol):
    """One of transformers' Auto classes."""

    def from_pretrained(self, folder: Path, **settings: Any) -> Any:  # noqa: ANN401
        """Read a model."""
        ...


def folder_of(models_dir: Path | None, kind: str) -> Path:
    """Where the weights of that kind lie. Raises ModelMissing saying where they belong."""
    folder = models_dir / FOLDER / kind if models_dir else None
    if folder is None or not (folder / "config.json").is_file():
        raise ModelMissing(
            f"There are no weights that make a {kind} map of a picture. Put such a model, as"
            f" transformers saves it (config.json, preprocessor_config.json, model.safetensors),"
            f" into {FOLDER}/{kind}/ in the models folder, or give a finished map and mark the"
            " control as ready."
        )
    return folder


def files_of(models_dir: Path | None, kind: str) -> tuple[tuple[str, Path], ...]:
    """(name, file) of everything that decides that kind's maps. Raises ModelMissing."""
    folder = folder_of(models_dir, kind)
    return tuple(
        (f"{FOLDER}/{kind}/{file.relative_to(folder).as_posix()}", file)
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.suffix in {".json", ".safetensors"}
    )


def read_model(kind: str, folder: Path, model_class: ModelClass) -> tuple[Any, Any]:
    """(image processor, model) from that folder. Raises ModelMissing if they are not sound."""
    try:
        _check_weights(folder)
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


def _check_weights(folder: Path) -> None:
    for file in folder.glob("*.safetensors"):
        read_header(file)


def _cannot(kind: str) -> str:
    return f"The weights in {FOLDER}/{kind} cannot be used"


def _first_line(exc: Exception) -> str:
    return (str(exc).strip() or type(exc).__name__).splitlines()[0]
