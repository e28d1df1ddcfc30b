"""LoRA files for the tiny models, sound and unsound, as bytes."""

import io
import json
import pickle
import struct
from collections.abc import Callable, Mapping

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


ON_BOTH = peft_lora(f"unet.{UNET}", f"unet.{UNET_2}", f"text_encoder.{TEXT}")
ON_UNET = peft_lora(f"unet.{UNET_2}", seed=7)
# diffusers knows kohya's text encoder layers only where the output projection is among them.
BY_KOHYA = kohya_lora(
    f"lora_unet.{UNET}", f"lora_te.{TEXT}", f"lora_te.{TEXT.replace('q_proj', 'out_proj')}"
)


def unsound_pickle() -> bytes:
    """Code that would run when it is loaded."""

    class Evil:
        def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
            return exec, ("raise SystemExit('code of the file has run')",)

    return pickle.dumps(Evil())


def torch_file() -> bytes:
    """What torch itself saves."""
    import torch

    out = io.BytesIO()
    torch.save({"unet.lora_A.weight": torch.zeros(4, 32)}, out)
    return out.getvalue()


def changed(name: str, value: object) -> Tensors:
    """A sound LoRA but for one tensor."""
    return ON_UNET | {name: np.asarray(value)}


A, B = f"unet.{UNET_2}.lora_A.weight", f"unet.{UNET_2}.lora_B.weight"
UNSOUND: dict[str, Callable[[], bytes]] = {
    "a pickle": unsound_pickle,
    "a torch file": torch_file,
    "nothing": lambda: b"",
    "no tensors": lambda: safetensors({}),
    "cut short": lambda: safetensors(ON_UNET)[:-1],
    "too long": lambda: safetensors(ON_UNET) + b"\x00",
    "not a number": lambda: safetensors(changed(A, np.full((4, 32), np.nan, np.float32))),
    "infinite": lambda: safetensors(changed(B, np.full((32, 4), np.inf, np.float32))),
    "whole numbers": lambda: safetensors(changed(A, np.ones((4, 32), np.int64))),
    "half a pair": lambda: safetensors({A: ON_UNET[A]}),
    "another width": lambda: safetensors(changed(A, np.ones((4, 48), np.float32))),
    "ranks that differ": lambda: safetensors(changed(A, np.ones((6, 32), np.float32))),
    "one dimension": lambda: safetensors(changed(A, np.ones(128, np.float32))),
    "a huge rank": lambda: safetensors(peft_lora(f"unet.{UNET_2}", rank=1025, size=1025)),
    "an unknown layer": lambda: safetensors(peft_lora("unet.attic.to_q")),
    "one unknown layer": lambda: safetensors(ON_UNET | peft_lora("unet.attic.to_q")),
    "a whole model": lambda: safetensors({"model.weight": np.ones((2, 2), np.float32)}),
    "another layout": lambda: safetensors(peft_lora(f"unet.{SDXL_UNET}", size=64)),
    "a weight-decomposed one": lambda: safetensors(
        BY_KOHYA | {f"{next(iter(BY_KOHYA))[:-17]}.dora_scale": np.ones((32, 1), np.float32)}
    ),
}
