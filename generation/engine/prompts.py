"""Prompts become text embeddings: weights, BREAK, and prompts longer than one window.

A prompt is cut into windows of as many tokens as the text encoder reads (75 beside the start and
end tokens for CLIP), each encoded alone and laid end to end. A token's weight multiplies its
embedding; then the window is scaled back to its mean size, as AUTOMATIC1111 does with the plain
mean (its wiki page "Features", section "Attention/emphasis"); the mean of sizes cannot be near
zero. A prompt of one window without weights takes the same path as in diffusers' own pipelines and
gives the same bits.
"""

from dataclasses import dataclass
from typing import Any

import torch
from diffusers import DiffusionPipeline
from transformers import CLIPTextModel, CLIPTokenizer

from brand.emphasis import parse_emphasis


@dataclass(frozen=True, kw_only=True)
class Window:
    """The tokens of one reading of the text encoder, without start and end."""

    ids: tuple[int, ...] = ()
    weights: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Embeds:
    hidden: torch.Tensor
    """(1, windows × length, channels)"""
    pooled: torch.Tensor | None
    """(1, channels) of the first window, where the encoder gives it."""


@torch.no_grad()
def encode_prompts(
    pipe: DiffusionPipeline, prompt: str, negative: str, *, guided: bool
) -> dict[str, Any]:
    """Keyword arguments for the pipeline of an SD 1.x or SDXL layout.

    Without a negative prompt SDXL models may want zeros, as their configuration says. A negative
    prompt is only encoded where it has an effect.
    """
    encoders = [(pipe.tokenizer, pipe.text_encoder)]
    if hasattr(pipe, "text_encoder_2"):
        encoders.append((pipe.tokenizer_2, pipe.text_encoder_2))
    texts = [prompt, negative] if guided else [prompt]
    cut = [[windows_of(tokenizer, text) for tokenizer, _ in encoders] for text in texts]
    count = max(len(windows) for by_encoder in cut for windows in by_encoder)
    encoded = [
        _together(
            [
                _encode(tokenizer, encoder, windows, count, penultimate=len(encoders) > 1)
                for (tokenizer, encoder), windows in zip(encoders, by_encoder, strict=True)
            ]
        )
        for by_encoder in cut
    ]
    if guided and not negative and getattr(pipe.config, "force_zeros_for_empty_prompt", False):
        encoded[1] = _zeros_like(encoded[0])
    return _arguments(encoded)


def windows_of(tokenizer: CLIPTokenizer, prompt: str) -> list[Window]:
    """The prompt's windows, at least one; BREAK starts a new one."""
    room = tokenizer.model_max_length - 2
    windows: list[Window] = []
    for chunk in parse_emphasis(prompt):
        ids: list[int] = []
        weights: list[float] = []
        for span in chunk:
            found = tokenizer(span.text, add_special_tokens=False, verbose=False).input_ids
            ids += found
            weights += [span.weight] * len(found)
        windows += [
            Window(ids=tuple(ids[at : at + room]), weights=tuple(weights[at : at + room]))
            for at in range(0, len(ids), room)
        ]
    return windows or [Window()]


def _encode(
    tokenizer: CLIPTokenizer,
    encoder: CLIPTextModel,
    windows: list[Window],
    count: int,
    *,
    penultimate: bool,
) -> _Embeds:
    padded = windows + [Window()] * (count - len(windows))
    parts = [_encode_window(tokenizer, encoder, window, penultimate) for window in padded]
    return _Embeds(hidden=torch.cat([part.hidden for part in parts], 1), pooled=parts[0].pooled)


def _encode_window(
    tokenizer: CLIPTokenizer, encoder: CLIPTextModel, window: Window, penultimate: bool
) -> _Embeds:
    length = tokenizer.model_max_length
    ids = [tokenizer.bos_token_id, *window.ids, tokenizer.eos_token_id]
    padding = length - len(ids)
    device = encoder.device
    tokens = torch.tensor([ids + [tokenizer.pad_token_id] * padding], device=device)
    mask = None
    if getattr(encoder.config, "use_attention_mask", False):
        mask = torch.tensor([[1] * len(ids) + [0] * padding], device=device)
    out = encoder(tokens, attention_mask=mask, output_hidden_states=penultimate)
    hidden = out.hidden_states[-2] if penultimate else out[0]
    pooled = out[0] if penultimate and out[0].ndim == 2 else None
    return _Embeds(hidden=_weighted(hidden, window, padding), pooled=pooled)


def _weighted(hidden: torch.Tensor, window: Window, padding: int) -> torch.Tensor:
    if all(weight == 1 for weight in window.weights):
        return hidden
    weights = torch.tensor([1.0, *window.weights, *[1.0] * (padding + 1)], device=hidden.device)
    scaled = hidden.float() * weights[None, :, None]
    return (scaled * (hidden.float().abs().mean() / scaled.abs().mean())).to(hidden.dtype)


def _together(parts: list[_Embeds]) -> _Embeds:
    """The encoders' channels side by side; the pooled embedding is the last encoder's."""
    pooled = next((part.pooled for part in parts if part.pooled is not None), None)
    return _Embeds(hidden=torch.cat([part.hidden for part in parts], -1), pooled=pooled)


def _zeros_like(encoded: _Embeds) -> _Embeds:
    pooled = None if encoded.pooled is None else torch.zeros_like(encoded.pooled)
    return _Embeds(hidden=torch.zeros_like(encoded.hidden), pooled=pooled)


def _arguments(encoded: list[_Embeds]) -> dict[str, Any]:
    out: dict[str, Any] = {"prompt_embeds": encoded[0].hidden}
    if len(encoded) > 1:
        out["negative_prompt_embeds"] = encoded[1].hidden
    if encoded[0].pooled is not None:
        out["pooled_prompt_embeds"] = encoded[0].pooled
        if len(encoded) > 1:
            out["negative_pooled_prompt_embeds"] = encoded[1].pooled
    return out
