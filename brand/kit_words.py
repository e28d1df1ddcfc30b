"""What a kit says in words: palette, voice, negative words, templates."""

from dataclasses import dataclass

from brand.color import Rgb, parse_hex

NEGATIVE_CATEGORIES = ("quality", "anatomy", "artistic", "technical", "unwanted", "style")
FORMULA_PARTS = ("base", "subject", "style", "lighting", "composition", "quality")


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
