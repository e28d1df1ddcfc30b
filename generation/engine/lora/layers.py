"""The arithmetic of LoRAs in one layer: the same shapes whatever the rows ask for.

Each row of a batch has its own pair of matrices, padded with zeros to a rank class; a batched
product (for convolutions a grouped one) adds `up(down(row))` to the row's output. Zeros add
nothing, so a row's bits do not depend on its neighbours' LoRAs: a row whose LoRAs have another
class, or none, gets zeros in that class's term.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812  # torch's own way of naming it

SMALLEST_CLASS = 16
"""Padded to it, matrices also lie at addresses that are multiples of 32 bytes: bits depend on it"""


@dataclass(frozen=True, kw_only=True, eq=False)
class Pair:
    """What LoRAs add to one layer, laid out as a batch of them is multiplied."""

    down: torch.Tensor
    """(inner, rank), or (rank, inner, height, width) for a convolution."""
    up: torch.Tensor
    """(rank, outer), or (outer, rank) for a convolution; weights and alphas are inside."""

    @property
    def rank(self) -> int:
        """How many directions, padding included."""
        return self.up.shape[1] if self.convolved else self.up.shape[0]

    @property
    def convolved(self) -> bool:
        """Whether it belongs to a convolution."""
        return self.down.ndim == 4

    @property
    def size(self) -> int:
        """In bytes."""
        return _bytes(self.down, self.up)


@dataclass(frozen=True, kw_only=True, eq=False)
class Term:
    """One rank class of a batch in one layer."""

    down: torch.Tensor
    """(rows, inner, rank class), or (rows * rank class, inner, height, width)."""
    up: torch.Tensor
    """(rows, rank class, outer), or (rows, outer, rank class)."""

    @property
    def size(self) -> int:
        """In bytes."""
        return _bytes(self.down, self.up)


def rank_class(rank: int) -> int:
    """The next power of two, at least SMALLEST_CLASS."""
    return max(SMALLEST_CLASS, 1 << (rank - 1).bit_length())


def laid_out(down: torch.Tensor, up: torch.Tensor) -> Pair:
    """A pair of its own memory from (rank, inner, ...) and (outer, rank)."""
    if down.ndim == 4:
        return Pair(down=down.clone(), up=up.clone())
    return Pair(down=down.T.clone(memory_format=torch.contiguous_format), up=up.T.contiguous())


def joined_pair(parts: Sequence[tuple[Pair, float]]) -> Pair:
    """Several LoRAs with their weights as one of their ranks together, padded to its class."""
    model, weight = parts[0]
    rank = sum(pair.rank for pair, _ in parts)
    size = rank_class(rank)
    if len(parts) == 1 and size == rank:
        return Pair(down=model.down, up=model.up if weight == 1 else model.up * weight)
    filling = size - rank
    by_up, by_down = (1, 0) if model.convolved else (0, 1)
    downs, ups = [pair.down for pair, _ in parts], [pair.up * weight for pair, weight in parts]
    if filling:
        downs.append(_zeros(model.down, by_down, filling))
        ups.append(_zeros(model.up, by_up, filling))
    return Pair(down=torch.cat(downs, by_down), up=torch.cat(ups, by_up))


def _zeros(like: torch.Tensor, dimension: int, length: int) -> torch.Tensor:
    shape = list(like.shape)
    shape[dimension] = length
    return like.new_zeros(shape)


def terms_of(slots: Sequence[Pair | None]) -> tuple[Term, ...]:
    """One term for each rank class among the slots, the smallest first."""
    classes = sorted({pair.rank for pair in slots if pair is not None})
    return tuple(
        _term([pair if pair is not None and pair.rank == one else None for pair in slots])
        for one in classes
    )


def _term(slots: Sequence[Pair | None]) -> Term:
    model = next(pair for pair in slots if pair is not None)
    no_down, no_up = torch.zeros_like(model.down), torch.zeros_like(model.up)
    down = torch.stack([no_down if pair is None else pair.down for pair in slots])
    up = torch.stack([no_up if pair is None else pair.up for pair in slots])
    return Term(down=down.flatten(0, 1) if model.convolved else down, up=up)


def _bytes(*tensors: torch.Tensor) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


class Site:
    """Stands in for the `forward` of one layer of the denoiser and adds its terms, if any."""

    def __init__(self, module: torch.nn.Module) -> None:
        self.terms: tuple[Term, ...] = ()
        self._module = module
        self._base: Callable[..., torch.Tensor] = module.forward
        self._before: Callable[..., torch.Tensor] | None = None
        self._convolution = module if isinstance(module, torch.nn.Conv2d) else None

    def __call__(
        self, x: torch.Tensor, *args: torch.Tensor, **kwargs: torch.Tensor
    ) -> torch.Tensor:
        """The layer's output."""
        out = self._base(x, *args, **kwargs)
        for term in self.terms:
            if self._convolution is None:
                out = _add_linear(x, out, term)
            else:
                out = _add_convolved(self._convolution, x, out, term)
        return out

    def install(self, terms: tuple[Term, ...]) -> None:
        """Take the place of `forward`: a compiled model would overlook a hook."""
        self.terms = terms
        self._before = self._module.__dict__.get("forward")
        self._base = self._module.forward
        self._module.__dict__["forward"] = self

    def remove(self) -> None:
        """Give `forward` back."""
        self.terms = ()
        if self._before is None:
            del self._module.__dict__["forward"]
        else:
            self._module.__dict__["forward"] = self._before


