"""Loads a model from disk into diffusers pipelines: offline, safetensors only."""

import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    DiffusionPipeline,
    FluxPipeline,
    StableDiffusion3Pipeline,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
)
from diffusers.utils import logging as diffusers_logging
from transformers import T5EncoderModel
from transformers.utils import logging as transformers_logging

from brand.spec import ModelMissing
from generation.engine.device import Device
from generation.engine.library.single_parts import NO_T5, parts_of_file
from generation.engine.library.sources import DENOISERS, ModelSource
from generation.engine.library.weights import read_header

KINDS: Mapping[str, type[DiffusionPipeline]] = {
    "sd1": StableDiffusionPipeline,
    "sdxl": StableDiffusionXLPipeline,
    "sd3": StableDiffusion3Pipeline,
    "flux": FluxPipeline,
}
_NO_PICTURES_IN: Mapping[str, Any] = {"feature_extractor": None, "image_encoder": None}
_LEFT_OUT: Mapping[str, Mapping[str, Any]] = {
    "sd1": {**_NO_PICTURES_IN, "safety_checker": None, "requires_safety_checker": False},
    "sdxl": {**_NO_PICTURES_IN, "add_watermarker": False},
    "sd3": _NO_PICTURES_IN,
    "flux": _NO_PICTURES_IN,
}


def quiet_libraries() -> None:
    """Their progress bars and false alarms (LoRA loading) would fill the service's log."""
    diffusers_logging.disable_progress_bar()
    diffusers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()
    warnings.filterwarnings("ignore", module=r"(diffusers|transformers|peft)\.")


def load_parts(source: ModelSource, device: Device) -> DiffusionPipeline:
    """The model's parts on the device, held by their stock pipeline. Raises ModelMissing."""
    try:
        pipe = _pipeline(source, device.dtype)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, AttributeError) as exc:
        reason = (str(exc).strip() or type(exc).__name__).splitlines()[0]
        if "meta tensor" in reason:  # torch's words for a parameter that nothing was loaded into
            reason = "it lacks some of its tensors."
        raise ModelMissing(f"The model {source.name!r} cannot be loaded: {reason}") from exc
    _tie_words(pipe)
    _refuse_holes(source, pipe)
    _lay_out(pipe)
    pipe.to(device.torch_device)
    return pipe


def _pipeline(source: ModelSource, dtype: torch.dtype) -> DiffusionPipeline:
    kind = KINDS[source.layout]
    parts = dict(_LEFT_OUT[source.layout])
    if source.path.is_dir():
        if source.layout == "sd3" and not (source.path / "text_encoder_3").is_dir():
            parts |= NO_T5
        pipe = kind.from_pretrained(
            source.path,
            dtype=dtype,
            local_files_only=True,
            use_safetensors=True,
            variant=_variant(source.path / DENOISERS[source.layout]),
            **parts,
        )
    else:
        parts |= parts_of_file(source, dtype)
        pipe = kind.from_single_file(
            str(source.path),
            config=str(source.config),
            dtype=dtype,
            local_files_only=True,
            **parts,
        )
    pipe.set_progress_bar_config(disable=True)
    return pipe


def _variant(denoiser: Path) -> str | None:
    """`fp16` where the denoiser lies there in that variant only."""
    plain = any(".fp16." not in file.name for file in denoiser.glob("diffusion*.safetensors"))
    return None if plain else "fp16"


def _tie_words(pipe: DiffusionPipeline) -> None:
    """T5's words stand once in its file and twice in its module, which diffusers does not tie."""
    for _, module in _modules(pipe):
        if isinstance(module, T5EncoderModel):
            module.set_input_embeddings(module.shared)


def _refuse_holes(source: ModelSource, pipe: DiffusionPipeline) -> None:
    """Missing tensors stay without storage in diffusers' parts; transformers draws them anew."""
    for part, module in _modules(pipe):
        lacking = [name for name, value in module.named_parameters() if value.is_meta]
        if not lacking and part.startswith("text_encoder") and source.path.is_dir():
            stored = {
                _bare(name)
                for file in (source.path / part).glob("*.safetensors")
                for name in read_header(file).tensors
            }
            stored |= {_SAME[name] for name in stored & set(_SAME)}
            lacking = [name for name, _ in module.named_parameters() if _bare(name) not in stored]
        if lacking:
            raise ModelMissing(
                f"The model {source.name!r} cannot be loaded: it lacks {part}.{lacking[0]}."
            )


_SAME = {"encoder.embed_tokens.weight": "shared.weight"}
"""T5's words stand under either name in its file."""


def _bare(name: str) -> str:
    """Newer versions of transformers have no `text_model.` around CLIP's text encoder."""
    return name.removeprefix("text_model.")


def _lay_out(pipe: DiffusionPipeline) -> None:
    """Copy the weights into memory of our own, in the usual order.

    Bits depend on how a matrix lies and is aligned, so a mapped file would give other ones than the
    same weights from elsewhere; and a mapped file that someone truncates kills the process.
    """
    for _, module in _modules(pipe):
        module.eval()  # a T5 from a single file comes with its dropout on
        for parameter in module.parameters():
            parameter.data = parameter.data.clone(memory_format=torch.contiguous_format)


def _modules(pipe: DiffusionPipeline) -> Iterator[tuple[str, torch.nn.Module]]:
    for part, module in pipe.components.items():
        if isinstance(module, torch.nn.Module):
            yield part, module
