"""Prompts become the terms of rows, for every layout; what was encoded lately is remembered."""

from collections import OrderedDict
from collections.abc import Hashable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Protocol

import torch
from diffusers import DiffusionPipeline
from torch.nn import functional

from brand.spec import SpecInvalid
from generation.engine.denoisers import flux, sd3
from generation.engine.flights import Terms
from generation.engine.words.encoders import ClipReader, Embeds, T5Reader

CACHE_BYTES = 256 << 20
"""Encoded prompts kept per model."""
MAX_WINDOWS = 8
"""Of one prompt: every row attends to all of them at every step, whoever else is in its batch."""


class TextChanges(Protocol):
    """What a request changes in the text encoders: LoRAs and learned words."""

    @property
    def key(self) -> Hashable:
        """Equal keys, equal embeddings."""
        ...

    def applied(self) -> AbstractContextManager[None]:
        """Act on the encoders within this context; nobody else uses them meanwhile."""
        ...

    def words(self, encoder: int) -> Mapping[str, tuple[int, ...]]:
        """Learned words of CLIP encoder number `encoder`: the tokens it reads for them."""
        ...


class _NoChanges:
    key: Hashable = ()

    @contextmanager
    def applied(self) -> Iterator[None]:
        yield

    def words(self, encoder: int) -> Mapping[str, tuple[int, ...]]:
        return {}


NO_CHANGES: TextChanges = _NoChanges()


@dataclass(frozen=True, kw_only=True, eq=False)
class Encoded:
    """A request's prompts."""

    terms: tuple[Terms, ...]
    """(negative, positive), or (positive,) where there is no guidance."""
    windows: int
    """Of CLIP; both have the same number."""


@dataclass(frozen=True, kw_only=True)
class _Prepared:
    text: str
    changes: Hashable
    count: int


class PromptEncoder:
    """The text side of one model. May be used from any thread; one encodes at a time."""

    def __init__(self, pipe: DiffusionPipeline, layout: str) -> None:
        self._layout = layout
        self._readers = _clip_readers(pipe, layout)
        self._t5 = _t5_reader(pipe, layout)
        self._zeros = bool(getattr(pipe.config, "force_zeros_for_empty_prompt", False))
        self._joint_channels = _joint_channels(pipe)
        self.distilled = layout == "flux" and bool(pipe.transformer.config.guidance_embeds)
        """Whether the model is told of guidance instead of being asked twice."""
        self._lock = Lock()
        self._kept: OrderedDict[_Prepared, Embeds] = OrderedDict()
        self._kept_bytes = 0

    def guided(self, guidance: float) -> bool:
        """Whether this guidance asks about a negative prompt too."""
        return guidance > 1 and not self.distilled

    @torch.no_grad()
    def encode(
        self,
        prompt: str,
        negative: str,
        *,
        guidance: float,
        width: int,
        height: int,
        changes: TextChanges = NO_CHANGES,
    ) -> Encoded:
        """The terms of a picture of that size in pixels. Raises SpecInvalid, PromptTooLong.

        Without a negative prompt SDXL models may want zeros, as their configuration says. A
        negative prompt is only encoded where it has an effect.
        """
        texts = [negative, prompt] if self.guided(guidance) else [prompt]
        with self._lock:
            count = max(self._windows(text, changes) for text in texts)
            found = [self._embeds(text, count, changes) for text in texts]
        if len(found) > 1 and not negative and self._zeros:
            found[0] = found[1].zeros()
        sizes = None
        if self._layout == "sdxl":
            numbers = [height, width, 0, 0, height, width]
            sizes = torch.tensor(numbers, device=found[0].hidden.device)
        terms = tuple(
            Terms(
                text=one.hidden[0],
                pooled=None if one.pooled is None else one.pooled[0],
                sizes=sizes,
                guidance=guidance if self.distilled else 0.0,
            )
            for one in found
        )
        return Encoded(terms=terms, windows=count)

    def _windows(self, text: str, changes: TextChanges) -> int:
        if self._layout == "flux":
            return 1  # CLIP gives the pooled embedding only, which is the first window's
        count = max(
            len(reader.windows(text, changes.words(number)))
            for number, reader in enumerate(self._readers)
        )
        if count > MAX_WINDOWS:
            raise SpecInvalid(
                f"prompt and negative prompt may have at most {MAX_WINDOWS} windows of 75 tokens "
                f"each (BREAK begins a new one), got {count}; make the text shorter"
            )
        return count

    def _embeds(self, text: str, count: int, changes: TextChanges) -> Embeds:
        key = _Prepared(text=text, changes=changes.key, count=count)
        if key not in self._kept:
            with changes.applied():
                found = self._read(text, count, changes)
            self._kept[key] = found
            self._kept_bytes += found.bytes
        self._kept.move_to_end(key)
        while self._kept_bytes > CACHE_BYTES and len(self._kept) > 1:
            _, old = self._kept.popitem(last=False)
            self._kept_bytes -= old.bytes
        return self._kept[key]

    def _read(self, text: str, count: int, changes: TextChanges) -> Embeds:
        parts = [
            reader.read(reader.windows(text, changes.words(number))[:count], count)
            for number, reader in enumerate(self._readers)
        ]
        if self._layout == "sd1":
            return Embeds(hidden=parts[0].hidden, pooled=None)
        if self._layout == "sdxl":
            return Embeds(hidden=_side_by_side(parts), pooled=parts[-1].pooled)
        if self._layout == "flux":
            return Embeds(hidden=self._read_t5(text, parts[0].hidden), pooled=parts[0].pooled)
        clip = _side_by_side(parts)
        long = self._read_t5(text, clip)
        clip = functional.pad(clip, (0, long.shape[-1] - clip.shape[-1]))
        pooled = [part.pooled for part in parts if part.pooled is not None]
        return Embeds(hidden=torch.cat([clip, long], -2), pooled=torch.cat(pooled, -1))

    def _read_t5(self, text: str, like: torch.Tensor) -> torch.Tensor:
        if self._t5 is None:
            return like.new_zeros((1, sd3.T5_TOKENS, self._joint_channels))
        return self._t5.read(text)


def _clip_readers(pipe: DiffusionPipeline, layout: str) -> list[ClipReader]:
    pairs = [(pipe.tokenizer, pipe.text_encoder)]
    if layout in {"sdxl", "sd3"}:
        pairs.append((pipe.tokenizer_2, pipe.text_encoder_2))
    penultimate = len(pairs) > 1
    return [ClipReader(tokenizer, encoder, penultimate=penultimate) for tokenizer, encoder in pairs]


def _t5_reader(pipe: DiffusionPipeline, layout: str) -> T5Reader | None:
    if layout == "flux":
        return T5Reader(pipe.tokenizer_2, pipe.text_encoder_2, length=flux.T5_TOKENS)
    if layout == "sd3" and pipe.text_encoder_3 is not None:
        return T5Reader(pipe.tokenizer_3, pipe.text_encoder_3, length=sd3.T5_TOKENS)
    return None


def _joint_channels(pipe: DiffusionPipeline) -> int:
    transformer = getattr(pipe, "transformer", None)
    return 0 if transformer is None else int(transformer.config.joint_attention_dim)


def _side_by_side(parts: list[Embeds]) -> torch.Tensor:
    return torch.cat([part.hidden for part in parts], -1)
