"""Tiny SD3 and Flux models as single checkpoint files, in the naming that such files have."""

import json
import re
import shutil
from pathlib import Path

import safetensors.torch
import torch

from tests.fakes.single_files import read_part, renamed_vae

Tensors = dict[str, torch.Tensor]
_SD3_ENDS = {
    "pos_embed.pos_embed": "pos_embed",
    "pos_embed.proj": "x_embedder.proj",
    "time_text_embed.timestep_embedder.linear_1": "t_embedder.mlp.0",
    "time_text_embed.timestep_embedder.linear_2": "t_embedder.mlp.2",
    "time_text_embed.text_embedder.linear_1": "y_embedder.mlp.0",
    "time_text_embed.text_embedder.linear_2": "y_embedder.mlp.2",
    "proj_out": "final_layer.linear",
    "norm_out.linear": "final_layer.adaLN_modulation.1",
}
_SD3_BLOCK = {
    "attn.to_out.0": "x_block.attn.proj",
    "attn.to_add_out": "context_block.attn.proj",
    "norm1.linear": "x_block.adaLN_modulation.1",
    "norm1_context.linear": "context_block.adaLN_modulation.1",
    "ff.net.0.proj": "x_block.mlp.fc1",
    "ff.net.2": "x_block.mlp.fc2",
    "ff_context.net.0.proj": "context_block.mlp.fc1",
    "ff_context.net.2": "context_block.mlp.fc2",
}
_FLUX_ENDS = {
    "time_text_embed.timestep_embedder.linear_1": "time_in.in_layer",
    "time_text_embed.timestep_embedder.linear_2": "time_in.out_layer",
    "time_text_embed.text_embedder.linear_1": "vector_in.in_layer",
    "time_text_embed.text_embedder.linear_2": "vector_in.out_layer",
    "time_text_embed.guidance_embedder.linear_1": "guidance_in.in_layer",
    "time_text_embed.guidance_embedder.linear_2": "guidance_in.out_layer",
    "context_embedder": "txt_in",
    "x_embedder": "img_in",
    "proj_out": "final_layer.linear",
    "norm_out.linear": "final_layer.adaLN_modulation.1",
}
_FLUX_BLOCK = {
    "norm1.linear": "img_mod.lin",
    "norm1_context.linear": "txt_mod.lin",
    "attn.norm_q": "img_attn.norm.query_norm",
    "attn.norm_k": "img_attn.norm.key_norm",
    "attn.norm_added_q": "txt_attn.norm.query_norm",
    "attn.norm_added_k": "txt_attn.norm.key_norm",
    "attn.to_out.0": "img_attn.proj",
    "attn.to_add_out": "txt_attn.proj",
    "ff.net.0.proj": "img_mlp.0",
    "ff.net.2": "img_mlp.2",
    "ff_context.net.0.proj": "txt_mlp.0",
    "ff_context.net.2": "txt_mlp.2",
}
_FLUX_SINGLE = {
    "norm.linear": "modulation.lin",
    "attn.norm_q": "norm.query_norm",
    "attn.norm_k": "norm.key_norm",
    "proj_out": "linear2",
}
_JOINED = {
    "attn.to_q": ("attn.to_k", "attn.to_v"),
    "attn.add_q_proj": ("attn.add_k_proj", "attn.add_v_proj"),
}


def write_whole_file(folder: Path, target: Path) -> Path:
    """The model of this diffusers folder as one file, its configs in NAME.config beside it."""
    layout = "sd3" if (folder / "tokenizer_2").is_dir() and _is_sd3(folder) else "flux"
    out = _transformer(folder, layout)
    out = {f"model.diffusion_model.{name}": tensor for name, tensor in out.items()}
    out |= {f"first_stage_model.{name}": tensor for name, tensor in renamed_vae(folder).items()}
    encoders = {"text_encoder": "clip_l", "text_encoder_2": "clip_g", "text_encoder_3": "t5xxl"}
    if layout == "flux":
        encoders = {"text_encoder": "clip_l", "text_encoder_2": "t5xxl"}
    for part, name in encoders.items():
        if (folder / part).is_dir():
            out |= _encoder(folder / part, f"text_encoders.{name}.transformer.")
    _save(out, target)
    shutil.copytree(
        folder, target.with_suffix(".config"), ignore=shutil.ignore_patterns("*.safetensors")
    )
    return target


