"""BrandKit: what a brand allows, as frozen values. `kit_loader` reads them from a TOML file."""

from dataclasses import MISSING, Field, asdict, dataclass, field, fields, is_dataclass
from functools import cached_property
from typing import Any

from brand.kit_access import ACTIONS, AccessRule, Limits
from brand.kit_rules import (
    ROLES,
    ApprovedEmbedding,
    ApprovedLora,
    Channel,
    GateLimits,
    LabelSettings,
    LoraPolicy,
    Motif,
    ReviewPolicy,
)
from brand.kit_ways import (
    INSIDE,
    OUTSIDE,
    STAGE_MASKS,
    UPLOAD,
    Aspect,
    GenerationDefaults,
    Recipe,
    Stage,
    WayPolicy,
)
from brand.kit_words import (
    FORMULA_PARTS,
    NEGATIVE_CATEGORIES,
    BannedTerm,
    Formula,
    Negatives,
    PaletteColor,
    Template,
    ToneRule,
    Variable,
)
from brand.spec import canonical_json, sha256_hex

__all__ = [
    "ACTIONS",
    "FORMULA_PARTS",
    "INSIDE",
    "NEGATIVE_CATEGORIES",
    "OUTSIDE",
    "ROLES",
    "STAGE_MASKS",
    "UPLOAD",
    "AccessRule",
    "ApprovedEmbedding",
    "ApprovedLora",
    "Aspect",
    "BannedTerm",
    "BrandKit",
    "Channel",
    "Formula",
    "GateLimits",
    "GenerationDefaults",
    "LabelSettings",
    "Limits",
    "LoraPolicy",
    "Motif",
    "Negatives",
    "PaletteColor",
    "Recipe",
    "ReviewPolicy",
    "Stage",
    "Template",
    "ToneRule",
    "Variable",
    "WayPolicy",
]


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
    access: tuple[AccessRule, ...] = ()
    limits: Limits = field(default_factory=Limits)

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
    def max_file(self) -> int | None:
        """Bytes of the largest file that all its channels take; None: no limit that counts."""
        limits = [item.max_file for item in self.channels if item.max_file is not None]
        return min(limits, default=None)

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
