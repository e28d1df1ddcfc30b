"""Learned words (textual inversion, Gal et al., 2022): vectors that a prompt's word stands for.

Tokenizer and text encoders stay as they are. A learned word is read as token numbers above the
encoder's own, one for each vector, and for the thread that encodes such a prompt the vectors are
put in where those numbers stand.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock, local

import safetensors.torch
import torch
from diffusers import DiffusionPipeline

from brand.spec import EmbeddingUse, LoraRefused
from generation.engine.library.weights import Header, WeightsDamaged, file_sha256, read_header
from generation.engines import Inputs

MAX_VECTORS = 75
"""As many as a window of the text encoder reads."""
MAX_TENSORS = 2
ROOM = 64
"""Files kept in memory for a model; each has a few kilobytes."""
_BY_NAME = {"clip_l": 0, "clip_g": 1}
"""Names by which SDXL's embeddings say which encoder a tensor is for."""
_FLOATS = {"F64", "F32", "F16", "BF16"}


@dataclass(frozen=True, kw_only=True, eq=False)
class Learned:
    """The learned words of one request."""

    key: Hashable
    """Equal keys, equal words with equal vectors."""
    ids: tuple[Mapping[str, tuple[int, ...]], ...]
    """For each CLIP encoder: the token numbers of each word."""
    vectors: tuple[torch.Tensor, ...]
    """For each CLIP encoder: (words' vectors, channels), the first for its first number."""


class EmbeddingShelf:
    """The learned words of one model's requests. Any thread may use it."""

    def __init__(self, pipe: DiffusionPipeline) -> None:
        self._encoders = [_Spliced(encoder) for encoder in _clip_encoders(pipe)]
        self._held: OrderedDict[str, tuple[torch.Tensor, ...]] = OrderedDict()
        self._lock = Lock()

    def learned(self, uses: Sequence[EmbeddingUse], inputs: Inputs) -> Learned:
        """What these embeddings' words stand for. Raises LoraRefused, InputMissing."""
        found = [self._vectors(use.sha256, inputs) for use in uses]
        ids: list[dict[str, tuple[int, ...]]] = []
        for number, encoder in enumerate(self._encoders):
            at, own = encoder.tokens, {}
            for use, vectors in zip(uses, found, strict=True):
                own[use.token] = tuple(range(at, at + len(vectors[number])))
                at += len(vectors[number])
            ids.append(own)
        return Learned(
            key=tuple((use.sha256, use.token) for use in uses),
            ids=tuple(ids),
            vectors=tuple(map(torch.cat, zip(*found, strict=True))),
        )

    @contextmanager
    def applied(self, learned: Learned) -> Iterator[None]:
        """What this thread encodes meanwhile may hold these words; other threads' may not."""
        pairs = list(zip(self._encoders, learned.vectors, strict=False))
        for encoder, vectors in pairs:
            encoder.put(vectors)
        try:
            yield
        finally:
            for encoder, _ in pairs:
                encoder.put(None)

    def _vectors(self, sha256: str, inputs: Inputs) -> tuple[torch.Tensor, ...]:
        """One tensor for each encoder."""
        with self._lock:
            if sha256 in self._held:
                self._held.move_to_end(sha256)
                return self._held[sha256]
        path = inputs.path(sha256)
        header = check_embedding(path, sha256)
        found = self._fitted(safetensors.torch.load_file(path), header, sha256)
        with self._lock:
            self._held[sha256] = found
            while len(self._held) > ROOM:
                self._held.popitem(last=False)
        return found

    def _fitted(
        self, tensors: Mapping[str, torch.Tensor], header: Header, sha256: str
    ) -> tuple[torch.Tensor, ...]:
        """Each tensor at its encoder; an embedding that fits only partly is refused."""
        placed: dict[int, torch.Tensor] = {}
        for name, tensor in tensors.items():
            matrix = tensor.reshape(-1, tensor.shape[-1])
            fitting = [n for n, encoder in enumerate(self._encoders) if encoder.fits(matrix)]
            wanted = _BY_NAME.get(name, fitting[0] if fitting else -1)
            if wanted in fitting and wanted not in placed:
                placed[wanted] = self._encoders[wanted].like_own(matrix)
        if len(placed) != max(len(self._encoders), len(header.tensors)):
            widths = ", ".join(str(encoder.width) for encoder in self._encoders)
            raise LoraRefused(
                f"The embedding {sha256[:12]} does not fit this model, whose text encoders read "
                f"vectors of {widths} numbers; was it trained for another one?"
            )
        return tuple(placed[number] for number in sorted(placed))


