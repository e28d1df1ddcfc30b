"""RenderSpec: the complete frozen recipe of one picture, and what comes back for it.

Its canonical encoding (`encoding`) names it for good: the SHA-256 stands in the archive, in file
names and in the ledger. All that recipes are made of may be imported from here.
"""

import json
from dataclasses import dataclass, field, fields
from typing import Self

from brand.encoding import (
    SHA256_LENGTH,
    Encoded,
    canonical_json,
    canonical_number,
    is_sha256,
    sha256_hex,
)
from brand.render_errors import (
    RENDER_ERRORS,
    InputMissing,
    LoraRefused,
    ModelMissing,
    RenderBusy,
    RenderCancelled,
    RenderError,
    RenderFailed,
    RenderUnavailable,
    SpecInvalid,
)
from brand.ways import (
    CONTROL_KINDS,
    MAX_CONTROLS,
    MAX_EMBEDDINGS,
    MAX_LORAS,
    ControlUse,
    EmbeddingUse,
    HighRes,
    ImagePrompt,
    InitImage,
    LoraUse,
    Mask,
    Outpaint,
    within,
)

__all__ = [
    "CONTROL_KINDS",
    "MAX_CONTROLS",
    "MAX_EMBEDDINGS",
    "MAX_LORAS",
    "MAX_SEED",
    "RENDER_ERRORS",
    "SHA256_LENGTH",
    "SPEC_VERSION",
    "ControlUse",
    "EmbeddingUse",
    "Encoded",
    "HighRes",
    "ImagePrompt",
    "InitImage",
    "InputMissing",
    "LoraRefused",
    "LoraUse",
    "Mask",
    "ModelInfo",
    "ModelMissing",
    "Outpaint",
    "Picture",
    "Progress",
    "RenderBusy",
    "RenderCancelled",
    "RenderError",
    "RenderFailed",
    "RenderRequest",
    "RenderSpec",
    "RenderUnavailable",
    "RendererHealth",
    "ReproductionClass",
    "SpecInvalid",
    "canonical_json",
    "canonical_number",
    "is_sha256",
    "sha256_hex",
]

_UNNAMED = "not named"

SPEC_VERSION = 1
MAX_SEED = 2**63 - 1  # SQL integers are signed 64 bit


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
        within("width", self.width, 64, 4096)
        within("height", self.height, 64, 4096)
        if self.width % 8 or self.height % 8:
            raise SpecInvalid("width and height must be multiples of 8 pixels")
        within("steps", self.steps, 1, 200)
        within("guidance", self.guidance, 0, 50)
        within("seed", self.seed, 0, MAX_SEED)
        within("upscale", self.upscale, 1, 4)
        if len(self.loras) > MAX_LORAS:
            raise SpecInvalid(f"at most {MAX_LORAS} LoRAs in one picture")
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
    """The smallest row bucket of at least 2 in the first pass's set; stands for all of it."""
    driver: str = ""
    libraries: tuple[str, ...] = ()
    aids: str = ""
    """One hash of the weights that a recipe names but not by hash: ControlNets, image prompts and
    what makes their maps; empty where it uses none."""
    buckets: tuple[int, ...] = ()
    """Row buckets that a profile found to give equal bits; the engine used these only."""
    later_buckets: tuple[int, ...] = ()
    """As `row_bucket`, of each further pass; empty where all were made in the first one's set."""
    host: str = ""
    """The CPU capability beside an accelerator: noise, control maps and some encoders are computed
    there. Empty on a CPU, and in classes recorded before it was named."""

    @property
    def id(self) -> str:
        """Short name of the class: 16 hexadecimal characters of its canonical hash."""
        return sha256_hex(canonical_json(self.to_dict()))[:16]

    def same_bits(self, other: Self) -> bool:
        """Whether a recipe gives the same bits in both, as far as both say.

        All is equal but perhaps `buckets`, since a set is named by one of its buckets, however much
        of it a profile has looked at.
        """
        return not self.differences(other)

    def differences(self, other: Self) -> tuple[str, ...]:
        """What differs, one plain phrase each, e.g. `threads: 1 there, 2 here`."""
        there, here = self._compared(), other._compared()
        return tuple(
            f"{name}: {there.get(name, _UNNAMED)} there, {here.get(name, _UNNAMED)} here"
            for name in there | here
            if there.get(name) != here.get(name)
        )

    def _compared(self) -> dict[str, object]:
        """What decides the bits, by name; libraries one by one."""
        found: dict[str, object] = {
            f.name: getattr(self, f.name)
            for f in fields(self)
            if f.name not in {"buckets", "libraries"}
        }
        return found | {line.partition(" ")[0]: line.partition(" ")[2] for line in self.libraries}


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
    """Not known while it is paused."""
    paused: bool = False
    """Whether whoever asked for it wants it to wait where it stands."""
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
    """A model that the generation service can use."""

    name: str
    sha256: str
    layout: str
    """`sd1`, `sdxl`, `sd3`, `flux` or `drawn`."""
    width: int
    height: int
    loaded: bool = False
    inpaints: bool = False
    """Whether it is an inpainting model: it reads a mask."""
    dtype: str = ""
    """Number format it computes with, e.g. `bfloat16+int8`."""
    device: str = ""
    bytes: int = 0
    """Of its weights in memory and of what was loaded beside it; 0 while it is not loaded."""
    beside_bytes: int = 0
    """Of them: LoRAs, ControlNets and image-prompt weights."""
    side_step: int = 8
    """Width and height of its pictures are multiples of so many pixels."""
    samplers: tuple[str, ...] = ()
    """Those that it takes; empty where the service does not know."""


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
