"""What every denoiser does with rows: fill them up to the bucket, keep what never changes."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from generation.engine.flights import Lead, Row, Signature, Terms

KEPT_COMPOSITIONS = 32
"""Batches (which terms in which order) whose stacked terms are kept."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Stacked:
    """The terms of a whole batch, each (bucket, ...)."""

    text: torch.Tensor
    pooled: torch.Tensor | None
    sizes: torch.Tensor | None
    guidance: torch.Tensor


class TermsCache:
    """Stacked terms by the identity of the rows' terms: an unchanged batch costs nothing."""

    def __init__(self, *, room: int = KEPT_COMPOSITIONS) -> None:
        self._room = room
        self._kept: OrderedDict[tuple[int, ...], tuple[tuple[Terms, ...], Stacked]] = OrderedDict()

    def stacked(self, rows: Sequence[Row], dtype: torch.dtype) -> Stacked:
        """For rows that are filled up to their bucket."""
        terms = tuple(row.terms for row in rows)
        key = tuple(map(id, terms))
        if key not in self._kept:
            # The terms are kept beside: while they live, nothing else can have their identity.
            self._kept[key] = (terms, _stack(terms, dtype))
        self._kept.move_to_end(key)
        while len(self._kept) > self._room:
            self._kept.popitem(last=False)
        return self._kept[key][1]


def _stack(terms: Sequence[Terms], dtype: torch.dtype) -> Stacked:
    pooled = [one.pooled for one in terms if one.pooled is not None]
    sizes = [one.sizes for one in terms if one.sizes is not None]
    text = torch.stack([one.text for one in terms]).to(dtype)
    return Stacked(
        text=text,
        pooled=torch.stack(pooled).to(dtype) if pooled else None,
        sizes=torch.stack(sizes).to(dtype) if sizes else None,
        guidance=torch.tensor([one.guidance for one in terms], device=text.device),
    )


def filled(rows: Sequence[Row], bucket: int) -> list[Row]:
    """The rows and as many copies of the first as the bucket lacks. Raises ValueError."""
    if not 0 < len(rows) <= bucket:
        raise ValueError(f"{len(rows)} rows do not fit a bucket of {bucket}")
    return [*rows, *[rows[0]] * (bucket - len(rows))]


class Samples:
    """Random rows for profiles: the same seed gives the same ones."""

    def __init__(self, seed: int, device: torch.device) -> None:
        self._generator = torch.Generator("cpu").manual_seed(seed)
        self._device = device

    def normal(self, *shape: int) -> torch.Tensor:
        """Normally distributed numbers in float32."""
        return torch.randn(shape, generator=self._generator).to(self._device)

    def number(self, below: float) -> float:
        """Evenly distributed."""
        return float(torch.rand((), generator=self._generator)) * below

    def leads(self, signature: Signature, scale: int) -> tuple[Lead, ...]:
        """One for each control of the signature; `scale` pixels for one latent."""
        height, width = signature.height * scale, signature.width * scale
        return tuple(
            Lead(image=self.normal(3, height, width).sigmoid(), scale=1.0)
            for _ in signature.controls
        )
