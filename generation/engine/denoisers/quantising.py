"""Weights kept in eight bits: a denoiser takes less memory, and a little more time.

Only the weights are eight bits wide, with one scale for each output channel; they are brought back
to the model's number format where a layer computes. Source of the scheme: Jacob et al.,
"Quantization and Training of Neural Networks" (2018), section 2, symmetric and per channel.
"""

from collections.abc import Callable, Mapping

import torch

from generation.engine.denoisers.padding import PaddedLinear

_INT8_MOST = 127.0


def _as_int8(weight: torch.Tensor, largest: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    scale = largest / _INT8_MOST
    return (weight / scale).round().to(torch.int8), scale


def _as_fp8(weight: torch.Tensor, largest: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    kind = torch.float8_e4m3fn
    scale = largest / torch.finfo(kind).max
    return (weight / scale).to(kind), scale


_Store = Callable[[torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]]
FORMATS: Mapping[str, _Store] = {"int8": _as_int8, "fp8": _as_fp8}


class _EightBits(torch.nn.Module):
    """A layer whose weight is computed from its stored form whenever it is asked for."""

    stored: torch.Tensor
    scale: torch.Tensor
    like: torch.Tensor
    """Empty, in the model's number format."""

    @property
    def weight(self) -> torch.Tensor:
        """As large as it was, in the model's number format."""
        return (self.stored.to(self.scale.dtype) * self.scale).to(self.like.dtype)


class EightBitLinear(_EightBits, PaddedLinear):  # type: ignore[override]  # only read
    """A linear layer with its weight in eight bits."""


class EightBitConv2d(_EightBits, torch.nn.Conv2d):  # type: ignore[override]  # only read
    """A convolution with its weight in eight bits."""


_KINDS: Mapping[type[torch.nn.Module], type[_EightBits]] = {
    torch.nn.Linear: EightBitLinear,
    PaddedLinear: EightBitLinear,
    torch.nn.Conv2d: EightBitConv2d,
}


@torch.no_grad()
def quantise(denoiser: torch.nn.Module, name: str) -> None:
    """Keep the weights of the denoiser's blocks in this format, in place.

    What lies outside of the blocks (the first and last layers, the embeddings) is small and
    sensitive and stays as it is.
    """
    for path, layer in denoiser.named_modules():
        if "block" in path and (kind := _KINDS.get(type(layer))) is not None:
            _store(layer, kind, FORMATS[name])


def _store(layer: torch.nn.Module, kind: type[_EightBits], form: _Store) -> None:
    weight: torch.Tensor = layer.get_parameter("weight").detach()
    rows = weight.float().flatten(1)
    largest = rows.abs().amax(1).clamp(min=torch.finfo(torch.float32).tiny * _INT8_MOST * 4)
    stored, scale = form(weight.float(), largest.view(-1, *[1] * (weight.ndim - 1)))
    del layer.weight
    layer.register_buffer("stored", stored)
    layer.register_buffer("scale", scale)
    layer.register_buffer("like", weight.new_empty(0))
    layer.__class__ = kind
