"""Checks a LoRA's file before any library reads it."""

from pathlib import Path

import safetensors.torch
import torch

from brand.spec import LoraRefused
from generation.engine.library.weights import WeightsDamaged, file_sha256, read_header

MAX_TENSORS = 20_000
MAX_RANK = 1024
MAX_SIDE = 1 << 20
_FLOATS = {"F64", "F32", "F16", "BF16"}


def check_lora(path: Path, sha256: str) -> None:
    """Refuse what is not a sound LoRA file of this hash, before any library sees it.

    Raises LoraRefused.
    """
    if file_sha256(path) != sha256:
        raise LoraRefused(f"The file of LoRA {sha256[:12]} has changed on disk; upload it again.")
    try:
        header = read_header(path)
    except WeightsDamaged as exc:
        raise LoraRefused(f"The LoRA {sha256[:12]} is no safetensors file: {exc}") from exc
    if not header.tensors or len(header.tensors) > MAX_TENSORS:
        raise LoraRefused(
            f"The LoRA {sha256[:12]} has {len(header.tensors)} tensors, not 1 to {MAX_TENSORS}."
        )
    for name, facts in header.tensors.items():
        if "lora" not in name:
            raise LoraRefused(f"The file {sha256[:12]} is no LoRA: it holds {name[:80]!r}.")
        if facts.dtype not in _FLOATS or max(facts.shape, default=1) > MAX_SIDE:
            raise LoraRefused(f"The LoRA {sha256[:12]} has an odd tensor {name[:80]!r}.")
        if _is_matrix(name) and (len(facts.shape) not in {2, 4} or min(facts.shape[:2]) > MAX_RANK):
            raise LoraRefused(f"The LoRA {sha256[:12]} has no proper rank at {name[:80]!r}.")
    for name, tensor in safetensors.torch.load_file(path).items():
        if not bool(torch.isfinite(tensor).all()):
            raise LoraRefused(f"The LoRA {sha256[:12]} holds no number at {name[:80]!r}.")


def _is_matrix(name: str) -> bool:
    return not name.endswith(".alpha")
