"""Which ControlNets lie on this machine, and which model each fits; found without torch."""

import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from brand.spec import CONTROL_KINDS, ModelMissing, SpecInvalid
from generation.engine.library.sources import Unusable, read_json
from generation.engine.library.weights import (
    Header,
    WeightsDamaged,
    WeightsIndex,
    bytes_on_disk,
    read_header,
    together,
)

FOLDER = "controlnets"
"""In the models folder: one folder or safetensors file for each."""
SETTINGS_FILE = "housestyle.json"
"""In a ControlNet's folder: {"kind": "canny"}; else its name tells."""
SHIPPED_PREFIX = "controlnet-"
"""Of the folders beside the shipped model's parts that hold a ControlNet for it."""
WEIGHTS_FILE = "diffusion_pytorch_model.safetensors"
_WORDS: Mapping[str, str] = {
    **{kind: kind for kind in CONTROL_KINDS},
    "hed": "softedge",
    "pidi": "softedge",
    "pidinet": "softedge",
    "zoe": "depth",
    "midas": "depth",
    "openpose": "pose",
    "dwpose": "pose",
    "normalbae": "normal",
    "seg": "segmentation",
}
"""What in a name tells the kind."""
_CROSS_ATTENTION = "attn2.to_k.weight"
_FIRST_CONVOLUTIONS = (
    "conv_in.weight",
    "control_model.input_blocks.0.0.weight",
    "input_blocks.0.0.weight",
)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ControlSource:
    """One ControlNet on disk."""

    name: str
    path: Path
    """A diffusers folder or one safetensors file."""
    kind: str
    """One of CONTROL_KINDS."""
    words: int
    """Channels of the prompt's embedding that it reads."""
    channels: tuple[int, ...]
    """Widths of its levels, as far as they are known without loading: the first at least."""
    files: tuple[tuple[str, Path], ...] = field(default=(), repr=False)
    """What decides its part of the pixels: (name, file)."""

    @property
    def weight_bytes(self) -> int:
        """How large its weights files are together."""
        return bytes_on_disk(self.files)

    def sha256(self, index: WeightsIndex) -> str:
        """One hash over everything that decides its part of the pixels."""
        return together([(name, index.sha256(path)) for name, path in self.files])

    def fits(self, words: int, channels: Iterable[int]) -> bool:
        """Whether it belongs beside a UNet of this text width and these level widths."""
        return words == self.words and tuple(channels)[: len(self.channels)] == self.channels


def choose_control(
    sources: Mapping[str, ControlSource],
    kind: str,
    name: str,
    fits: Callable[[ControlSource], bool],
) -> ControlSource:
    """The ControlNet of that name, or the first by name that is led by this kind and fits.

    Raises ModelMissing where there is none, SpecInvalid where the named one is of another kind.
    """
    if name:
        return _chosen_by_name(sources, kind, name, fits)
    fitting = [s for _, s in sorted(sources.items()) if s.kind == kind and fits(s)]
    if not fitting:
        raise ModelMissing(
            f"There is no {kind} ControlNet for this model. Put one into {FOLDER}/ in the models"
            " folder: a diffusers folder or one safetensors file, with the kind in its name."
        )
    return fitting[0]


def _chosen_by_name(
    sources: Mapping[str, ControlSource],
    kind: str,
    name: str,
    fits: Callable[[ControlSource], bool],
) -> ControlSource:
    source = sources.get(name)
    if source is None:
        known = ", ".join(sorted(sources)) or "none"
        raise ModelMissing(f"There is no ControlNet {name!r}; installed are: {known}.")
    if source.kind != kind:
        raise SpecInvalid(f"the ControlNet {name!r} is led by {source.kind}, not by {kind}")
    if not fits(source):
        raise ModelMissing(f"The ControlNet {name!r} belongs to another family of models.")
    return source


def _log_left_out(name: str, why: str) -> None:
    _log.warning("ControlNet %s is left out: %s", name, why, extra={"action": "control_left_out"})


