"""Hypothesis strategies for the values that stores keep, from their own type hints."""

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from enum import Enum
from types import UnionType
from typing import Any, TypeAlias, Union, get_args, get_origin, get_type_hints

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from brand.loras import LoraVersion
from brand.spec import (
    CONTROL_KINDS,
    MAX_SEED,
    ControlUse,
    EmbeddingUse,
    HighRes,
    ImagePrompt,
    InitImage,
    LoraUse,
    Mask,
    Outpaint,
    RenderSpec,
)

Hint: TypeAlias = Any

# No NUL and no lone surrogates: those are refused, which has a test of its own.
TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=12)
SHA256 = st.text("0123456789abcdef", min_size=64, max_size=64)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
_ZONES = st.just(UTC) | st.integers(-14 * 60, 14 * 60).map(
    lambda minutes: timezone(timedelta(minutes=minutes))
)
TIMES = st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1), timezones=_ZONES)  # noqa: DTZ001
WEIGHTS = st.floats(-4, 4)

_SIMPLE: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXT,
    int: st.integers(-(2**31) + 1, 2**31 - 1),
    float: NUMBERS,
    bool: st.booleans(),
    datetime: TIMES,
    date: st.dates(),
    time: st.times(),
    Any: PLAIN,
    type(None): st.none(),
    LoraUse: st.builds(LoraUse, sha256=SHA256, weight=WEIGHTS, name=TEXT),
    InitImage: st.builds(InitImage, sha256=SHA256, strength=st.floats(0, 1)),
    Mask: st.builds(Mask, sha256=SHA256, feather=st.integers(0, 64), invert=st.booleans()),
    Outpaint: st.builds(
        Outpaint,
        left=st.integers(1, 3).map(lambda eighths: eighths * 8),
        top=st.integers(0, 3).map(lambda eighths: eighths * 8),
        feather=st.integers(0, 64),
    ),
    ControlUse: st.builds(
        ControlUse,
        kind=st.sampled_from(CONTROL_KINDS),
        sha256=SHA256,
        weight=st.floats(0, 2),
        start=st.floats(0, 0.4),
        end=st.floats(0.5, 1),
        ready=st.booleans(),
        model=TEXT,
    ),
    EmbeddingUse: st.builds(EmbeddingUse, sha256=SHA256, token=st.just("acme-look"), name=TEXT),
    ImagePrompt: st.builds(ImagePrompt, sha256=SHA256, weight=st.floats(0, 2), model=TEXT),
    HighRes: st.builds(
        HighRes, scale=st.floats(1, 4), strength=st.floats(0.05, 1), steps=st.integers(0, 200)
    ),
}
_SIDES = st.integers(8, 512).map(lambda eighths: eighths * 8)
_CHANGED_PARTS = st.none() | _SIMPLE[Mask] | _SIMPLE[Outpaint]


def _spec(start: InitImage | None, part: Mask | Outpaint | None, **facts: Any) -> RenderSpec:
    """A part of a picture is painted anew only where there is a picture."""
    mask = part if start and isinstance(part, Mask) else None
    outpaint = part if start and isinstance(part, Outpaint) else None
    return RenderSpec(**facts, init=start, mask=mask, outpaint=outpaint)


_SIMPLE[RenderSpec] = st.builds(
    _spec,
    prompt=TEXT,
    model=TEXT.filter(bool),
    seed=st.integers(0, MAX_SEED),
    negative=TEXT,
    model_sha256=st.just("") | SHA256,
    width=_SIDES,
    height=_SIDES,
    steps=st.integers(1, 200),
    guidance=st.floats(0, 50),
    sampler=TEXT,
    loras=st.lists(_SIMPLE[LoraUse], max_size=2).map(tuple),
    start=st.none() | _SIMPLE[InitImage],
    part=_CHANGED_PARTS,
    upscale=st.integers(1, 4),
    tile=st.booleans(),
    controls=st.lists(_SIMPLE[ControlUse], max_size=2).map(tuple),
    embeddings=st.lists(_SIMPLE[EmbeddingUse], max_size=1).map(tuple),
    image_prompt=st.none() | _SIMPLE[ImagePrompt],
    highres=st.none() | _SIMPLE[HighRes],
)
_SIMPLE[LoraVersion] = st.builds(
    LoraVersion,
    brand=TEXT,
    name=TEXT,
    version=TEXT,
    sha256=SHA256,
    owner=TEXT,
    dataset_sha256=SHA256,
    min_weight=st.floats(-4, -1),
    weight=st.floats(-1, 1),
    max_weight=st.floats(1, 4),
    triggers=st.lists(TEXT, max_size=2).map(tuple),
)


def values(hint: Hint) -> st.SearchStrategy[Any]:
    """Values of a type hint; a dataclass's fields are drawn or left at their defaults."""
    if hint in _SIMPLE:
        return _SIMPLE[hint]
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return st.one_of(*(values(arg) for arg in args))
    if origin is tuple:
        if args[-1] is Ellipsis:
            return st.lists(values(args[0]), max_size=2).map(tuple)
        return st.tuples(*(values(arg) for arg in args))
    if origin is frozenset:
        return st.frozensets(values(args[0]), max_size=3)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return st.dictionaries(TEXT, values(args[1]), max_size=3)
    if issubclass(hint, Enum):
        return st.sampled_from(list(hint))
    return _made(hint)


def _made(kind: type) -> st.SearchStrategy[Any]:
    hints = get_type_hints(kind)
    if not is_dataclass(kind):  # a NamedTuple
        return st.builds(kind, **{name: values(hint) for name, hint in hints.items()})
    given, left = {}, {}
    for f in fields(kind):
        has_default = f.default is not MISSING or f.default_factory is not MISSING
        (left if has_default else given)[f.name] = values(hints[f.name])
    return st.fixed_dictionaries(given, optional=left).map(lambda found: kind(**found))


def examples(strategy: st.SearchStrategy[Any], count: int = 20) -> list[Any]:
    """Some values, always the same ones: for tests that can't be run once a value."""
    found: list[Any] = []

    @settings(max_examples=count, derandomize=True, database=None, phases=[Phase.generate])
    @given(strategy)
    def collect(value: object) -> None:
        found.append(value)

    collect()
    return found
