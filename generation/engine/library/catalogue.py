"""Which models lie on this machine, found without torch: diffusers folders and single files."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from generation.engine.library.single_files import CONFIGS, DEFAULT_SIDES, single_file
from generation.engine.library.sources import (
    DENOISERS,
    ModelSource,
    Unusable,
    read_json,
    reads_mask,
)
from generation.engine.library.weights import WeightsDamaged

__all__ = ["CONFIGS", "ModelSource", "find_models"]

LAYOUTS = {
    "StableDiffusionPipeline": "sd1",
    "StableDiffusionInpaintPipeline": "sd1",
    "StableDiffusionXLPipeline": "sdxl",
    "StableDiffusionXLInpaintPipeline": "sdxl",
    "StableDiffusion3Pipeline": "sd3",
    "FluxPipeline": "flux",
}
SHIPPED_MODEL = "demo"
DEFAULTS_FILE = "housestyle.json"
"""In a model's folder: `width` and `height` that suit it."""
_LIBRARIES = {"diffusers", "transformers", None}
_NOT_LOADED = {"safety_checker", "feature_extractor", "image_encoder"}
LeftOut = Callable[[str, str], None]
"""Is told the name of what is not usable, and why."""
_log = logging.getLogger(__name__)


def _log_left_out(name: str, why: str) -> None:
    _log.warning("model %s is left out: %s", name, why, extra={"action": "model_left_out"})


def find_models(
    models_dir: Path | None, shipped: Path, left_out: LeftOut = _log_left_out
) -> dict[str, ModelSource]:
    """Every usable model by name; `left_out` is told what looks like one but is not usable, and
    why: it is logged."""
    found: dict[str, ModelSource] = {}
    if (shipped / "model_index.json").is_file():
        _add(found, SHIPPED_MODEL, shipped, left_out)
    for path in sorted(models_dir.iterdir()) if models_dir and models_dir.is_dir() else ():
        if path.suffix == ".safetensors" and path.is_file():
            _add(found, path.stem, path, left_out)
        elif (path / "model_index.json").is_file() and not _belongs_to_file(path):
            _add(found, path.name, path, left_out)
    return found


def _belongs_to_file(folder: Path) -> bool:
    """NAME.config beside NAME.safetensors is no model of its own."""
    return folder.suffix == ".config" and folder.with_suffix(".safetensors").is_file()


def _add(found: dict[str, ModelSource], name: str, path: Path, left_out: LeftOut) -> None:
    try:
        source = _folder(name, path) if path.is_dir() else single_file(name, path)
    except (Unusable, WeightsDamaged) as exc:
        left_out(name, str(exc))
    else:
        found[name] = source


def _folder(name: str, path: Path) -> ModelSource:
    index = read_json(path / "model_index.json")
    layout = LAYOUTS.get(str(index.get("_class_name")))
    if layout is None:
        raise Unusable(f"{index.get('_class_name')} is not one of {', '.join(LAYOUTS)}.")
    components = {
        key: value
        for key, value in index.items()
        if isinstance(value, list) and len(value) == 2 and key not in _NOT_LOADED
    }
    foreign = [key for key, (library, _) in components.items() if library not in _LIBRARIES]
    if foreign:
        raise Unusable(f"its part {foreign[0]!r} comes from neither diffusers nor transformers.")
    denoiser = read_json(path / DENOISERS[layout] / "config.json")
    if denoiser.get("time_cond_proj_dim"):
        raise Unusable("its UNet is told of guidance; use the model it was distilled from.")
    width, height = _size(path, layout)
    return ModelSource(
        name=name,
        path=path,
        layout=layout,
        width=width,
        height=height,
        inpaints=reads_mask(layout, denoiser.get("in_channels")),
        files=tuple(_folder_files(path, components)),
    )


def _size(path: Path, layout: str) -> tuple[int, int]:
    if (path / DEFAULTS_FILE).is_file():
        defaults = read_json(path / DEFAULTS_FILE)
        width, height = defaults.get("width"), defaults.get("height")
        if isinstance(width, int) and isinstance(height, int):
            return width, height
    sample = read_json(path / DENOISERS[layout] / "config.json").get("sample_size")
    levels = read_json(path / "vae" / "config.json").get("block_out_channels")
    if isinstance(sample, int) and isinstance(levels, list) and levels:
        side = sample * 2 ** (len(levels) - 1)
        return side, side
    return DEFAULT_SIDES[layout], DEFAULT_SIDES[layout]


def _folder_files(path: Path, components: dict[str, Any]) -> Iterator[tuple[str, Path]]:
    yield "model_index.json", path / "model_index.json"
    for component in sorted(components):
        for file in sorted((path / component).glob("*")):
            if file.suffix in {".safetensors", ".json", ".txt"} and file.is_file():
                yield f"{component}/{file.name}", file
