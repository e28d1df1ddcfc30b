"""Text encoders: the windows of a prompt become embeddings, each token as strong as it is weighted.

A token's weight multiplies its embedding; then the window is scaled back to its mean size, as
AUTOMATIC1111 does with the plain mean (its wiki page "Features", section "Attention/emphasis"); the
mean of sizes cannot be near zero. A window without weights is computed as in diffusers' own
pipelines and gives the same bits.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from transformers import CLIPTextModel, PreTrainedTokenizerBase, T5EncoderModel

from generation.engine.words.windows import Window, single_window, windows_of


@dataclass(frozen=True, kw_only=True, eq=False)
class Embeds:
    """One prompt as one or more text encoders read it."""

    hidden: torch.Tensor
    """(1, tokens, channels)"""
    pooled: torch.Tensor | None
    """(1, channels) of the first window, where the encoder gives it."""

    @property
    def bytes(self) -> int:
        """In memory."""
        return self.hidden.nbytes + (0 if self.pooled is None else self.pooled.nbytes)

    def zeros(self) -> "Embeds":
        """The same shapes, all zero."""
        pooled = None if self.pooled is None else torch.zeros_like(self.pooled)
        return Embeds(hidden=torch.zeros_like(self.hidden), pooled=pooled)


class ClipReader:
    """A CLIP text encoder with its tokenizer; `penultimate` reads the last layer but one."""

    def __init__(
        self, tokenizer: PreTrainedTokenizerBase, encoder: CLIPTextModel, *, penultimate: bool
    ) -> None:
        self._tokenizer = tokenizer
        self._encoder = encoder
        self._penultimate = penultimate

    def windows(self, prompt: str, words: Mapping[str, tuple[int, ...]]) -> list[Window]:
        """At least one."""
        return windows_of(self._tokenizer, prompt, words)

    def read(self, windows: list[Window], count: int) -> Embeds:
        """`count` windows laid end to end; those that lack are empty."""
        padded = windows + [Window()] * (count - len(windows))
        parts = [self._read_one(window) for window in padded]
        return Embeds(hidden=torch.cat([part.hidden for part in parts], 1), pooled=parts[0].pooled)

    def _read_one(self, window: Window) -> Embeds:
        length = self._tokenizer.model_max_length
        ids = [self._tokenizer.bos_token_id, *window.ids, self._tokenizer.eos_token_id]
        padding = length - len(ids)
        device = self._encoder.device
        tokens = torch.tensor([ids + [self._tokenizer.pad_token_id] * padding], device=device)
        mask = None
        if getattr(self._encoder.config, "use_attention_mask", False):
            mask = torch.tensor([[1] * len(ids) + [0] * padding], device=device)
        out = self._encoder(tokens, attention_mask=mask, output_hidden_states=self._penultimate)
        hidden = out.hidden_states[-2] if self._penultimate else out.last_hidden_state
        weights = [1.0, *window.weights, *[1.0] * (padding + 1)]
        return Embeds(hidden=_weighted(hidden, window, weights), pooled=_pooled(out))


class T5Reader:
    """A T5 text encoder with its tokenizer, reading one long window."""

    def __init__(
        self, tokenizer: PreTrainedTokenizerBase, encoder: T5EncoderModel, *, length: int
    ) -> None:
        self._tokenizer = tokenizer
        self._encoder = encoder
        self.length = length

    def read(self, prompt: str) -> torch.Tensor:
        """(1, length, channels). Raises SpecInvalid if it is too long."""
        window = single_window(self._tokenizer, prompt, self.length)
        ids = [*window.ids, self._tokenizer.eos_token_id]
        padding = self.length - len(ids)
        tokens = torch.tensor(
            [ids + [self._tokenizer.pad_token_id] * padding], device=self._encoder.device
        )
        weights = [*window.weights, *[1.0] * (padding + 1)]
        return _weighted(self._encoder(tokens)[0], window, weights)


def _pooled(out: Any) -> torch.Tensor | None:  # noqa: ANN401  # transformers' outputs
    """The projected embedding where the encoder has a projection, else CLIP's own."""
    projected: torch.Tensor | None = getattr(out, "text_embeds", None)
    own: torch.Tensor | None = getattr(out, "pooler_output", None)
    return own if projected is None else projected


def _weighted(hidden: torch.Tensor, window: Window, weights: list[float]) -> torch.Tensor:
    if window.is_plain:
        return hidden
    factors = torch.tensor(weights, device=hidden.device)
    scaled = hidden.float() * factors[None, :, None]
    return (scaled * (hidden.float().abs().mean() / scaled.abs().mean())).to(hidden.dtype)
