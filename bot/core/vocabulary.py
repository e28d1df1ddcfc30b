"""Vocabulary: the words that a brand's commands may use, so that a mistake can name them."""

from dataclasses import dataclass

from brand.kit import ApprovedLora, BrandKit, Channel, Template, Variable
from brand.spec import MAX_SEED


@dataclass(frozen=True, kw_only=True)
class Range:
    """An allowed range of numbers, both ends included."""

    low: float
    high: float

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    def __str__(self) -> str:
        return f"from {_number(self.low)} to {_number(self.high)}"


def _number(value: float) -> str:
    """All digits of a whole number: a seed's limit in powers of ten can't be typed."""
    return f"{int(value):,}" if value == int(value) else f"{value:,g}"


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """What the grammar knows of a brand."""

    brand: str
    """The brand's name, as sentences say it."""
    templates: tuple[Template, ...] = ()
    samplers: tuple[str, ...] = ()
    loras: tuple[ApprovedLora, ...] = ()
    lora_default: str = ""
    lora_required: bool = False
    aspects: tuple[str, ...] = ()
    """The first one is the default."""
    channels: tuple[Channel, ...] = ()
    controls: tuple[str, ...] = ()
    """Kinds of control that the kit allows; empty: none, and the kit says so."""
    recipes: tuple[str, ...] = ()
    highres: Range = Range(low=1, high=4)
    brands: tuple[str, ...] = ()
    """Ids of all brands of the house; empty: any word is taken."""
    count: int = 1
    """How many pictures a brief gets that does not say."""
    n: Range = Range(low=1, high=4)
    steps: Range = Range(low=1, high=60)
    cfg: Range = Range(low=0, high=15)
    strength: Range = Range(low=0, high=1)
    seed: Range = Range(low=0, high=MAX_SEED)

    @classmethod
    def of(cls, kit: BrandKit, *, brands: tuple[str, ...] = ()) -> "Vocabulary":
        """The vocabulary of a kit; `brands` are the ids that `--brand` may name."""
        defaults = kit.generation
        return cls(
            brand=kit.name,
            templates=kit.templates,
            samplers=defaults.samplers,
            loras=kit.lora.approved,
            lora_default=kit.lora.default,
            lora_required=kit.lora.required,
            aspects=tuple(aspect.name for aspect in defaults.aspects),
            channels=kit.channels,
            controls=kit.ways.controls,
            recipes=tuple(recipe.name for recipe in kit.recipes),
            highres=Range(low=1, high=kit.ways.highres or 4),
            brands=brands,
            count=defaults.count,
            n=Range(low=1, high=defaults.max_count),
            steps=Range(low=1, high=defaults.max_steps),
            cfg=Range(low=0, high=defaults.max_cfg),
        )

    def template(self, name: str) -> Template | None:
        """The template of that name in any case, or None."""
        wanted = name.casefold()
        return next((item for item in self.templates if item.name.casefold() == wanted), None)

    def channel(self, name: str) -> Channel | None:
        """The channel of that name in any case, with or without #, or None."""
        wanted = name.removeprefix("#").casefold()
        for item in self.channels:
            if item.name.removeprefix("#").casefold() == wanted:
                return item
        return None

    def lora(self, name: str) -> ApprovedLora | None:
        """By name or `name@version` in any case; of several versions the last one listed."""
        wanted = name.casefold()
        for item in reversed(self.loras):
            if wanted in (item.name.casefold(), f"{item.name}@{item.version}".casefold()):
                return item
        return None

    def owner_of(self, name: str) -> Template | None:
        """The first template that has a variable of exactly this name, or None."""
        return next((item for item in self.templates if item.variable(name)), None)


def variable_named(template: Template, name: str) -> Variable | None:
    """The template's variable of that name in any case, or None."""
    return template.variable(name.upper())
