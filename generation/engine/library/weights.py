"""Weights files without torch: the safetensors header, read distrustfully, and cached hashes.

Format: https://huggingface.co/docs/safetensors, section "Format": eight bytes little-endian length,
a JSON header of that length, then the tensors' bytes without holes.
"""

import hashlib
import json
import logging
import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

DTYPE_BYTES = {
    "F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1,
    "U64": 8, "U32": 4, "U16": 2, "U8": 1, "BOOL": 1, "F8_E4M3": 1, "F8_E5M2": 1,
}  # fmt: skip
MAX_HEADER_BYTES = 100_000_000
MAX_DIMENSIONS = 8
Files = Sequence[tuple[str, Path]]
"""(name, file) of what decides an aid's part of the pixels."""
Hashes = tuple[tuple[str, str], ...]
"""(name, sha256) of them."""
_LENGTH_BYTES = 8
_READ_BYTES = 1 << 20
_log = logging.getLogger(__name__)


class WeightsDamaged(Exception):
    """The file is no sound safetensors file; export it again as safetensors."""


@dataclass(frozen=True, kw_only=True)
class TensorFacts:
    """One tensor as the header names it."""

    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Header:
    """What a safetensors file says of itself."""

    tensors: dict[str, TensorFacts]
    metadata: dict[str, str]


def read_header(path: Path) -> Header:
    """Read and check the header: nothing of the tensors is loaded. Raises WeightsDamaged."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(_LENGTH_BYTES)
            if len(head) < _LENGTH_BYTES:
                raise WeightsDamaged("The file is too short to be a safetensors file.")
            (length,) = struct.unpack("<Q", head)
            if not 2 <= length <= min(MAX_HEADER_BYTES, size - _LENGTH_BYTES):
                raise WeightsDamaged("The file does not start like a safetensors file.")
            raw = file.read(length)
    except OSError as exc:
        raise WeightsDamaged(f"The file cannot be read: {exc.strerror}.") from exc
    return _checked(_parsed(raw), size - _LENGTH_BYTES - length)


def _parsed(raw: bytes) -> dict[str, Any]:
    try:
        data = json.loads(raw.decode("utf-8"), object_pairs_hook=_without_duplicates)
    except (ValueError, RecursionError) as exc:
        raise WeightsDamaged("The header of the safetensors file is not JSON.") from exc
    if not isinstance(data, dict):
        raise WeightsDamaged("The header of the safetensors file is not an object.")
    return data


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _checked(data: dict[str, Any], data_bytes: int) -> Header:
    metadata = data.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise WeightsDamaged("The metadata of the safetensors file is not text.")
    tensors: dict[str, TensorFacts] = {}
    places: list[tuple[int, int]] = []
    for name, entry in data.items():
        tensors[name], place = _tensor(name, entry)
        places.append(place)
    end = 0
    for start, stop in sorted(places):
        if start != end:
            raise WeightsDamaged("The tensors of the safetensors file overlap or leave holes.")
        end = stop
    if end != data_bytes:
        raise WeightsDamaged("The safetensors file is longer or shorter than its header says.")
    return Header(tensors=tensors, metadata=metadata)


def _tensor(name: str, entry: object) -> tuple[TensorFacts, tuple[int, int]]:
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise WeightsDamaged(f"The entry of tensor {name[:80]!r} is not well formed.")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in DTYPE_BYTES:
        raise WeightsDamaged(f"Tensor {name[:80]!r} has an unknown number format.")
    if not _whole_numbers(shape) or len(shape) > MAX_DIMENSIONS:
        raise WeightsDamaged(f"Tensor {name[:80]!r} has no proper shape.")
    if not _whole_numbers(offsets) or len(offsets) != 2:
        raise WeightsDamaged(f"Tensor {name[:80]!r} has no proper place in the file.")
    if offsets[1] - offsets[0] != math.prod(shape) * DTYPE_BYTES[dtype]:
        raise WeightsDamaged(f"Tensor {name[:80]!r} is not as long as its shape says.")
    return TensorFacts(dtype=dtype, shape=tuple(shape)), (offsets[0], offsets[1])


def _whole_numbers(value: object) -> bool:
    return isinstance(value, list) and all(type(n) is int and 0 <= n < 1 << 48 for n in value)


class WeightsIndex:
    """SHA-256 of big files, remembered in one JSON file by path, size and time of change."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = Lock()
        self._known: dict[str, list[Any]] = _read_known(file)

    def known(self, path: Path) -> str:
        """The file's hash if it is remembered and the file has not changed, else empty."""
        entry = self._known.get(str(path))
        try:
            return str(entry[2]) if entry and entry[:2] == _stamp(path) else ""
        except OSError:  # somebody took it away
            return ""

    def sha256(self, path: Path) -> str:
        """The file's hash. Raises OSError where that file cannot be read."""
        if found := self.known(path):
            return found
        stamp = _stamp(path)
        digest = file_sha256(path)
        with self._lock:
            self._known[str(path)] = [*stamp, digest]
            self._write()
        return digest

    def _write(self) -> None:
        fresh = self._file.with_suffix(".new")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            fresh.write_text(json.dumps(self._known))
            fresh.replace(self._file)
        except OSError as exc:  # it is in memory: only the next start hashes again
            _log.warning(
                "the hashes of weights files cannot be kept in %s: %s; give the service a state "
                "folder that it may write to",
                self._file,
                exc.strerror,
                extra={"action": "hashes_not_kept"},
            )


def _read_known(file: Path) -> dict[str, list[Any]]:
    try:
        data = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}  # only a cache: hashing again is always right
    if not isinstance(data, dict):
        return {}
    return {
        path: entry
        for path, entry in data.items()
        if isinstance(entry, list) and len(entry) == 3 and isinstance(entry[2], str)
    }


def _stamp(path: Path) -> list[int]:
    found = path.stat()
    return [found.st_size, found.st_mtime_ns]


def file_sha256(path: Path) -> str:
    """Lower-case hexadecimal SHA-256 of a file. Raises OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_READ_BYTES):
            digest.update(block)
    return digest.hexdigest()


def bytes_on_disk(files: Files) -> int:
    """Of the weights among them; a file that is gone is refused by whoever reads it."""
    weights = [path for _, path in files if path.suffix == ".safetensors" and path.is_file()]
    return sum(path.stat().st_size for path in weights)


def together(parts: Sequence[tuple[str, str]]) -> str:
    """One hash for several files, from (name, sha256) pairs in any order."""
    lines = "".join(f"{sha256}  {name}\n" for name, sha256 in sorted(parts))
    return hashlib.sha256(lines.encode()).hexdigest()
