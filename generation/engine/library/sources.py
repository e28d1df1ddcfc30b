"""What the catalogue knows of a model on disk."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from generation.engine.library.weights import WeightsIndex, read_header, together

DENOISERS = {"sd1": "unet", "sdxl": "unet", "sd3": "transformer", "flux": "transformer"}
"""The part that denoises."""
PLAIN_CHANNELS = {"sd1": 4, "sdxl": 4, "sd3": 16, "flux": 64}
INPAINT_CHANNELS = {"sd1": 9, "sdxl": 9}
"""Of the denoiser's input: latents, mask and the masked picture's latents."""
SIDE_STEPS = {"sd1": 8, "sdxl": 8, "sd3": 16, "flux": 16}
"""What a picture's sides are multiples of: one patch of the layout's denoiser, in pixels."""


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
    beside: tuple[tuple[str, Path], ...] = ()
    """For a single file: (part, folder) of what it does not hold itself."""
    changes: Mapping[str, Any] = field(default_factory=dict)
    """For a single file: what differs from the denoiser's configuration."""
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

    @cached_property
    def scheduler_config(self) -> Mapping[str, Any] | None:
        """What its samplers start from; None where that is not known before it is loaded."""
        try:
            return read_json((self.config or self.path) / "scheduler" / "scheduler_config.json")
        except Unusable:
            return None

    def sha256(self, index: WeightsIndex) -> str:
        """One hash over everything that decides its pixels. May read gigabytes."""
        return together([(name, index.sha256(path)) for name, path in self.files])

    def known_sha256(self, index: WeightsIndex) -> str:
        """The same, if every file's hash is remembered; else empty."""
        parts = [(name, index.known(path)) for name, path in self.files]
        return together(parts) if all(sha256 for _, sha256 in parts) else ""


def _is_weights(path: Path) -> bool:
    return path.suffix == ".safetensors"


class Unusable(Exception):
    """This is no model we can load; the message says why."""


def reads_mask(layout: str, channels: object) -> bool:
    """Whether a denoiser of so many input channels reads a mask. Raises Unusable."""
    if channels == INPAINT_CHANNELS.get(layout):
        return True
    if channels != PLAIN_CHANNELS[layout]:
        usable = [str(n[layout]) for n in (PLAIN_CHANNELS, INPAINT_CHANNELS) if layout in n]
        raise Unusable(f"its denoiser takes {channels} channels, not {' or '.join(usable)}.")
    return False


def read_json(path: Path) -> dict[str, Any]:
    """The object in this file. Raises Unusable."""
    try:
        data = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as exc:
        raise Unusable(f"{path.parent.name}/{path.name} is missing or no JSON.") from exc
    if not isinstance(data, dict):
        raise Unusable(f"{path.parent.name}/{path.name} is no JSON object.")
    return data
