"""BrandKit: what a brand allows, as frozen values. `kit_loader` reads them from a TOML file."""

from dataclasses import MISSING, Field, asdict, dataclass, field, fields, is_dataclass
from functools import cached_property
from typing import Any

from brand.color import Rgb, parse_hex
from brand.spec import canonical_json, sha256_hex

NEGATIVE_CATEGORIES = ("quality", "anatomy", "artistic", "technical", "unwanted", "style")
FORMULA_PARTS = ("base", "subject", "style", "lighting", "composition", "quality")
UPLOAD, OUTSIDE, INSIDE = "upload", "outside", "inside"
STAGE_MASKS = (UPLOAD, OUTSIDE, INSIDE)
ROLES = ("requester", "approver", "brand_manager", "admin", "auditor")


@dataclass(frozen=True, kw_only=True)
class PaletteColor:
    """A named colour. A key colour must cover at least `min_share` of each picture."""

    name: str
    hex: str
    role: str = "secondary"
    """primary, secondary, accent, background or text."""
    key: bool = False
    min_share: float = 0.0
    """Share of the picture from 0 to 1; more than 0 for a key colour."""

    @property
    def rgb(self) -> Rgb:
        """Three numbers from 0 to 255."""
        return parse_hex(self.hex)


@dataclass(frozen=True, kw_only=True)
class ToneRule:
    """One numbered rule of how the brand speaks."""

    number: int
    text: str


@dataclass(frozen=True, kw_only=True)
class BannedTerm:
    """Words (or phrases) that no brief may hold, with why, whose rule it is, and what to say."""

    words: tuple[str, ...]
    reason: str
    rule: int
    """Number of the tone rule that bans them."""
    owner: str
    """Whom to ask for a change."""
    alternative: str


