"""The LoRAs of one model: held by the hash of their file, given to each row with its own weight.

A request takes its LoRAs with `using` for as long as it is in the air; the denoiser runs a batch
inside `applied`, and whoever encodes a prompt does so inside `applied_to_text`. The model's own
weights are never touched, so nothing of a LoRA can stay behind.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock, local
from typing import Any

import torch
from diffusers import DiffusionPipeline

from brand.spec import LoraRefused, LoraUse
from generation.engine.flights import Row
from generation.engine.library.shelf import RoomFor, Shelf
from generation.engine.lora.layers import (
    Pair,
    Site,
    Term,
    TextSite,
    joined_pair,
    laid_out,
    terms_of,
)
from generation.engine.lora.reading import DENOISERS, LoraMatrices, LoraReader, acting_parts
from generation.engines import Inputs

ROOM = 64
ROOM_BYTES = 4 << 30
"""LoRAs of one model kept in memory while nobody uses them: how many, and their bytes together."""
STACKS = 4
STACK_BYTES = 2 << 30
"""Batches' compositions whose stacked matrices are kept, and their bytes together."""
Loras = tuple[tuple[str, float], ...]
"""(sha256, weight) of each LoRA of a row."""
_SUMMING = {torch.float32, torch.float16, torch.bfloat16}


@dataclass(frozen=True, kw_only=True, eq=False)
class _Held:
    layers: Mapping[tuple[str, str], Pair]
    """By (part, path)."""
    size: int


@dataclass(frozen=True, kw_only=True, eq=False)
class _Stack:
    terms: Mapping[str, tuple[Term, ...]]
    size: int


