"""Which models lie on this machine, found without torch: diffusers folders and single files."""

import json
import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from generation.engine.weights import Header, WeightsDamaged, WeightsIndex, read_header, together

LAYOUTS = {"StableDiffusionPipeline": "sd1", "StableDiffusionXLPipeline": "sdxl"}
DEFAULT_SIDES = {"sd1": 512, "sdxl": 1024}
CONFIGS = Path(__file__).parent / "configs"
"""Config folders of the two layouts, for single files; tokenizers are not among them."""
SHIPPED_MODEL = "demo"
DEFAULTS_FILE = "housestyle.json"
"""In a model's folder: `width` and `height` that suit it."""
_LIBRARIES = {"diffusers", "transformers", None}
_NOT_LOADED = {"safety_checker", "feature_extractor", "image_encoder"}
_SINGLE_FILE_LAYOUTS = {
    "cond_stage_model.transformer.text_model.embeddings.token_embedding.weight": "sd1",
    "conditioner.embedders.1.model.token_embedding.weight": "sdxl",
}
_FIRST_CONVOLUTION = "model.diffusion_model.input_blocks.0.0.weight"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ModelSource:
    """One model on disk."""

    name: str
    path: Path
    """A diffusers folder or one safetensors file."""
    layout: str
    """`sd1`, `sdxl`, `sd3` or `flux`."""
    width: int
    height: int
    inpaints: bool = False
    """Whether its UNet reads a mask behind the latents."""
    config: Path | None = None
    """For a single file: the folder with its configs."""
    tokenizers: tuple[Path, ...] = ()
    """For a single file: the folders of its tokenizers, one per text encoder."""
    files: tuple[tuple[str, Path], ...] = field(default=(), repr=False)
    """What decides its pixels: (name, file)."""

    @property
    def weight_bytes(self) -> int:
        """How large its weights files are together."""
        return sum(p.stat().st_size for _, p in self.files if p.suffix == ".safetensors")

    @cached_property
    def parameters(self) -> int:
        """Numbers in the weights files that are loaded. Raises WeightsDamaged."""
        plain = {p.parent for _, p in self.files if _is_weights(p) and ".fp16." not in p.name}
        loaded = (
            p for _, p in self.files
            if _is_weights(p) and (".fp16." not in p.name or p.parent not in plain)
        )  # fmt: skip
        shapes = (facts.shape for p in loaded for facts in read_header(p).tensors.values())
        return sum(math.prod(shape) for shape in shapes)

    def sha256(self, index: WeightsIndex) -> str:
        """One hash over everything that decides its pixels. May read gigabytes."""
        return together([(name, index.sha256(path)) for name, path in self.files])

    def known_sha256(self, index: WeightsIndex) -> str:
        """The same, if every file's hash is remembered; else empty."""
        parts = [(name, index.known(path)) for name, path in self.files]
        return together(parts) if all(sha256 for _, sha256 in parts) else ""


def _is_weights(path: Path) -> bool:
    return path.suffix == ".safetensors"


class _Unusable(Exception):
    """This is no model we can load; the message says why."""


def find_models(models_dir: Path | None, shipped: Path) -> dict[str, ModelSource]:
    """Every usable model by name; what looks like one but is not usable is logged with why."""
    found: dict[str, ModelSource] = {}
    if (shipped / "model_index.json").is_file():
        _add(found, SHIPPED_MODEL, shipped)
    for path in sorted(models_dir.iterdir()) if models_dir and models_dir.is_dir() else ():
        if path.suffix == ".safetensors" and path.is_file():
            _add(found, path.stem, path)
        elif (path / "model_index.json").is_file():
            _add(found, path.name, path)
    return found


def _add(found: dict[str, ModelSource], name: str, path: Path) -> None:
    try:
        source = _folder(name, path) if path.is_dir() else _single_file(name, path)
    except (_Unusable, WeightsDamaged) as exc:
        _log.warning("model %s is left out: %s", name, exc, extra={"action": "model_left_out"})
    else:
        found[name] = source


def _folder(name: str, path: Path) -> ModelSource:
    index = _json(path / "model_index.json")
    layout = LAYOUTS.get(str(index.get("_class_name")))
    if layout is None:
        raise _Unusable(f"{index.get('_class_name')} is not one of {', '.join(LAYOUTS)}.")
    components = {
        key: value
        for key, value in index.items()
        if isinstance(value, list) and len(value) == 2 and key not in _NOT_LOADED
    }
    foreign = [key for key, (library, _) in components.items() if library not in _LIBRARIES]
    if foreign:
        raise _Unusable(f"its part {foreign[0]!r} comes from neither diffusers nor transformers.")
    if _json(path / "unet" / "config.json").get("in_channels") != 4:
        raise _Unusable("its UNet does not take 4 channels (an inpainting model?).")
    width, height = _size(path, layout)
    return ModelSource(
        name=name,
        path=path,
        layout=layout,
        width=width,
        height=height,
        files=tuple(_folder_files(path, components)),
    )


def _size(path: Path, layout: str) -> tuple[int, int]:
    if (path / DEFAULTS_FILE).is_file():
        defaults = _json(path / DEFAULTS_FILE)
        width, height = defaults.get("width"), defaults.get("height")
        if isinstance(width, int) and isinstance(height, int):
            return width, height
    sample = _json(path / "unet" / "config.json").get("sample_size")
    levels = _json(path / "vae" / "config.json").get("block_out_channels")
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


def _single_file(name: str, path: Path) -> ModelSource:
    layout = _single_file_layout(read_header(path))
    beside = path.with_suffix(".config")
    config = beside if (beside / "model_index.json").is_file() else CONFIGS / layout
    tokenizers = _tokenizers(beside, layout)
    settings = [
        (f"{folder.name}/{file.relative_to(folder).as_posix()}", file)
        for folder in {*tokenizers, config}
        for file in sorted(folder.rglob("*"))
        if file.suffix in {".json", ".txt"}
    ]
    side = DEFAULT_SIDES[layout]
    return ModelSource(
        name=name,
        path=path,
        layout=layout,
        width=side,
        height=side,
        config=config,
        tokenizers=tokenizers,
        files=(("weights", path), *settings),
    )


def _single_file_layout(header: Header) -> str:
    layout = next(
        (_SINGLE_FILE_LAYOUTS[k] for k in _SINGLE_FILE_LAYOUTS if k in header.tensors), ""
    )
    if not layout:
        raise _Unusable("it holds neither a Stable Diffusion 1.x nor an SDXL checkpoint.")
    first = header.tensors.get(_FIRST_CONVOLUTION)
    if first is None or len(first.shape) != 4 or first.shape[1] != 4:
        raise _Unusable("its UNet is missing or does not take 4 channels (an inpainting model?).")
    return layout


def _tokenizers(beside: Path, layout: str) -> tuple[Path, ...]:
    names = ("tokenizer", "tokenizer_2") if layout == "sdxl" else ("tokenizer",)
    first = beside / names[0]
    if not any((first / file).is_file() for file in ("vocab.json", "tokenizer.json")):
        raise _Unusable(
            "a single file does not hold its tokenizer. Put the `tokenizer` folder of any diffusers"
            f" copy of this family into {beside.name}/ beside the file; every Stable Diffusion 1.x"
            " and SDXL model uses the same one."
        )
    return tuple(beside / name if (beside / name).is_dir() else first for name in names)


def _json(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as exc:
        raise _Unusable(f"{path.parent.name}/{path.name} is missing or no JSON.") from exc
    if not isinstance(data, dict):
        raise _Unusable(f"{path.parent.name}/{path.name} is no JSON object.")
    return data
