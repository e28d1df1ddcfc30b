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


CONTROL_KINDS = (
    "canny",
    "softedge",
    "lineart",
    "depth",
    "pose",
    "normal",
    "segmentation",
    "tile",
)
"""What a ControlNet may be led by."""
MAX_CONTROLS = 4
MAX_EMBEDDINGS = 8


@dataclass(frozen=True, kw_only=True)
class Mask(Encoded):
    """Inpainting: where the `init` picture is painted anew (white) and where it stays (black)."""

    sha256: str
    feather: int = 4
    """How softly the two meet: the blur's radius in pixels of the finished picture."""
    invert: bool = False
    """Black is painted anew instead."""

    def __post_init__(self) -> None:
        if not is_sha256(self.sha256):
            raise SpecInvalid("a mask is named by the sha256 of its file")
        _within("feather", self.feather, 0, 64)


@dataclass(frozen=True, kw_only=True)
class Outpaint(Encoded):
    """The `init` picture goes on over its edges: so many pixels of the finished size are new on
    each side (multiples of 8); the rest is the picture, fitted."""

    left: int = 0
    right: int = 0
    top: int = 0
    bottom: int = 0
    feather: int = 8
    """How softly old and new meet, in pixels."""

    def __post_init__(self) -> None:
        for name in ("left", "right", "top", "bottom"):
            value = getattr(self, name)
            _within(name, value, 0, 4096)
            if value % 8:
                raise SpecInvalid(f"{name} must be a multiple of 8 pixels")
        if not (self.left or self.right or self.top or self.bottom):
            raise SpecInvalid("outpainting needs at least one side with new pixels")
        _within("feather", self.feather, 0, 64)


@dataclass(frozen=True, kw_only=True)
class ControlUse(Encoded):
    """One ControlNet (Zhang et al., 2023) that leads the composition by a picture."""

    kind: str
    """One of CONTROL_KINDS."""
    sha256: str
    """Of the leading picture."""
    weight: float = 1.0
    start: float = 0.0
    """Share of the steps after which it begins, and below after which it ends."""
    end: float = 1.0
    ready: bool = False
    """The picture is a finished map (edges, depth, …) already; nothing is derived from it."""
    model: str = ""
    """Name of the ControlNet in the generation service; empty: the one there for this kind."""

    def __post_init__(self) -> None:
        if self.kind not in CONTROL_KINDS:
            raise SpecInvalid(f"control kind must be one of {', '.join(CONTROL_KINDS)}")
        if not is_sha256(self.sha256):
            raise SpecInvalid("a control picture is named by the sha256 of its file")
        _within("control weight", self.weight, 0, 2)
        _within("control start", self.start, 0, 1)
        _within("control end", self.end, 0, 1)
        if self.start >= self.end:
            raise SpecInvalid("a control must start before it ends")


@dataclass(frozen=True, kw_only=True)
class EmbeddingUse(Encoded):
    """A textual inversion (Gal et al., 2022): the word of the prompts that stands for it."""

    sha256: str
    token: str
    """The word, e.g. `acme-style`; without it in a prompt, the embedding does nothing."""
    name: str = ""

    def __post_init__(self) -> None:
        if not is_sha256(self.sha256):
            raise SpecInvalid("an embedding is named by the sha256 of its file")
        if not 1 <= len(self.token) <= 60 or any(c.isspace() for c in self.token):
            raise SpecInvalid("an embedding's token is one word of at most 60 characters")


@dataclass(frozen=True, kw_only=True)
class ImagePrompt(Encoded):
    """A picture as a prompt (IP-Adapter, Ye et al., 2023), where its weights are installed."""

    sha256: str
    weight: float = 0.6
    model: str = ""
    """Name of the image-prompt weights in the generation service; empty: the ones there."""

    def __post_init__(self) -> None:
        if not is_sha256(self.sha256):
            raise SpecInvalid("an image prompt is named by the sha256 of its file")
        _within("image prompt weight", self.weight, 0, 2)


@dataclass(frozen=True, kw_only=True)
class HighRes(Encoded):
    """Two passes: the picture is made at its size, enlarged (Lanczos), and painted over again."""

    scale: float = 2.0
    """Of both sides; the finished sides are rounded to multiples of 8."""
    strength: float = 0.5
    """Of the second pass, as in image to image."""
    steps: int = 0
    """Of the second pass; 0: as many as in the first."""

    def __post_init__(self) -> None:
        _within("highres scale", self.scale, 1, 4)
        _within("highres strength", self.strength, 0.05, 1)
        _within("highres steps", self.steps, 0, 200)


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
    mask: Mask | None = None
    outpaint: Outpaint | None = None
    controls: tuple[ControlUse, ...] = ()
    embeddings: tuple[EmbeddingUse, ...] = ()
    image_prompt: ImagePrompt | None = None
    highres: HighRes | None = None

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
        self._check_ways()

    def _check_ways(self) -> None:
        if (self.mask or self.outpaint) and self.init is None:
            raise SpecInvalid("inpainting and outpainting need the picture to start from: `init`")
        if self.mask and self.outpaint:
            raise SpecInvalid("a picture is inpainted or outpainted, not both at once")
        out = self.outpaint
        if out and (out.left + out.right >= self.width or out.top + out.bottom >= self.height):
            raise SpecInvalid("outpainting leaves no room for the picture within width and height")
        if len(self.controls) > MAX_CONTROLS:
            raise SpecInvalid(f"at most {MAX_CONTROLS} controls in one picture")
        if len(self.embeddings) > MAX_EMBEDDINGS:
            raise SpecInvalid(f"at most {MAX_EMBEDDINGS} embeddings in one picture")
        if len({use.token for use in self.embeddings}) < len(self.embeddings):
            raise SpecInvalid("two embeddings have the same token")

    @property
    def inputs(self) -> tuple[str, ...]:
        """The sha256 of every file that rendering it needs, each once."""
        named = [*self.approved_files, *(use.sha256 for use in self.controls)]
        if self.init:
            named.append(self.init.sha256)
        if self.mask:
            named.append(self.mask.sha256)
        if self.image_prompt:
            named.append(self.image_prompt.sha256)
        return tuple(dict.fromkeys(named))

    @property
    def approved_files(self) -> tuple[str, ...]:
        """The sha256 of every file among them that changes the model: only a brand's approved
        ones may serve."""
        loras = tuple(use.sha256 for use in self.loras)
        return loras + tuple(use.sha256 for use in self.embeddings)

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
        width, height = self.highres_size
        return width * self.upscale, height * self.upscale

    @property
    def highres_size(self) -> tuple[int, int]:
        """Width and height that the last pass paints, in pixels."""
        if self.highres is None:
            return self.width, self.height
        width, height = (round(side * self.highres.scale / 8) for side in (self.width, self.height))
        return width * 8, height * 8


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
    """The smallest row bucket of the set below; stands for all of it."""
    driver: str = ""
    libraries: tuple[str, ...] = ()
    buckets: tuple[int, ...] = ()
    """Row buckets that a profile found to give equal bits; the engine used these only."""

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
    team: str = ""
    """Whose work it is, for fair turns among those who ask; empty: the brand's."""


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
