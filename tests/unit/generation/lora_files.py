"""LoRA files for the tiny models, sound and unsound, as bytes."""

import json
import struct
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Tensors = dict[str, NDArray[np.generic]]
RANK = 4
UNET = "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q"
UNET_2 = "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k"
SDXL_UNET = "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q"
TEXT = "text_model.encoder.layers.0.self_attn.q_proj"
_DTYPES = {"float32": "F32", "float16": "F16", "int64": "I64"}


def matrices(inner: int, outer: int, *, seed: int = 0, rank: int = RANK) -> tuple[Tensors, ...]:
    """The two halves: (rank, inner) and (outer, rank)."""
    rng = np.random.default_rng(seed)
    a = rng.normal(0, 1, (rank, inner)).astype(np.float32)
    b = rng.normal(0, 1, (outer, rank)).astype(np.float32)
    return {"": a}, {"": b}


def peft_lora(*modules: str, seed: int = 0, size: int = 32, rank: int = RANK) -> Tensors:
    """In diffusers' own naming, e.g. `unet.NAME.lora_A.weight`."""
    out: Tensors = {}
    for number, module in enumerate(modules):
        down, up = matrices(size, size, seed=seed + number, rank=rank)
        out[f"{module}.lora_A.weight"] = down[""]
        out[f"{module}.lora_B.weight"] = up[""]
    return out


def kohya_lora(*modules: str, alpha: float = 2.0, seed: int = 0, size: int = 32) -> Tensors:
    """In kohya's naming, e.g. `lora_unet_NAME.lora_down.weight`, with an alpha."""
    out: Tensors = {}
    for number, module in enumerate(modules):
        down, up = matrices(size, size, seed=seed + number)
        name = module.replace(".", "_")
        out[f"{name}.lora_down.weight"] = down[""]
        out[f"{name}.lora_up.weight"] = up[""]
        out[f"{name}.alpha"] = np.array(alpha, np.float32)
    return out


def safetensors(
    tensors: Mapping[str, NDArray[np.generic]], metadata: Mapping[str, str] | None = None
) -> bytes:
    """The file's bytes, written without the library that is to be tested."""
    header: dict[str, object] = {}
    if metadata is not None:
        header["__metadata__"] = dict(metadata)
    data, at = [], 0
    for name, tensor in tensors.items():
        raw = tensor.tobytes()
        header[name] = {
            "dtype": _DTYPES[tensor.dtype.name],
            "shape": list(tensor.shape),
            "data_offsets": [at, at + len(raw)],
        }
        data.append(raw)
        at += len(raw)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(data)
