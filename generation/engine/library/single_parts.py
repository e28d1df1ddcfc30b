"""The parts of a single file that diffusers is given ready, and those that lie beside the file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from diffusers import (
    AutoencoderKL,
    FlowMatchEulerDiscreteScheduler,
    FluxTransformer2DModel,
    SD3Transformer2DModel,
    UNet2DConditionModel,
)
from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer, T5EncoderModel
from transformers import T5TokenizerFast as T5Tokenizer

from generation.engine.library.flux_names import in_diffusers_names
from generation.engine.library.sources import ModelSource

NO_T5: Mapping[str, Any] = {"text_encoder_3": None, "tokenizer_3": None}
"""SD3 works without its largest text encoder."""
_SECOND_PAD_TOKEN = "!"  # noqa: S105  # the second text encoder of SDXL and SD3 is padded with it
_T5_TOKENS = {"sd3": 256, "flux": 512}
_KINDS: Mapping[tuple[str, str], Any] = {
    ("sd3", "vae"): AutoencoderKL,
    ("sd3", "text_encoder"): CLIPTextModelWithProjection,
    ("sd3", "text_encoder_2"): CLIPTextModelWithProjection,
    ("sd3", "text_encoder_3"): T5EncoderModel,
    ("flux", "vae"): AutoencoderKL,
    ("flux", "text_encoder"): CLIPTextModel,
    ("flux", "text_encoder_2"): T5EncoderModel,
}


def parts_of_file(source: ModelSource, dtype: torch.dtype) -> dict[str, Any]:
    """Parts by their names in the pipeline. Raises what diffusers and transformers raise."""
    parts = _tokenizers(source)
    for part, folder in source.beside:
        kind = _KINDS[source.layout, part]
        parts[part] = kind.from_pretrained(
            folder, dtype=dtype, local_files_only=True, use_safetensors=True
        )
    if source.layout == "flux":
        parts["transformer"] = _flux(source, dtype)
        if not parts["transformer"].config.guidance_embeds and source.changes:
            parts["scheduler"] = FlowMatchEulerDiscreteScheduler(shift=1.0)  # Flux schnell
    elif source.changes:
        name, kind = (
            ("transformer", SD3Transformer2DModel)
            if source.layout == "sd3"
            else ("unet", UNet2DConditionModel)
        )
        parts[name] = kind.from_single_file(
            str(source.path), subfolder=name, **_how(source, dtype), **source.changes
        )
    return parts


def _flux(source: ModelSource, dtype: torch.dtype) -> FluxTransformer2DModel:
    tensors = safetensors.torch.load_file(source.path)
    return FluxTransformer2DModel.from_single_file(
        in_diffusers_names(tensors),
        subfolder="transformer",
        **_how(source, dtype),
        **source.changes,
    )


def _how(source: ModelSource, dtype: torch.dtype) -> dict[str, Any]:
    return {"config": str(source.config), "dtype": dtype, "local_files_only": True}


def _tokenizers(source: ModelSource) -> dict[str, Any]:
    names = ("tokenizer", "tokenizer_2", "tokenizer_3")
    found: dict[str, Any] = {}
    for name, folder in zip(names, source.tokenizers, strict=False):
        if _is_t5(source.layout, name):
            found[name] = _t5_tokenizer(folder, _T5_TOKENS[source.layout])
        else:
            found[name] = CLIPTokenizer.from_pretrained(folder)
            if name == "tokenizer_2":
                found[name].pad_token = _SECOND_PAD_TOKEN
    if source.layout == "sd3" and "tokenizer_3" not in found:
        found |= NO_T5
    return found


def _is_t5(layout: str, name: str) -> bool:
    return (layout, name) in {("sd3", "tokenizer_3"), ("flux", "tokenizer_2")}


def _t5_tokenizer(folder: Path, length: int) -> T5Tokenizer:
    return T5Tokenizer.from_pretrained(folder, model_max_length=length)