def find_controls(
    models_dir: Path | None,
    shipped: Path,
    left_out: Callable[[str, str], None] = _log_left_out,
) -> dict[str, ControlSource]:
    """Every usable ControlNet by name; `left_out` is told what looks like one but is not usable,
    and why: it is logged."""
    found: dict[str, ControlSource] = {}
    for path in sorted(shipped.glob(f"{SHIPPED_PREFIX}*")) if shipped.is_dir() else ():
        _add(found, "demo-" + path.name.removeprefix(SHIPPED_PREFIX), path, left_out)
    folder = models_dir / FOLDER if models_dir else None
    for path in sorted(folder.iterdir()) if folder and folder.is_dir() else ():
        if path.is_dir() or path.suffix == ".safetensors":
            _add(found, path.stem if path.is_file() else path.name, path, left_out)
    return found


def _add(
    found: dict[str, ControlSource], name: str, path: Path, left_out: Callable[[str, str], None]
) -> None:
    try:
        found[name] = _folder(name, path) if path.is_dir() else _file(name, path, _named(name))
    except (Unusable, WeightsDamaged) as exc:
        left_out(name, str(exc))


def _folder(name: str, path: Path) -> ControlSource:
    settings = read_json(path / SETTINGS_FILE) if (path / SETTINGS_FILE).is_file() else {}
    kind = settings.get("kind", _named(name))
    if not (path / "config.json").is_file():
        files = sorted(path.glob("*.safetensors"))
        if len(files) != 1:
            raise Unusable("it holds neither a config.json nor just one safetensors file.")
        return _file(name, files[0], kind)
    config = read_json(path / "config.json")
    if config.get("_class_name") != "ControlNetModel":
        raise Unusable(f"{config.get('_class_name')} is not ControlNetModel (SD 1.x, SDXL).")
    if config.get("global_pool_conditions") or not _plain_numbers(config):
        raise Unusable("its config.json describes no ControlNet that follows a map.")
    weights = path / WEIGHTS_FILE
    if not weights.is_file():
        raise Unusable(f"{WEIGHTS_FILE} is missing.")
    read_header(weights)
    return ControlSource(
        name=name,
        path=path,
        kind=_known(kind),
        words=config["cross_attention_dim"],
        channels=tuple(config["block_out_channels"]),
        files=(("config.json", path / "config.json"), (WEIGHTS_FILE, weights)),
    )


def _plain_numbers(config: Mapping[str, Any]) -> bool:
    words, channels = config.get("cross_attention_dim"), config.get("block_out_channels")
    return (
        type(words) is int
        and isinstance(channels, list)
        and bool(channels)
        and all(type(width) is int for width in channels)
    )


def _file(name: str, path: Path, kind: object) -> ControlSource:
    header = read_header(path)
    words, first = _words(header), _first_width(header)
    return ControlSource(
        name=name,
        path=path,
        kind=_known(kind),
        words=words,
        channels=(first,),
        files=(("weights", path),),
    )


def _words(header: Header) -> int:
    for shape in _shapes(header, (_CROSS_ATTENTION,)):
        if len(shape) == 2:
            return shape[1]
    raise Unusable("it holds no ControlNet: no layer of it reads a prompt.")


def _first_width(header: Header) -> int:
    for shape in _shapes(header, _FIRST_CONVOLUTIONS):
        if len(shape) == 4 and shape[1] == 4:
            return shape[0]
    raise Unusable("it holds no ControlNet: nothing of it reads four latent channels.")


def _shapes(header: Header, ends: tuple[str, ...]) -> Iterator[tuple[int, ...]]:
    for tensor, facts in header.tensors.items():
        # Not the conv_in of the map's own layers.
        if tensor.endswith(ends) and "cond_embedding" not in tensor:
            yield facts.shape


def _named(name: str) -> str:
    words = re.split(r"[^a-z]+", name.lower())
    return next((_WORDS[word] for word in reversed(words) if word in _WORDS), "")


def _known(kind: object) -> str:
    if kind not in CONTROL_KINDS:
        raise Unusable(
            f'its kind is not known. Name it by its kind, or write {{"kind": …}} into its'
            f" {SETTINGS_FILE}: one of {', '.join(CONTROL_KINDS)}."
        )
    return str(kind)
