"""Flux's tensors as its publisher names them, in the names that diffusers gives them.

diffusers' own conversion knows the published width alone; this one reads it from the tensors.
Source of both namings: the published files and diffusers' `FluxTransformer2DModel`.
"""

from collections.abc import Iterator, Mapping

import torch

Tensors = Mapping[str, torch.Tensor]
_PREFIX = "model.diffusion_model."
_ENDS = {
    "time_in.in_layer": "time_text_embed.timestep_embedder.linear_1",
    "time_in.out_layer": "time_text_embed.timestep_embedder.linear_2",
    "vector_in.in_layer": "time_text_embed.text_embedder.linear_1",
    "vector_in.out_layer": "time_text_embed.text_embedder.linear_2",
    "guidance_in.in_layer": "time_text_embed.guidance_embedder.linear_1",
    "guidance_in.out_layer": "time_text_embed.guidance_embedder.linear_2",
    "txt_in": "context_embedder",
    "img_in": "x_embedder",
    "final_layer.linear": "proj_out",
    "final_layer.adaLN_modulation.1": "norm_out.linear",
}
_DOUBLE = {
    "img_mod.lin": "norm1.linear",
    "txt_mod.lin": "norm1_context.linear",
    "img_attn.norm.query_norm": "attn.norm_q",
    "img_attn.norm.key_norm": "attn.norm_k",
    "txt_attn.norm.query_norm": "attn.norm_added_q",
    "txt_attn.norm.key_norm": "attn.norm_added_k",
    "img_attn.proj": "attn.to_out.0",
    "txt_attn.proj": "attn.to_add_out",
    "img_mlp.0": "ff.net.0.proj",
    "img_mlp.2": "ff.net.2",
    "txt_mlp.0": "ff_context.net.0.proj",
    "txt_mlp.2": "ff_context.net.2",
}
_SINGLE = {
    "modulation.lin": "norm.linear",
    "norm.query_norm": "attn.norm_q",
    "norm.key_norm": "attn.norm_k",
    "linear2": "proj_out",
}
_THREE = {
    "img_attn.qkv": ("attn.to_q", "attn.to_k", "attn.to_v"),
    "txt_attn.qkv": ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"),
}


def in_diffusers_names(tensors: Tensors) -> dict[str, torch.Tensor]:
    """The transformer's tensors only. Raises KeyError for a name that Flux does not have."""
    bare = {name.removeprefix(_PREFIX): tensor for name, tensor in tensors.items()}
    renamed: dict[str, torch.Tensor] = {}
    for name, tensor in bare.items():
        if name.startswith("double_blocks."):
            renamed.update(_double(name, tensor))
        elif name.startswith("single_blocks."):
            width = bare[".".join((*name.split(".")[:2], "linear2", "weight"))].shape[0]
            renamed.update(_single(name, tensor, width))
        elif not name.startswith(("vae.", "first_stage_model.", "text_encoders.")):
            layer, _, kind = name.rpartition(".")
            renamed[f"{_ENDS[layer]}.{kind}"] = _swapped(layer, tensor)
    return renamed


def _double(name: str, tensor: torch.Tensor) -> Iterator[tuple[str, torch.Tensor]]:
    _, number, rest = name.split(".", 2)
    layer, _, kind = rest.rpartition(".")
    block = f"transformer_blocks.{number}"
    if layer in _THREE:
        for ours, part in zip(_THREE[layer], tensor.chunk(3), strict=True):
            yield f"{block}.{ours}.{kind}", part
    else:
        yield f"{block}.{_DOUBLE[layer]}.{kind.replace('scale', 'weight')}", tensor


def _single(name: str, tensor: torch.Tensor, width: int) -> Iterator[tuple[str, torch.Tensor]]:
    _, number, rest = name.split(".", 2)
    layer, _, kind = rest.rpartition(".")
    block = f"single_transformer_blocks.{number}"
    if layer == "linear1":
        parts = tensor.split([width, width, width, len(tensor) - 3 * width])
        names = ("attn.to_q", "attn.to_k", "attn.to_v", "proj_mlp")
        for ours, part in zip(names, parts, strict=True):
            yield f"{block}.{ours}.{kind}", part
    else:
        yield f"{block}.{_SINGLE[layer]}.{kind.replace('scale', 'weight')}", tensor


def _swapped(layer: str, tensor: torch.Tensor) -> torch.Tensor:
    """The publisher's last modulation gives shift and scale, diffusers' scale and shift."""
    if layer != "final_layer.adaLN_modulation.1":
        return tensor
    shift, scale = tensor.chunk(2)
    return torch.cat([scale, shift])