class _Spliced:
    """One text encoder; in threads that put vectors, numbers above its own tokens mean them."""

    def __init__(self, encoder: torch.nn.Module) -> None:
        self._layer = _token_embedding(encoder)
        self._base: Callable[[torch.Tensor], torch.Tensor] = self._layer.forward
        self._here = local()
        self._layer.__dict__["forward"] = self._forward

    @property
    def tokens(self) -> int:
        """How many it has of its own."""
        return self._layer.num_embeddings

    @property
    def width(self) -> int:
        """Numbers of one vector."""
        return self._layer.embedding_dim

    def fits(self, matrix: torch.Tensor) -> bool:
        """Whether these vectors are as wide as its own."""
        return matrix.shape[-1] == self.width

    def like_own(self, matrix: torch.Tensor) -> torch.Tensor:
        """A copy in the format and place of its own vectors."""
        weight = self._layer.weight
        return torch.zeros_like(matrix).copy_(matrix).to(weight.device, weight.dtype)

    def put(self, vectors: torch.Tensor | None) -> None:
        """For this thread."""
        self._here.vectors = vectors

    def _forward(self, input: torch.Tensor) -> torch.Tensor:
        vectors: torch.Tensor | None = getattr(self._here, "vectors", None)
        if vectors is None:
            return self._base(input)
        learned = input >= self.tokens
        found = self._base(input.masked_fill(learned, 0))
        found[learned] = vectors[input[learned] - self.tokens]
        return found


def _clip_encoders(pipe: DiffusionPipeline) -> list[torch.nn.Module]:
    """Those that read a learned word: T5 reads its letters."""
    found = [getattr(pipe, name, None) for name in ("text_encoder", "text_encoder_2")]
    return [one for one in found if one is not None and "CLIP" in type(one).__name__]


def _token_embedding(encoder: torch.nn.Module) -> torch.nn.Embedding:
    layer: torch.nn.Embedding = getattr(encoder, "get_input_embeddings")()  # noqa: B009
    return layer


def check_embedding(path: Path, sha256: str) -> Header:
    """Refuse what is no sound embedding of this hash, before any library reads its tensors.

    Raises LoraRefused.
    """
    if file_sha256(path) != sha256:
        raise LoraRefused(
            f"The file of embedding {sha256[:12]} has changed on disk; upload it again."
        )
    try:
        header = read_header(path)
    except WeightsDamaged as exc:
        raise LoraRefused(f"The embedding {sha256[:12]} is no safetensors file: {exc}") from exc
    if not 1 <= len(header.tensors) <= MAX_TENSORS:
        raise LoraRefused(
            f"The file {sha256[:12]} is no embedding: it has {len(header.tensors)} tensors, "
            f"not 1 to {MAX_TENSORS}."
        )
    named = set(header.tensors)
    if any("." in name for name in named) or (len(named) > 1 and named != set(_BY_NAME)):
        raise LoraRefused(f"The file {sha256[:12]} is no embedding: it holds {min(named)[:80]!r}.")
    for name, facts in header.tensors.items():
        vectors = 1 if len(facts.shape) == 1 else next(iter(facts.shape), 0)
        if facts.dtype not in _FLOATS or len(facts.shape) not in {1, 2}:
            raise LoraRefused(f"The embedding {sha256[:12]} has an odd tensor {name[:80]!r}.")
        if not 1 <= vectors <= MAX_VECTORS or not facts.shape[-1]:
            raise LoraRefused(
                f"The embedding {sha256[:12]} has {vectors} vectors, not 1 to {MAX_VECTORS}."
            )
    for name, tensor in safetensors.torch.load_file(path).items():
        if not bool(torch.isfinite(tensor).all()):
            raise LoraRefused(f"The embedding {sha256[:12]} holds no number at {name[:80]!r}.")
    return header
