"""The demo model's text encoder, and the short lesson in words it gets before the UNet.

Linear heads read product, colours, patterns, setting and light from the encoder's output. After
that the words lie apart, and the UNet can use them from its first step.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  the name everybody knows
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from generation.illustrator.captions import caption, full_caption
from generation.illustrator.scene import (
    COLORS,
    LIGHTINGS,
    PATTERNS,
    PRODUCTS,
    SETTINGS,
    Scene,
    random_scene,
)
from generation.train.tokenizer import CONTEXT

_BATCH = 128
_COLOR_NAMES = tuple(COLORS)
HEADS: dict[str, tuple[str, ...]] = {
    "product": PRODUCTS,
    "color": _COLOR_NAMES,
    "setting": SETTINGS,
    "pattern": PATTERNS,
    "lighting": LIGHTINGS,
    "backdrop_color": _COLOR_NAMES,
    "backdrop_second": _COLOR_NAMES,
    "backdrop_pattern": PATTERNS,
}


@dataclass(frozen=True, kw_only=True)
class TextSize:
    """Widths of the text encoder."""

    width: int = 128
    inner: int = 320
    layers: int = 3
    heads: int = 4


def new_text_encoder(size: TextSize, tokenizer: CLIPTokenizer) -> CLIPTextModel:
    """A text encoder with random weights for that tokenizer."""
    config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=size.width,
        intermediate_size=size.inner,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        max_position_embeddings=CONTEXT,
        projection_dim=size.width,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return CLIPTextModel(config)


def encode(encoder: CLIPTextModel, tokens: Tensor) -> Tensor:
    """(batch, CONTEXT) token ids to (batch, CONTEXT, width) states, as the pipeline does it."""
    states: Tensor = encoder(tokens).last_hidden_state
    return states


def tokens_of(tokenizer: CLIPTokenizer, prompts: list[str]) -> Tensor:
    """Prompts to (n, CONTEXT) token ids, cut and padded as the pipeline does it."""
    result = tokenizer(prompts, padding="max_length", truncation=True, return_tensors="pt")
    ids: Tensor = result.input_ids
    return ids


class WordLesson(nn.Module):
    """The encoder with one linear head per attribute on its last state."""

    def __init__(self, encoder: CLIPTextModel) -> None:
        super().__init__()
        self.encoder = encoder
        width = encoder.config.hidden_size
        self.heads = nn.ModuleDict({name: nn.Linear(width, len(HEADS[name])) for name in HEADS})

    def loss(self, tokens: Tensor, labels: dict[str, Tensor]) -> Tensor:
        """Sum of the heads' cross-entropies; a label of -100 counts for nothing."""
        states = encode(self.encoder, tokens)[:, -1]
        losses = [F.cross_entropy(self.heads[n](states), labels[n]) for n in HEADS]
        return torch.stack(losses).sum()


def lesson_loss(
    lesson: WordLesson, tokenizer: CLIPTokenizer, *, seed: int
) -> Callable[[int], Tensor]:
    """The loss of a step as a function of its number alone."""

    def loss_of(step: int) -> Tensor:
        rng = np.random.default_rng((seed, 2, step))
        scenes = [random_scene(rng) for _ in range(_BATCH)]
        tokens = tokens_of(tokenizer, [full_caption(scene, rng) for scene in scenes])
        return lesson.loss(tokens, labels_of(scenes))

    return loss_of


def labels_of(scenes: list[Scene]) -> dict[str, Tensor]:
    """Class numbers per head; -100 where the caption does not tell."""
    rows = {name: [words.index(getattr(s, name)) for s in scenes] for name, words in HEADS.items()}
    for index, scene in enumerate(scenes):
        if scene.setting != "backdrop":
            for name in ("backdrop_color", "backdrop_second", "backdrop_pattern"):
                rows[name][index] = -100
        elif scene.backdrop_pattern == "plain":
            rows["backdrop_second"][index] = -100
        if scene.lighting == "soft":
            rows["lighting"][index] = -100 if index % 2 else rows["lighting"][index]
    return {name: torch.tensor(values) for name, values in rows.items()}


def caption_tokens(
    tokenizer: CLIPTokenizer, scenes: list[Scene], *, seed: int, versions: int
) -> NDArray[np.int16]:
    """(versions, n, CONTEXT): several captions of every scene, a tenth of them empty."""
    rng = np.random.default_rng((seed, 3))
    rows = []
    for _ in range(versions):
        tokens = tokens_of(tokenizer, [caption(scene, rng) for scene in scenes])
        rows.append(tokens.numpy().astype(np.int16))
    return np.stack(rows)
