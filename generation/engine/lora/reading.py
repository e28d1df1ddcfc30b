"""LoRA files become matrices: read by diffusers' own converters, beside the model, not in it.

kohya, diffusers and PEFT name the same layers differently and say their alphas in different
places. diffusers reads all of them, but only into a model; so it is given a hollow copy of the
model, whose weights have shapes and no bytes, and the matrices are taken from there.
"""

import copy
import logging
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import DiffusionPipeline

from brand.spec import LoraRefused
from generation.engine.library.weights import read_header
from generation.engine.lora.checks import check_lora

DENOISERS = ("unet", "transformer")
TEXT_PARTS = ("text_encoder", "text_encoder_2")
PARTS = (*DENOISERS, *TEXT_PARTS)
"""The parts of a pipeline that a LoRA may act on."""
_ADAPTER = "it"
_MISREAD = (ValueError, KeyError, RuntimeError, TypeError, AttributeError, IndexError)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, eq=False)
class LoraMatrices:
    """What a LoRA adds to one layer: `scale * up(down(input))`."""

    part: str
    """One of PARTS."""
    path: str
    """Of the layer inside the part, e.g. `mid_block.attentions.0.proj_in`."""
    down: torch.Tensor
    """(rank, inner) or, for a convolution, (rank, inner, height, width)."""
    up: torch.Tensor
    """(outer, rank)."""
    scale: float
    """alpha / rank."""

    @property
    def rank(self) -> int:
        """How many directions it has."""
        return self.down.shape[0]


class LoraReader:
    """Reads LoRA files for one model, one file at a time."""

    def __init__(self, pipe: DiffusionPipeline) -> None:
        self._pipe = pipe
        self._hollow: DiffusionPipeline | None = None

    def read(self, path: Path, sha256: str) -> tuple[LoraMatrices, ...]:
        """Every matrix of the file, on the CPU as stored. Raises LoraRefused, also for a part."""
        check_lora(path, sha256)
        with tempfile.TemporaryDirectory(prefix="housestyle-lora-") as folder:
            # diffusers tells safetensors from pickle by the suffix, which blobs do not have.
            named = Path(folder, "lora.safetensors")
            named.symlink_to(path.absolute())
            try:
                found = self._read(named, sha256)
            except LoraRefused:
                self._hollow = None
                raise
            except _MISREAD as exc:
                self._hollow = None
                _log.info(
                    "LoRA %s does not load: %s", sha256, exc, extra={"action": "lora_refused"}
                )
                raise LoraRefused(misfit(sha256)) from exc
        return found

    def _read(self, file: Path, sha256: str) -> tuple[LoraMatrices, ...]:
        hollow = self._hollow = self._hollow or hollow_copy(self._pipe)
        hollow.load_lora_weights(
            file.parent,
            weight_name=file.name,
            adapter_name=_ADAPTER,
            use_safetensors=True,
            local_files_only=True,
        )
        found = tuple(_matrices(hollow, sha256))
        expected = sum(not name.endswith(".alpha") for name in read_header(file).tensors)
        if not found or 2 * len(found) < expected:
            raise LoraRefused(
                f"{misfit(sha256)} {2 * len(found)} of its {expected} matrices have a place."
            )
        self._refuse_misfits(found, sha256)
        hollow.unload_lora_weights()
        return found

    def _refuse_misfits(self, found: tuple[LoraMatrices, ...], sha256: str) -> None:
        """Some loaders widen the model's layers to suit a file: the real ones stay as they are."""
        modules = {
            part: dict(module.named_modules()) for part, module in acting_parts(self._pipe).items()
        }
        for item in found:
            if item.down.is_meta or item.up.is_meta:  # peft made its place and found nothing for it
                raise LoraRefused(f"{misfit(sha256)} It lacks a matrix of {item.path}.")
            inner, outer = _sides(modules[item.part].get(item.path))
            if item.down.shape[1] != inner or item.up.shape[0] != outer:
                raise LoraRefused(f"{misfit(sha256)} {item.path} is {inner} to {outer} wide.")


def acting_parts(pipe: DiffusionPipeline) -> dict[str, torch.nn.Module]:
    """The parts of this pipeline that a LoRA may act on, by name."""
    found = {part: getattr(pipe, part, None) for part in PARTS}
    return {part: module for part, module in found.items() if module is not None}


def hollow_copy(pipe: DiffusionPipeline) -> DiffusionPipeline:
    """The same pipeline with denoiser and text encoders of the same shapes and no weights."""
    made = copy.copy(pipe)
    for part, module in acting_parts(pipe).items():
        with torch.device("meta"):
            build = getattr(type(module), "from_config", type(module))
            twin: torch.nn.Module = build(module.config)
        _hollow_out(twin)
        setattr(made, part, twin)
    return made


def _hollow_out(module: torch.nn.Module) -> None:
    """Every tensor becomes one number, repeated: on the CPU, for PEFT loads beside it."""
    for child in module.modules():
        for name, weight in child._parameters.items():
            if weight is not None:
                hollow = _one_number(weight)
                child._parameters[name] = torch.nn.Parameter(hollow, requires_grad=False)
        for name, buffer in child._buffers.items():
            if buffer is not None:
                child._buffers[name] = _one_number(buffer)


def _one_number(tensor: torch.Tensor) -> torch.Tensor:
    return torch.zeros((), dtype=tensor.dtype).expand(tensor.shape)


def _matrices(pipe: DiffusionPipeline, sha256: str) -> Iterator[LoraMatrices]:
    for part, module in acting_parts(pipe).items():
        for path, layer in module.named_modules():
            if _ADAPTER not in _held(layer, "lora_A"):
                continue
            down, up = layer.lora_A[_ADAPTER], layer.lora_B[_ADAPTER]
            extras = _held(layer, "lora_magnitude_vector")
            groups = getattr(layer.base_layer, "groups", 1)
            if up.bias is not None or _ADAPTER in extras or groups > 1:
                raise LoraRefused(
                    f"The LoRA {sha256[:12]} is of a kind that is not served (with a bias, a "
                    "magnitude or on a grouped convolution); train a plain one."
                )
            yield LoraMatrices(
                part=part,
                path=path,
                down=down.weight.detach(),
                up=up.weight.detach().flatten(1),
                scale=float(layer.scaling[_ADAPTER]),
            )


def _held(layer: torch.nn.Module, name: str) -> Mapping[str, torch.nn.Module]:
    return getattr(layer, name, None) or {}


def _sides(layer: torch.nn.Module | None) -> tuple[int, int]:
    """(inner, outer) width of a linear layer or a convolution; zeros for anything else."""
    if isinstance(layer, torch.nn.Conv2d):
        return layer.in_channels, layer.out_channels
    return getattr(layer, "in_features", 0), getattr(layer, "out_features", 0)


def misfit(sha256: str) -> str:
    """Why a sound file may still not load."""
    return f"The LoRA {sha256[:12]} does not fit this model; was it trained for another one?"