def write_transformer_file(folder: Path, target: Path) -> Path:
    """The transformer alone; everything else lies in NAME.config beside it, with its weights."""
    layout = "sd3" if _is_sd3(folder) else "flux"
    _save(_transformer(folder, layout), target)
    shutil.copytree(folder, target.with_suffix(".config"))
    for weights in (target.with_suffix(".config") / "transformer").glob("*.safetensors"):
        weights.unlink()
    return target


def _is_sd3(folder: Path) -> bool:
    return "SD3" in json.loads((folder / "transformer" / "config.json").read_text())["_class_name"]


def _save(tensors: Tensors, target: Path) -> None:
    safetensors.torch.save_file({k: v.clone().contiguous() for k, v in tensors.items()}, target)


def _encoder(folder: Path, prefix: str) -> Tensors:
    clip = "t5" not in prefix
    return {
        prefix + (_with_wrapper(name) if clip else name): tensor
        for name, tensor in read_part(folder).items()
    }


def _with_wrapper(name: str) -> str:
    has_one = name.startswith(("text_model.", "text_projection."))
    return name if has_one else f"text_model.{name}"


def _transformer(folder: Path, layout: str) -> Tensors:
    tensors = read_part(folder / "transformer")
    return dict(
        pair
        for name in tensors
        for pair in (_sd3_names if layout == "sd3" else _flux_names)(name, tensors)
    )


def _sd3_names(name: str, tensors: Tensors) -> list[tuple[str, torch.Tensor]]:
    tensor = tensors[name]
    blocks = 1 + max(
        int(m[1]) for m in (re.match(r"transformer_blocks\.(\d+)", n) for n in tensors) if m
    )
    found = re.match(r"transformer_blocks\.(\d+)\.(.*)\.(weight|bias)", name)
    if not found:
        if name == "pos_embed.pos_embed":
            return [("pos_embed", tensor)]
        layer, _, kind = name.rpartition(".")
        last = layer == "norm_out.linear"
        return [(f"{_SD3_ENDS.get(layer, layer)}.{kind}", _swapped(tensor) if last else tensor)]
    number, layer, kind = found.groups()
    prefix = f"joint_blocks.{number}"
    if layer in _JOINED:
        side = "x_block" if layer == "attn.to_q" else "context_block"
        return [(f"{prefix}.{side}.attn.qkv.{kind}", _joined(name, layer, tensors))]
    if layer not in _SD3_BLOCK:
        return []
    last = layer == "norm1_context.linear" and int(number) == blocks - 1
    return [(f"{prefix}.{_SD3_BLOCK[layer]}.{kind}", _swapped(tensor) if last else tensor)]


def _flux_names(name: str, tensors: Tensors) -> list[tuple[str, torch.Tensor]]:
    tensor = tensors[name]
    found = re.match(r"(single_)?transformer_blocks\.(\d+)\.(.*)\.(weight|bias)", name)
    if not found:
        layer, _, kind = name.rpartition(".")
        last = layer == "norm_out.linear"
        return [(f"{_FLUX_ENDS[layer]}.{kind}", _swapped(tensor) if last else tensor)]
    single, number, layer, kind = found.groups()
    prefix = f"{'single' if single else 'double'}_blocks.{number}"
    if single and layer == "attn.to_q":
        mlp = tensors[name.replace(layer, "proj_mlp")]
        return [(f"{prefix}.linear1.{kind}", torch.cat([_joined(name, layer, tensors), mlp]))]
    if layer in _JOINED:
        side = "img_attn" if layer == "attn.to_q" else "txt_attn"
        return [(f"{prefix}.{side}.qkv.{kind}", _joined(name, layer, tensors))]
    names = _FLUX_SINGLE if single else _FLUX_BLOCK
    if layer not in names:
        return []
    renamed_kind = "scale" if "norm_" in layer or "norm_added" in layer else kind
    return [(f"{prefix}.{names[layer]}.{renamed_kind}", tensor)]


def _joined(name: str, layer: str, tensors: Tensors) -> torch.Tensor:
    others = [tensors[name.replace(layer, other)] for other in _JOINED[layer]]
    return torch.cat([tensors[name], *others])


def _swapped(tensor: torch.Tensor) -> torch.Tensor:
    scale, shift = tensor.chunk(2)
    return torch.cat([shift, scale])
