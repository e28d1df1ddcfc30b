"""The tiny models as single checkpoint files, in the naming that such files have (CompVis, SGM)."""

import json
import re
import shutil
from pathlib import Path

import safetensors.torch
import torch

Tensors = dict[str, torch.Tensor]
_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "time_emb_proj": "emb_layers.1",
    "conv_shortcut": "skip_connection",
}
_UNET_ENDS = {
    "conv_in": "input_blocks.0.0",
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
    "mid_block.resnets.0": "middle_block.0",
    "mid_block.attentions.0": "middle_block.1",
    "mid_block.resnets.1": "middle_block.2",
}
_VAE_NAMES = (
    (r"mid_block\.resnets\.0", "mid.block_1"),
    (r"mid_block\.resnets\.1", "mid.block_2"),
    (r"mid_block\.attentions\.0", "mid.attn_1"),
    (r"group_norm", "norm"),
    (r"to_q", "q"),
    (r"to_k", "k"),
    (r"to_v", "v"),
    (r"to_out\.0", "proj_out"),
    (r"conv_norm_out", "norm_out"),
    (r"conv_shortcut", "nin_shortcut"),
    (r"down_blocks\.(\d+)\.resnets\.(\d+)", r"down.\1.block.\2"),
    (r"down_blocks\.(\d+)\.downsamplers\.0", r"down.\1.downsample"),
    (r"up_blocks\.(\d+)\.resnets\.(\d+)", r"up.\1.block.\2"),
    (r"up_blocks\.(\d+)\.upsamplers\.0", r"up.\1.upsample"),
)
_OPEN_CLIP_LAYER = {
    "layer_norm1": "ln_1",
    "layer_norm2": "ln_2",
    "mlp.fc1": "mlp.c_fc",
    "mlp.fc2": "mlp.c_proj",
    "self_attn.out_proj": "attn.out_proj",
}


def write_single_file(folder: Path, target: Path) -> Path:
    """The model of this diffusers folder as one file, its configs in NAME.config beside it."""
    index = json.loads((folder / "model_index.json").read_text())
    sdxl = "text_encoder_2" in index
    out = _renamed_unet(folder)
    out |= {f"first_stage_model.{name}": tensor for name, tensor in renamed_vae(folder).items()}
    first = "conditioner.embedders.0" if sdxl else "cond_stage_model"
    for name, tensor in read_part(folder / "text_encoder").items():
        out[f"{first}.transformer.text_model.{name.removeprefix('text_model.')}"] = tensor
    if sdxl:
        out |= _renamed_second_encoder(folder)
    safetensors.torch.save_file({k: v.contiguous() for k, v in out.items()}, target)
    shutil.copytree(
        folder, target.with_suffix(".config"), ignore=shutil.ignore_patterns("*.safetensors")
    )
    return target


def read_part(folder: Path) -> Tensors:
    """The tensors of one part of a diffusers folder."""
    return safetensors.torch.load_file(next(folder.glob("*.safetensors")))


def _renamed_unet(folder: Path) -> Tensors:
    layers = json.loads((folder / "unet" / "config.json").read_text())["layers_per_block"]
    tensors = read_part(folder / "unet")
    return {
        f"model.diffusion_model.{_unet_name(name, layers, tensors)}": tensor
        for name, tensor in tensors.items()
    }


def _unet_name(name: str, layers: int, tensors: Tensors) -> str:
    if found := re.match(r"(down|up)_blocks\.(\d+)\.(\w+)\.(\d+)\.(.*)", name):
        side, level, kind, number, rest = found.groups()
        return _block_name(side, int(level), kind, int(number), rest, layers, tensors)
    for ours, theirs in _UNET_ENDS.items():
        if name.startswith(f"{ours}."):
            rest = name.removeprefix(f"{ours}.")
            return f"{theirs}.{_resnet_name(rest) if 'resnets' in ours else rest}"
    raise KeyError(name)


def _block_name(
    side: str, level: int, kind: str, number: int, rest: str, layers: int, tensors: Tensors
) -> str:
    if side == "down":
        at = 1 + level * (layers + 1) + number
        if kind == "downsamplers":
            return f"input_blocks.{(level + 1) * (layers + 1)}.0.{rest.replace('conv', 'op')}"
    else:
        at = level * (layers + 1) + number
        if kind == "upsamplers":
            attends = any(n.startswith(f"up_blocks.{level}.attentions") for n in tensors)
            return f"output_blocks.{(level + 1) * (layers + 1) - 1}.{1 + attends}.{rest}"
    place = "input_blocks" if side == "down" else "output_blocks"
    if kind == "resnets":
        return f"{place}.{at}.0.{_resnet_name(rest)}"
    return f"{place}.{at}.1.{rest}"


def _resnet_name(rest: str) -> str:
    part, _, kind = rest.rpartition(".")
    return f"{_RESNET[part]}.{kind}"


def renamed_vae(folder: Path) -> Tensors:
    """The VAE's tensors in CompVis' naming."""
    levels = len(json.loads((folder / "vae" / "config.json").read_text())["block_out_channels"])
    out: Tensors = {}
    for name, tensor in read_part(folder / "vae").items():
        renamed = name
        for ours, theirs in _VAE_NAMES:
            renamed = re.sub(ours, theirs, renamed)
        if found := re.search(r"\bup\.(\d+)\.", renamed):
            renamed = renamed.replace(found[0], f"up.{levels - 1 - int(found[1])}.")
        is_matrix = ".attn_1." in renamed and tensor.ndim == 2
        out[renamed] = tensor[:, :, None, None] if is_matrix else tensor
    return out


def _renamed_second_encoder(folder: Path) -> Tensors:
    """In OpenCLIP's naming: one matrix for query, key and value; the projection transposed."""
    tensors = read_part(folder / "text_encoder_2")
    prefix = "conditioner.embedders.1.model"
    out = {
        f"{prefix}.token_embedding.weight": tensors["text_model.embeddings.token_embedding.weight"],
        f"{prefix}.positional_embedding": tensors[
            "text_model.embeddings.position_embedding.weight"
        ],
        f"{prefix}.ln_final.weight": tensors["text_model.final_layer_norm.weight"],
        f"{prefix}.ln_final.bias": tensors["text_model.final_layer_norm.bias"],
        f"{prefix}.text_projection": tensors["text_projection.weight"].T,
    }
    count = 1 + max(int(m[1]) for m in (re.search(r"layers\.(\d+)", n) for n in tensors) if m)
    for number in range(count):
        ours, theirs = (
            f"text_model.encoder.layers.{number}",
            f"{prefix}.transformer.resblocks.{number}",
        )
        for kind in ("weight", "bias"):
            parts = [tensors[f"{ours}.self_attn.{part}_proj.{kind}"] for part in "qkv"]
            out[f"{theirs}.attn.in_proj_{kind}"] = torch.cat(parts)
            for mine, open_clip in _OPEN_CLIP_LAYER.items():
                out[f"{theirs}.{open_clip}.{kind}"] = tensors[f"{ours}.{mine}.{kind}"]
    return out
