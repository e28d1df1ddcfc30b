"""RenderSpec: the complete frozen recipe of one picture, and what comes back for it.

The canonical encoding below names a recipe for good: its SHA-256 stands in the archive, in
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
from dataclasses import MISSING, dataclass, field, fields
from types import UnionType
from typing import Any, Self, cast, get_args, get_type_hints

SPEC_VERSION = 1
MAX_SEED = 2**63 - 1  # SQL integers are signed 64 bit
SHA256_LENGTH = 64


class RenderError(Exception):
    """The picture could not be rendered."""

    code = "render_error"
    retryable = False


class SpecInvalid(RenderError):
    """The recipe has a value outside its limits; the message names the field and the limit."""

    code = "spec_invalid"


class ModelMissing(RenderError):
    """The generation service does not have this model; `housestyle doctor` lists what it has."""

    code = "model_missing"


class LoraRefused(RenderError):
    """The LoRA is not on the brand's approved list, or its file is not what the list says."""

    code = "lora_refused"


class InputMissing(RenderError):
    """An input file has not been uploaded: PUT /blobs/{sha256}, then submit again."""

    code = "input_missing"
    retryable = True


class RenderBusy(RenderError):
    """The generation service's queue is full; try again after `retry_after_s` seconds."""

    code = "busy"
    retryable = True

    def __init__(self, message: str, *, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class RenderUnavailable(RenderError):
    """The generation service does not answer; it is restarted and the work submitted again."""

    code = "unavailable"
    retryable = True


class RenderCancelled(RenderError):
    """The render was cancelled on request."""

    code = "cancelled"


class RenderFailed(RenderError):
    """The model ran and failed; the message carries the reference id that the log has too."""

    code = "failed"


RENDER_ERRORS: Mapping[str, type[RenderError]] = {
    kind.code: kind
    for kind in (
        RenderError,
        SpecInvalid,
        ModelMissing,
        LoraRefused,
        InputMissing,
        RenderUnavailable,
        RenderCancelled,
        RenderFailed,
    )
}


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


@dataclass(frozen=True, kw_only=True)
class LoraUse(Encoded):
    """One LoRA applied to the whole picture, named by its file's hash."""

    sha256: str
    weight: float = 1.0
    name: str = ""

    def __post_init__(self) -> None:
        if not is_sha256(self.sha256):
            raise SpecInvalid("a LoRA is named by the sha256 of its file")
        _within("LoRA weight", self.weight, -4, 4)


@dataclass(frozen=True, kw_only=True)
class InitImage(Encoded):
    """Where image to image starts. `strength` as in diffusers: 0 keeps it, 1 ignores it."""

    sha256: str
    strength: float = 0.6

    def __post_init__(self) -> None:
        if not is_sha256(self.sha256):
            raise SpecInvalid("a reference picture is named by the sha256 of its file")
        _within("strength", self.strength, 0, 1)


@dataclass(frozen=True, kw_only=True)
class RenderSpec(Encoded):
    """The complete frozen recipe of one picture.

    `width`, `height` in pixels (multiples of 8); `guidance` is the classifier-free guidance
    scale; `model` is the model's name in the generation service, `model_sha256` pins its weights
    where the kit does; `upscale` is a whole factor applied to the finished pixels (Lanczos).
    """

    prompt: str
    model: str
    seed: int
    negative: str = ""
    model_sha256: str = ""
    width: int = 512
    height: int = 512
    steps: int = 30
    guidance: float = 7.5
    sampler: str = "dpmpp_2m_karras"
    loras: tuple[LoraUse, ...] = ()
    init: InitImage | None = None
    upscale: int = 1
    tile: bool = False

    def __post_init__(self) -> None:
        _within("width", self.width, 64, 4096)
        _within("height", self.height, 64, 4096)
        if self.width % 8 or self.height % 8:
            raise SpecInvalid("width and height must be multiples of 8 pixels")
        _within("steps", self.steps, 1, 200)
        _within("guidance", self.guidance, 0, 50)
        _within("seed", self.seed, 0, MAX_SEED)
        _within("upscale", self.upscale, 1, 4)
        if len(self.loras) > 8:
            raise SpecInvalid("at most 8 LoRAs in one picture")
        if len(self.prompt) > 8000 or len(self.negative) > 8000:
            raise SpecInvalid("prompt and negative prompt may have at most 8,000 characters each")
        texts = self.prompt + self.negative + self.model + self.sampler
        if not self.model or "\x00" in texts or any("\ud800" <= c <= "\udfff" for c in texts):
            raise SpecInvalid("a model is needed, and no text may hold a NUL or half a character")
        if self.model_sha256 and not is_sha256(self.model_sha256):
            raise SpecInvalid("model_sha256 must be a sha256")

    def encode(self) -> bytes:
        """The canonical encoding (see the module's text)."""
        return canonical_json({"v": SPEC_VERSION, **self.to_dict()})

    @classmethod
    def decode(cls, data: bytes | str) -> Self:
        """Read a canonical or hand-written encoding. Raises SpecInvalid."""
        try:
            raw = json.loads(data)
        except (ValueError, RecursionError) as exc:
            raise SpecInvalid(f"not JSON: {exc}") from exc
        if not isinstance(raw, dict) or raw.pop("v", None) != SPEC_VERSION:
            raise SpecInvalid(f"not a version {SPEC_VERSION} recipe")
        return cls.from_dict(raw)

    @property
    def hash(self) -> str:
        """The recipe's name: SHA-256 of its canonical encoding, hexadecimal."""
        return sha256_hex(self.encode())

    @property
    def output_size(self) -> tuple[int, int]:
        """Width and height of the finished picture in pixels."""
        return self.width * self.upscale, self.height * self.upscale


def _within(name: str, value: float, low: float, high: float) -> None:
    if isinstance(value, bool) or not math.isfinite(value) or not low <= value <= high:
        raise SpecInvalid(f"{name} must be between {low} and {high}, got {value!r}")


@dataclass(frozen=True, kw_only=True)
class ReproductionClass(Encoded):
    """The conditions within which a re-render is bit-identical (DESIGN, rule 6)."""

    weights: str
    engine: str
    dtype: str
    device: str
    capability: str
    threads: int
    row_bucket: int = 1
    driver: str = ""
    libraries: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """Short name of the class: 16 hexadecimal characters of its canonical hash."""
        return sha256_hex(canonical_json(self.to_dict()))[:16]

    def differences(self, other: Self) -> tuple[str, ...]:
        """What differs, one plain phrase each, e.g. `threads: 1 there, 2 here`."""
        return tuple(
            f"{f.name}: {getattr(self, f.name)} there, {getattr(other, f.name)} here"
            for f in fields(self)
            if getattr(self, f.name) != getattr(other, f.name)
        )


@dataclass(frozen=True, kw_only=True)
class RenderRequest:
    """One submission to the generation service. The same `render_id` twice is one render."""

    render_id: str
    brand: str
    spec: RenderSpec
    priority: int = 0
    """Higher goes first: 10 interactive, 0 overnight."""
    preview_every: int = 4
    """A small preview every so many steps; 0 for none."""


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a render is. `done` and `total` count model evaluations, not sampler steps."""

    done: int
    total: int
    place: int = 0
    """How many renders of this service go before it; 0 once it runs."""
    eta_s: float | None = None
    preview: bytes = field(default=b"", repr=False)
    """A small JPEG, or empty."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A finished picture: lossless PNG bytes without metadata, RGB, 8 bit."""

    png: bytes = field(repr=False)
    width: int
    height: int
    reproduction: ReproductionClass
    seconds: float
    """Measured device time of this picture in seconds."""


@dataclass(frozen=True, kw_only=True)
class ModelInfo:
    """A model that the generation service can use. `layout` is sd1, sdxl or drawn."""

    name: str
    sha256: str
    layout: str
    width: int
    height: int
    loaded: bool = False


@dataclass(frozen=True, kw_only=True)
class RendererHealth:
    """What the generation service says of itself."""

    ready: bool
    device: str
    engine: str
    queued: int
    running: int
    models: tuple[ModelInfo, ...] = ()
    detail: str = ""
