"""Loads a ControlNet beside a UNet: offline, safetensors only, shaped like that UNet."""

from typing import Any

import torch
from diffusers import ControlNetModel, UNet2DConditionModel
from diffusers.loaders.single_file_utils import convert_controlnet_checkpoint
from safetensors import SafetensorError
from safetensors.torch import load_file

from brand.spec import ModelMissing
from generation.engine.control.sources import ControlSource
from generation.engine.denoisers.padding import pad_small_products

_SHAPE = ("block_out_channels", "layers_per_block", "cross_attention_dim", "addition_embed_type")
"""What the two must have in common for the one's residuals to fit into the other."""
_EYE = "controlnet_cond_embedding"


def load_control(source: ControlSource, unet: UNet2DConditionModel) -> ControlNetModel:
    """The ControlNet in the UNet's number format and on its device, ready to be called.

    Raises ModelMissing where it is not sound or belongs to another family of models.
    """
    try:
        net = _from_folder(source) if source.path.is_dir() else _from_file(source, unet)
    except (
        OSError, ValueError, KeyError, TypeError, RuntimeError, AttributeError, SafetensorError,
    ) as exc:  # fmt: skip
        reason = (str(exc).strip() or type(exc).__name__).splitlines()[0]
        raise ModelMissing(f"The ControlNet {source.name!r} cannot be loaded: {reason}") from exc
    lacking = [name for name, value in net.named_parameters() if value.is_meta]
    if lacking:
        raise ModelMissing(f"The ControlNet {source.name!r} cannot be loaded: no {lacking[0]}.")
    other = next((f for f in _SHAPE if _plain(net.config[f]) != _plain(unet.config[f])), None)
    if other is not None:
        raise ModelMissing(
            f"The ControlNet {source.name!r} belongs to another family of models: its {other} is"
            f" {net.config[other]}, the model's is {unet.config[other]}."
        )
    net.eval().requires_grad_(False)
    for parameter in net.parameters():
        # Memory of our own in the usual order: bits depend on how a matrix lies (see loader.py).
        moved = parameter.data.to(unet.device, unet.dtype)
        parameter.data = moved.clone(memory_format=torch.contiguous_format)
    pad_small_products(net)
    return net


def _plain(value: object) -> object:
    return list(value) if isinstance(value, list | tuple) else value


def _from_folder(source: ControlSource) -> ControlNetModel:
    net: ControlNetModel = ControlNetModel.from_pretrained(
        source.path, local_files_only=True, use_safetensors=True, dtype=torch.float32
    )
    return net


def _from_file(source: ControlSource, unet: UNet2DConditionModel) -> ControlNetModel:
    """A single file has no settings: they are the UNet's, but for what its tensors show."""
    shape = ControlNetModel.from_unet(unet, load_weights_from_unet=False).config
    weights = convert_controlnet_checkpoint(load_file(source.path), shape)
    settings: dict[str, Any] = {**shape, "conditioning_embedding_out_channels": _eye(weights)}
    if not any(name.startswith("mid_block.attentions.") for name in weights):
        settings["mid_block_type"] = "UNetMidBlock2D"
    net: ControlNetModel = ControlNetModel.from_config(settings)
    net.load_state_dict(weights)
    return net


def _eye(weights: dict[str, torch.Tensor]) -> tuple[int, ...]:
    """Widths of the layers that bring the map to the latents' size: every second one grows."""
    widths = [weights[f"{_EYE}.conv_in.weight"].shape[0]]
    block = 1
    while f"{_EYE}.blocks.{block}.weight" in weights:
        widths.append(weights[f"{_EYE}.blocks.{block}.weight"].shape[0])
        block += 2
    return tuple(widths)
