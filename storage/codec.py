"""Frozen values as plain JSON and back, by their type hints.

Dataclasses become objects with every field, also those at their default: a default that changes
later must not change what was stored, and a field added later reads as its default. Tuples, named
tuples and sets become lists, times become ISO text. Decoding trusts no input: an unknown field or
an ill-typed one is a `CodecError`.
"""

import functools
import math
import types
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time
from enum import Enum
from typing import Any, NoReturn, TypeAlias, TypeVar, Union, get_args, get_origin, get_type_hints

from bot.core.errors import Mistake
from storage.errors import CodecError

T = TypeVar("T")
Plain: TypeAlias = Any
"""What `json` reads and writes: None, bool, int, float, str, lists and objects of these."""
Value: TypeAlias = Any
"""Whatever a hint names."""
Hint: TypeAlias = Any
"""A type hint as `get_type_hints` gives it."""
Reader: TypeAlias = Callable[[Plain], Value]
"""Makes a value of what is stored. Raises CodecError and what the value's own type raises."""


def encode(value: object) -> Plain:
    """Plain JSON types. Raises Mistake on text that no database keeps, CodecError on the rest."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, float):
        return _finite(value)
    if isinstance(value, datetime):
        return _aware(value).isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    return _encode_many(value)


def _encode_many(value: object) -> Plain:
    if is_dataclass(value) and not isinstance(value, type):
        return {name: encode(getattr(value, name)) for name in _hints(type(value))}
    if isinstance(value, Mapping):
        return {_text_key(key): encode(item) for key, item in value.items()}
    if isinstance(value, frozenset | set):
        return sorted(encode(item) for item in value)
    if isinstance(value, tuple | list):
        return [encode(item) for item in value]
    raise CodecError(f"{type(value).__name__} has no plain form.")


def decode(hint: type[T], raw: Plain) -> T:
    """The value of type `hint` that `encode` made `raw` of. Raises CodecError."""
    value: T = decode_as(hint, raw)
    return value


def decode_as(hint: Hint, raw: Plain) -> Value:
    """As `decode`, for hints that are no classes, such as `tuple[Vote, ...]`."""
    try:
        return _decode(hint, raw)
    except CodecError:
        raise
    except (TypeError, ValueError, KeyError) as exc:
        raise CodecError(f"{_name(hint)}: {exc}") from exc
    except Exception as exc:
        # A value checks itself when it is made, each room with errors of its own.
        raise CodecError(f"{_name(hint)} refuses what is stored: {exc}") from exc


def clean_text(text: str) -> str:
    """The text itself. Raises Mistake if it holds NUL or half a character (a lone surrogate)."""
    if "\x00" in text:
        raise Mistake("The text holds a NUL character.", fix="Type it again without it.")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as exc:
            raise Mistake(
                "The text holds half a character.", fix="Type that character again."
            ) from exc
    return text


def _decode(hint: Hint, raw: Plain) -> Value:
    return _reader(hint)(raw)


@functools.cache
def _reader(hint: Hint) -> Reader:
    """What reads values of this hint: looking at a hint takes longer than reading the value."""
    if hint is Any:
        return _as_it_is
    origin = get_origin(hint)
    if origin is not None:
        return _generic_reader(hint, origin)
    if hint is None or hint is type(None):
        return lambda raw: None if raw is None else _refuse(hint, raw)
    if hasattr(hint, "__dataclass_fields__"):
        return functools.partial(_decode_dataclass, hint)
    if issubclass(hint, tuple):  # a NamedTuple
        hints = list(get_type_hints(hint).values())
        return lambda raw: hint(
            *(_decode(each, item) for each, item in zip(hints, raw, strict=True))
        )
    if issubclass(hint, Enum):
        return hint
    if reader := _READERS.get(hint):
        return reader
    return lambda raw: raw if type(raw) is hint else _refuse(hint, raw)


def _as_it_is(raw: Plain) -> Value:
    return raw


def _decode_dataclass(hint: type, raw: Plain) -> Value:
    if not isinstance(raw, Mapping):
        return _refuse(hint, raw)
    readers = _field_readers(hint)
    try:
        return hint(**{name: readers[name](item) for name, item in raw.items()})
    except KeyError:
        if unknown := set(raw) - set(readers):
            raise CodecError(
                f"{hint.__name__} has no field {sorted(unknown)[0]!r} in this version."
            ) from None
        raise


@functools.cache
def _field_readers(hint: type) -> dict[str, Reader]:
    return {name: _reader(each) for name, each in _hints(hint).items()}


def _generic_reader(hint: Hint, origin: Hint) -> Reader:
    args = get_args(hint)
    if origin in (Union, types.UnionType):
        return _union_reader(hint, args)
    if origin is tuple:
        return _tuple_reader(hint, args)
    if origin is frozenset:
        read = _reader(args[0])
        return lambda raw: frozenset(read(item) for item in _list(hint, raw))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return functools.partial(_decode_mapping, hint, _reader(args[0]), _reader(args[1]))
    return functools.partial(_refuse, hint)


def _decode_mapping(hint: Hint, key: Reader, value: Reader, raw: Plain) -> dict[Any, Any]:
    if not isinstance(raw, Mapping):
        return _refuse(hint, raw)
    return {key(name): value(item) for name, item in raw.items()}


def _union_reader(hint: Hint, args: tuple[Hint, ...]) -> Reader:
    optional = type(None) in args
    kinds = [arg for arg in args if arg is not type(None)]
    only = _reader(kinds[0]) if len(kinds) == 1 else None

    def read(raw: Plain) -> Value:
        if raw is None and optional:
            return None
        if only is not None:
            return only(raw)
        return raw if type(raw) in kinds else _refuse(hint, raw)

    return read


def _tuple_reader(hint: Hint, args: tuple[Hint, ...]) -> Reader:
    if len(args) == 2 and args[1] is Ellipsis:
        each = _reader(args[0])
        return lambda raw: tuple([each(item) for item in _list(hint, raw)])
    readers = [_reader(arg) for arg in args]
    return lambda raw: tuple(
        [read(item) for read, item in zip(readers, _list(hint, raw), strict=True)]
    )


@functools.cache
def _hints(kind: type) -> dict[str, Hint]:
    hints = get_type_hints(kind)
    return {f.name: hints[f.name] for f in fields(kind) if f.init}


def _list(hint: Hint, raw: Plain) -> list[Any]:
    return raw if isinstance(raw, list) else _refuse(hint, raw)


def _read_float(raw: Plain) -> float:
    # A database's JSON may hand 1.0 back as 1.
    return float(raw) if type(raw) in (int, float) else _refuse(float, raw)


def _read_datetime(raw: Plain) -> datetime:
    return _aware(datetime.fromisoformat(raw))


_READERS: Mapping[type, Reader] = {
    float: _read_float,
    datetime: _read_datetime,
    date: date.fromisoformat,
    time: time.fromisoformat,
}


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise CodecError(f"{value} can't be stored; numbers must be finite.")
    return value


def _aware(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise CodecError(f"{value} has no time zone; all times are aware UTC.")
    return value


def _text_key(key: object) -> str:
    return clean_text(key) if isinstance(key, str) else _refuse(str, key)


def _refuse(hint: Hint, raw: Plain) -> NoReturn:
    raise CodecError(f"{_name(hint)} was expected, not {raw!r:.80}.")


def _name(hint: Hint) -> str:
    return getattr(hint, "__name__", str(hint))