class LoraBank:
    """Every LoRA that a model's requests use, beyond `room` only while one is in the air.

    `applied` is for one thread at a time; everything else may be called from any.
    """

    def __init__(
        self,
        pipe: DiffusionPipeline,
        *,
        room: int = ROOM,
        room_bytes: int = ROOM_BYTES,
        room_for: RoomFor | None = None,
    ) -> None:
        self._parts = acting_parts(pipe)
        self._denoiser = next(part for part in DENOISERS if part in self._parts)
        self._reader = LoraReader(pipe)
        self._shelf: Shelf[_Held] = Shelf(room=room, room_bytes=room_bytes, room_for=room_for)
        self._lock = Lock()
        self._sites: dict[str, Site] = {}
        self._text_sites: dict[tuple[str, str], TextSite] = {}
        self._pairs: dict[Loras, Mapping[str, Pair]] = {}
        self._stacks: OrderedDict[tuple[Loras, ...], _Stack] = OrderedDict()
        self._stacked_bytes = 0
        self._here = local()

    @property
    def held(self) -> tuple[str, ...]:
        """The hashes in memory, the least recently used first."""
        return self._shelf.names

    @property
    def bytes(self) -> int:
        """Of the LoRAs in memory and of what was laid out of them for batches."""
        return self._shelf.bytes + self._stacked_bytes

    @property
    def idle_bytes(self) -> int:
        """Of the LoRAs that nobody uses."""
        return self._shelf.idle_bytes

    def let_go(self, wanted: int) -> int:
        """Put away LoRAs that nobody uses until so many bytes are free; says how many are."""
        return self._shelf.let_go(wanted)

    def hold(self, sha256: str, path: Path) -> None:
        """Have this LoRA in memory, until others need the room. Raises LoraRefused."""
        with self._using(sha256, path):
            pass

    @contextmanager
    def using(self, wanted: Sequence[LoraUse], inputs: Inputs) -> Iterator[Loras]:
        """Keep these LoRAs in memory meanwhile; what a flight's rows carry for them.

        Raises LoraRefused, InputMissing.
        """
        hashes = [use.sha256 for use in wanted]
        if len(set(hashes)) != len(hashes):
            raise LoraRefused("The recipe names the same LoRA twice; give it one weight.")
        with ExitStack() as taken:
            for sha256 in hashes:
                taken.enter_context(self._using(sha256, inputs.path(sha256)))
            yield tuple((use.sha256, use.weight) for use in wanted if use.weight)

    @contextmanager
    def applied(self, rows: Sequence[Row], bucket: int) -> Iterator[None]:
        """Each row of the batch gets its LoRAs; rows up to `bucket` get none."""
        slots = tuple(_acting(row.loras) for row in rows) + ((),) * (bucket - len(rows))
        if not any(slots):
            yield
            return
        installed: list[Site] = []
        try:
            for path, terms in self._stacked(slots).items():
                site = self._site(path)
                site.install(terms)
                installed.append(site)
            yield
        finally:
            for site in installed:
                site.remove()

    @contextmanager
    def applied_to_text(self, loras: Loras) -> Iterator[None]:
        """What this thread encodes meanwhile is encoded with these LoRAs; other threads' is not."""
        parts: dict[tuple[str, str], list[tuple[Pair, float]]] = {}
        for sha256, weight in _acting(loras):
            for place, pair in self._layers(sha256).items():
                if place[0] != self._denoiser:
                    parts.setdefault(place, []).append((pair, weight))
        with torch.no_grad():
            pairs = {self._text_site(place): joined_pair(own) for place, own in parts.items()}
        self._here.pairs = pairs
        try:
            yield
        finally:
            self._here.pairs = {}

    def _using(self, sha256: str, path: Path) -> AbstractContextManager[_Held]:
        def load() -> _Held:
            return self._placed(self._reader.read(path, sha256))

        size = path.stat().st_size if path.is_file() else 0  # whoever reads it refuses it
        return self._shelf.using(sha256, load, size)

    def _placed(self, matrices: Sequence[LoraMatrices]) -> _Held:
        """In memory of the model's kind, alphas multiplied in."""
        layers = {}
        for item in matrices:
            kind = _kind(self._parts[item.part])
            up = item.up.float() * item.scale
            layers[item.part, item.path] = laid_out(item.down.to(**kind), up.to(**kind))
        return _Held(layers=layers, size=sum(pair.size for pair in layers.values()))

    def _layers(self, sha256: str) -> Mapping[tuple[str, str], Pair]:
        return self._shelf[sha256].layers

    def _stacked(self, slots: tuple[Loras, ...]) -> Mapping[str, tuple[Term, ...]]:
        """The terms of every layer that one of the rows' LoRAs acts on."""
        if slots not in self._stacks:
            rows = [self._row(loras) for loras in slots]
            paths = dict.fromkeys(path for row in rows for path in row)
            with torch.no_grad():
                terms = {path: terms_of([row.get(path) for row in rows]) for path in paths}
            size = sum(term.size for own in terms.values() for term in own)
            self._stacks[slots] = _Stack(terms=terms, size=size)
            self._forget_stacks()
        self._stacks.move_to_end(slots)
        return self._stacks[slots].terms

    def _row(self, loras: Loras) -> Mapping[str, Pair]:
        if loras not in self._pairs:
            parts: dict[str, list[tuple[Pair, float]]] = {}
            for sha256, weight in loras:
                for (part, path), pair in self._layers(sha256).items():
                    if part == self._denoiser:
                        parts.setdefault(path, []).append((pair, weight))
            with torch.no_grad():
                self._pairs[loras] = {path: joined_pair(own) for path, own in parts.items()}
        return self._pairs[loras]

    def _forget_stacks(self) -> None:
        size = sum(stack.size for stack in self._stacks.values())
        while len(self._stacks) > 1 and (len(self._stacks) > STACKS or size > STACK_BYTES):
            _, gone = self._stacks.popitem(last=False)
            size -= gone.size
        alive = {loras for slots in self._stacks for loras in slots}
        self._pairs = {loras: pair for loras, pair in self._pairs.items() if loras in alive}
        pairs = sum(pair.size for own in self._pairs.values() for pair in own.values())
        self._stacked_bytes = size + pairs  # an upper bound: a pair may be a LoRA's own

    def _site(self, path: str) -> Site:
        if path not in self._sites:
            self._sites[path] = Site(self._parts[self._denoiser].get_submodule(path))
        return self._sites[path]

    def _text_site(self, place: tuple[str, str]) -> TextSite:
        with self._lock:
            if place not in self._text_sites:
                part, path = place
                site = TextSite(self._parts[part].get_submodule(path), self._pair_here)
                site.install()
                self._text_sites[place] = site
            return self._text_sites[place]

    def _pair_here(self, site: TextSite) -> Pair | None:
        pairs: Mapping[TextSite, Pair] = getattr(self._here, "pairs", {})
        return pairs.get(site)


def _acting(loras: Loras) -> Loras:
    return tuple((sha256, weight) for sha256, weight in loras if weight)


def _kind(part: torch.nn.Module) -> dict[str, Any]:
    """Device and number format of what a LoRA adds: the part's own, unless that is quantised."""
    first = next(weight for weight in part.parameters() if weight.is_floating_point())
    dtype = first.dtype if first.dtype in _SUMMING else torch.bfloat16
    return {"device": first.device, "dtype": dtype}