def _add_linear(x: torch.Tensor, out: torch.Tensor, term: Term) -> torch.Tensor:
    """(rows, tokens, inner), or (rows or more, inner) where the layer's input was padded."""
    rows = term.up.shape[0]
    if x.ndim == 2:
        mine = x[:rows].unsqueeze(1).to(term.down.dtype)
        out[:rows].unsqueeze(1).baddbmm_(torch.bmm(mine, term.down), term.up)
        return out
    mine = x.reshape(rows, -1, x.shape[-1]).to(term.down.dtype)
    out.view(rows, -1, out.shape[-1]).baddbmm_(torch.bmm(mine, term.down), term.up)
    return out


def _add_convolved(
    module: torch.nn.Conv2d, x: torch.Tensor, out: torch.Tensor, term: Term
) -> torch.Tensor:
    """(rows, inner, height, width)."""
    rows, _, rank = term.up.shape
    low = _convolved(module, x.to(term.down.dtype), term.down, rows).reshape(rows, rank, -1)
    if out.is_contiguous():
        out.view(rows, out.shape[1], -1).baddbmm_(term.up, low)
        return out
    return out + torch.bmm(term.up, low).view(out.shape)


def _convolved(
    module: torch.nn.Conv2d, x: torch.Tensor, down: torch.Tensor, rows: int
) -> torch.Tensor:
    """(1, rows * rank, height, width): every row with its own filters."""
    wide = x.reshape(1, -1, *x.shape[2:])
    padding = module.padding
    if module.padding_mode != "zeros":
        wide = F.pad(wide, module._reversed_padding_repeated_twice, mode=module.padding_mode)
        padding = (0, 0)
    return F.conv2d(wide, down, None, module.stride, padding, module.dilation, groups=rows)


class TextSite:
    """Stands in for the `forward` of one layer of a text encoder: one LoRA for the whole call."""

    def __init__(
        self, module: torch.nn.Module, pair_now: Callable[["TextSite"], Pair | None]
    ) -> None:
        self._base: Callable[..., torch.Tensor] = module.forward
        self._module = module
        self._pair_now = pair_now

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """The layer's output, with the pair that acts in this thread."""
        out = self._base(x)
        pair = self._pair_now(self)
        if pair is None:
            return out
        return out + x.to(pair.down.dtype) @ pair.down @ pair.up

    def install(self) -> None:
        """Take the place of `forward`."""
        self._module.__dict__["forward"] = self
