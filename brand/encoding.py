"""The canonical encoding of recipes.

It names a recipe for good: its SHA-256 stands in the archive, in
file names and in the ledger. Three rules keep it stable (golden hashes in the tests hold them):

1. JSON, UTF-8, keys sorted, no white space, text in NFC, `"v": 1` always present.
2. Numbers with fractions are rounded to 4 decimals; a whole number is written without a fraction.
3. A field at its default is left out, so a field added later never renames an old recipe.
"""

import hashlib
import json
import math
import unicodedata
from collections.abc import Mapping
from dataclasses import MISSING, fields
from types import UnionType
from typing import Any, Self, cast, get_args, get_type_hints

from brand.render_errors import SpecInvalid

SHA256_LENGTH = 64


class Encoded:
    """Canonical dictionary form, shared by every value that a recipe is made of."""

    def to_dict(self) -> dict[str, Any]:
        """The value as plain JSON types, defaults left out, numbers and text normalised."""
        out: dict[str, Any] = {}
        for f in fields(self):  # type: ignore[arg-type]
            value = _plain(getattr(self, f.name))
            # Compared in plain form, so that 7.50001 is left out where 7.5 is the default.
            if f.default is not MISSING and value == _plain(f.default):
                continue
            out[f.name] = value
        return out

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Self:
        """Rebuild from `to_dict`. Raises SpecInvalid on unknown, missing or ill-typed fields."""
        hints = get_type_hints(cls)
        unknown = set(raw) - set(hints)
        if unknown:
            raise SpecInvalid(f"unknown field {sorted(unknown)[0]!r} in {cls.__name__}")
        try:
            return cls(**{name: _value(hints[name], name, item) for name, item in raw.items()})
        except TypeError as exc:
            raise SpecInvalid(f"{cls.__name__}: {exc}") from exc


def _plain(value: object) -> object:
    if isinstance(value, Encoded):
        return value.to_dict()
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, bool | int | None):
        return value
    if isinstance(value, float):
        return canonical_number(value)
    return unicodedata.normalize("NFC", cast("str", value))


def _value(hint: object, name: str, raw: object) -> object:
    if isinstance(hint, UnionType):
        if raw is None:
            return None
        hint = get_args(hint)[0]
    if isinstance(hint, type) and issubclass(hint, Encoded):
        if not isinstance(raw, Mapping):
            raise SpecInvalid(f"{name} must be an object")
        return hint.from_dict(raw)
    args = get_args(hint)
    if args:  # tuple[X, ...]
        if not isinstance(raw, list | tuple):
            raise SpecInvalid(f"{name} must be a list")
        return tuple(_value(args[0], name, item) for item in raw)
    if hint is float and isinstance(raw, int) and not isinstance(raw, bool):
        return float(raw)
    if isinstance(raw, bool) is not (hint is bool) or not isinstance(raw, cast("type", hint)):
        raise SpecInvalid(f"{name} must be {getattr(hint, '__name__', hint)}, got {raw!r}")
    return raw


def canonical_number(value: float) -> float | int:
    """Round to 4 decimals; whole numbers become int, so that 4, 4.0 and 4.00001 are one recipe."""
    if not math.isfinite(value):
        raise SpecInvalid(f"numbers must be finite, got {value!r}")
    rounded = round(value, 4)
    return int(rounded) if rounded == int(rounded) else rounded


def as_written(value: float) -> float:
    """The number as a recipe writes it, so that what is rendered is what is kept."""
    return float(canonical_number(value))


def canonical_json(value: Mapping[str, Any]) -> bytes:
    """The one byte form of plain JSON data that hashes are taken over."""
    text = json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.encode("utf-8")


def sha256_hex(data: bytes) -> str:
    """Lower-case hexadecimal SHA-256."""
    return hashlib.sha256(data).hexdigest()


def is_sha256(text: str) -> bool:
    """Whether `text` is a lower-case hexadecimal SHA-256: safe as a path component too."""
    return len(text) == SHA256_LENGTH and all(c in "0123456789abcdef" for c in text)