@dataclass(frozen=True, kw_only=True)
class Negatives:
    """Standing negative words by category; they go into every recipe."""

    quality: tuple[str, ...] = ()
    anatomy: tuple[str, ...] = ()
    artistic: tuple[str, ...] = ()
    technical: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()
    style: tuple[str, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """All of them, in the order of the categories, each once."""
        every = (word for name in NEGATIVE_CATEGORIES for word in getattr(self, name))
        return tuple(dict.fromkeys(every))


@dataclass(frozen=True, kw_only=True)
class Formula:
    """Base + Subject + Style + Lighting + Composition + Quality; the subject is the brief's."""

    base: str = ""
    style: str = ""
    lighting: str = ""
    composition: str = ""
    quality: str = ""


@dataclass(frozen=True, kw_only=True)
class Variable:
    """A [VARIABLE] of a template. Without `values` any short text may stand there."""

    name: str
    values: tuple[str, ...] = ()
    default: str = ""
    """Used where the brief gives none; empty means that the brief must give one."""
    description: str = ""


@dataclass(frozen=True, kw_only=True)
class Template:
    """A subject with [VARIABLES]; a formula part given here replaces the kit's (None keeps it)."""

    name: str
    text: str
    version: int = 1
    description: str = ""
    variables: tuple[Variable, ...] = ()
    negative: tuple[str, ...] = ()
    """Further negative words of this template."""
    aspect: str = ""
    base: str | None = None
    style: str | None = None
    lighting: str | None = None
    composition: str | None = None
    quality: str | None = None

    def variable(self, name: str) -> Variable | None:
        """The variable of that name, or None."""
        return next((item for item in self.variables if item.name == name), None)


@dataclass(frozen=True, kw_only=True)
class ApprovedLora:
    """A LoRA version that may serve, with its weight limits and trigger words."""

    name: str
    version: str
    sha256: str
    weight: float = 1.0
    min_weight: float = 0.0
    max_weight: float = 1.5
    triggers: tuple[str, ...] = ()
    """Added to the prompt wherever this LoRA is used."""
    dataset_sha256: str = ""
    """Of the manifest of what it was trained on; empty where that is not known."""


@dataclass(frozen=True, kw_only=True)
class LoraPolicy:
    """Which LoRAs serve. `default` names the one a brief gets that asks for none."""

    default: str = ""
    required: bool = False
    """True: a brief may not do without a LoRA."""
    approved: tuple[ApprovedLora, ...] = ()
    max_together: int = 3
    """LoRAs in one picture."""
    max_weight_together: float = 2.0
    """Of several in one picture: their weights, without their signs, added up."""

    def find(self, name: str) -> ApprovedLora | None:
        """By name, or by `name@version`; of several versions the last one listed."""
        for lora in reversed(self.approved):
            if name in (lora.name, f"{lora.name}@{lora.version}"):
                return lora
        return None


@dataclass(frozen=True, kw_only=True)
class ApprovedEmbedding:
    """A learned word (textual inversion) that may serve: where it stands in a prompt, it acts."""

    name: str
    version: str
    sha256: str
    token: str
    """The word, e.g. `acme-style`."""


@dataclass(frozen=True, kw_only=True)
class Motif:
    """The brand's stripes: how much of the picture must have its edges run in their direction."""

    angle: float = 45.0
    """Direction of the stripes in degrees, counter-clockwise from the horizontal, 0 to 180."""
    tolerance: float = 12.0
    """Degrees to either side that still count."""
    min_share: float = 0.3
    """Least share of the picture (0 to 1) that shows them."""
    words: str = ""
    """What asks for the motif in a prompt."""


@dataclass(frozen=True, kw_only=True)
class GateLimits:
    """Thresholds of the gates; see `gates.py` for what each measures and in which unit."""

    min_sharpness: float = 40.0
    min_palette_share: float = 0.5
    max_delta_e: float = 12.0
    min_near_duplicate_bits: int = 6
    """Fewer differing bits of 64 than this is a near-duplicate; 0 turns the gate off."""
    min_side: int = 64
    """Least side of a picture in pixels."""
    max_nsfw: float = 0.5
    motif: Motif | None = None


@dataclass(frozen=True, kw_only=True)
class Channel:
    """A place for pictures. `audience` is public (approved only) or working (drafts too)."""

    name: str
    audience: str
    platform: str = "local"
    id: str = ""
    """The platform's own channel id; empty: the name without its #."""

    @property
    def channel_id(self) -> str:
        """The id as the platform knows it."""
        return self.id or self.name.removeprefix("#")


@dataclass(frozen=True, kw_only=True)
class ReviewPolicy:
    """Who may ask, who may approve (`role:NAME` or `person:ID`), and how a review ends."""

    may_request: tuple[str, ...] = ("role:requester",)
    may_approve: tuple[str, ...] = ("role:approver",)
    quorum: int = 1
    four_eyes: bool = True
    """True: nobody approves their own request."""
    expires_days: int = 7

    def allows_request(self, person: str, roles: frozenset[str]) -> bool:
        """Whether this person, with these roles in the brand, may ask for pictures."""
        return _named(self.may_request, person, roles)

    def allows_approval(self, person: str, roles: frozenset[str]) -> bool:
        """Whether this person, with these roles in the brand, may vote. Four eyes apart."""
        return _named(self.may_approve, person, roles)


@dataclass(frozen=True, kw_only=True)
class Aspect:
    """An allowed shape: its name (`1:1`) and its size in pixels, multiples of 8."""

    name: str
    width: int
    height: int


@dataclass(frozen=True, kw_only=True)
class GenerationDefaults:
    """What a recipe has where the brief says nothing, and the limits of what it may say."""

    model: str
    model_sha256: str = ""
    aspects: tuple[Aspect, ...]
    """The first one is the default."""
    steps: int = 30
    max_steps: int = 60
    cfg: float = 7.0
    max_cfg: float = 15.0
    sampler: str = "dpmpp_2m_karras"
    samplers: tuple[str, ...] = ("dpmpp_2m_karras",)
    strength: float = 0.6
    count: int = 1
    max_count: int = 4

    def aspect(self, name: str) -> Aspect | None:
        """The aspect of that name, or None."""
        return next((item for item in self.aspects if item.name == name), None)


@dataclass(frozen=True, kw_only=True)
class WayPolicy:
    """In which ways pictures may be made besides by words alone."""

    image: bool = True
    """From a reference picture."""
    inpaint: bool = False
    """A part of a reference anew, under a mask."""
    outpaint: bool = False
    """A reference going on over its edges."""
    controls: tuple[str, ...] = ()
    """Kinds of control that may lead the composition, e.g. canny."""
    image_prompt: bool = False
    """A picture as a prompt."""
    highres: float = 0.0
    """Largest scale of a second pass; 0: none."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One step of a recipe in several stages, made of each picture of the stage before."""

    name: str
    words: tuple[str, ...] = ()
    """One picture for each; [WORDS] stands for the brief's own. Empty: the brief's words."""
    strength: float | None = None
    """How far the picture before is left; None: the kit's, or all new under a mask."""
    mask: str = ""
    """Which part is painted anew: `upload` (the brief's mask), `outside` or `inside` the `box`;
    empty: all of it."""
    box: tuple[float, ...] = ()
    """left, top, right, bottom in shares of the sides, 0 to 1."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Pictures made in several stages; the requester picks from the last. The first stage starts
    from words (or the brief's reference), each other one from the pictures before."""

    name: str
    stages: tuple[Stage, ...]
    description: str = ""

    @property
    def needs_mask(self) -> bool:
        """Whether the brief must come with a mask."""
        return any(stage.mask == UPLOAD for stage in self.stages)


@dataclass(frozen=True, kw_only=True)
class LabelSettings:
    """What a published file says of itself, and in which formats it is published."""

    prompt_in_published_file: bool = False
    creator: str = ""
    renditions: tuple[str, ...] = ("png",)
    """png, jpeg, webp: one published file each."""
    quality: int = 92
    """JPEG and WebP quality, 1 to 100."""


@dataclass(frozen=True, kw_only=True)
class BrandKit:
    """A brand's rules and assets in one version. `hash` names exactly this content."""

    id: str
    name: str
    version: str
    owner: str
    accent: str
    """#rrggbb, the portal's one accent colour."""
    generation: GenerationDefaults
    palette: tuple[PaletteColor, ...] = ()
    voice: str = ""
    tone: tuple[ToneRule, ...] = ()
    banned: tuple[BannedTerm, ...] = ()
    negatives: Negatives = field(default_factory=Negatives)
    formula: Formula = field(default_factory=Formula)
    templates: tuple[Template, ...] = ()
    lora: LoraPolicy = field(default_factory=LoraPolicy)
    gates: GateLimits = field(default_factory=GateLimits)
    channels: tuple[Channel, ...] = ()
    review: ReviewPolicy = field(default_factory=ReviewPolicy)
    label: LabelSettings = field(default_factory=LabelSettings)
    ways: WayPolicy = field(default_factory=WayPolicy)
    recipes: tuple[Recipe, ...] = ()
    embeddings: tuple[ApprovedEmbedding, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The whole content as plain JSON types."""
        return asdict(self)

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the canonical JSON of the content, hexadecimal.

        A field at its default is left out, so that one added later renames no old kit.
        """
        return sha256_hex(canonical_json({"kit": _said(self)}))

    def template(self, name: str) -> Template | None:
        """The template of that name, or None."""
        return next((item for item in self.templates if item.name == name), None)

    def recipe(self, name: str) -> Recipe | None:
        """The recipe of that name in any case, or None."""
        wanted = name.casefold()
        return next((item for item in self.recipes if item.name.casefold() == wanted), None)

    def color(self, name: str) -> PaletteColor | None:
        """The palette colour of that name, or None."""
        return next((item for item in self.palette if item.name == name), None)

    def channel(self, name: str) -> Channel | None:
        """The channel of that name (with or without #), or None."""
        bare = name.removeprefix("#")
        return next((item for item in self.channels if item.name.removeprefix("#") == bare), None)

    @property
    def publish_channels(self) -> tuple[Channel, ...]:
        """Where approved pictures may be posted."""
        return tuple(item for item in self.channels if item.audience == "public")

    @property
    def working_channels(self) -> tuple[Channel, ...]:
        """Where drafts may be seen."""
        return tuple(item for item in self.channels if item.audience == "working")


def _said(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        pairs = ((f, getattr(value, f.name)) for f in fields(value))
        return {f.name: _said(item) for f, item in pairs if not _at_default(f, item)}
    return [_said(item) for item in value] if isinstance(value, tuple) else value


def _at_default(f: Field[Any], item: object) -> bool:
    if f.default_factory is not MISSING:
        return bool(item == f.default_factory())
    return bool(item == f.default)


def _named(allowed: tuple[str, ...], person: str, roles: frozenset[str]) -> bool:
    if person and f"person:{person}" in allowed:
        return True
    return any(f"role:{role}" in allowed for role in roles)
