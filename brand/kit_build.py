"""The tables of a kit's file become values. What fits together is looked at in `kit_checks`."""

import re

from brand.kit import (
    FORMULA_PARTS,
    NEGATIVE_CATEGORIES,
    BannedTerm,
    BrandKit,
    Formula,
    Negatives,
    PaletteColor,
    Template,
    ToneRule,
    Variable,
)
from brand.kit_build_access import build_access, build_limits
from brand.kit_build_rules import (
    build_channel,
    build_embedding,
    build_gates,
    build_generation,
    build_label,
    build_lora_policy,
    build_review,
)
from brand.kit_build_ways import build_recipe, build_ways
from brand.kit_reader import NAME, NAME_FORM, VERSION, Section

HEX = r"#[0-9a-fA-F]{6}"
HEX_FORM = "a colour as #rrggbb"
VARIABLE_NAME = r"[A-Z][A-Z0-9_]{0,39}"
COLOR_ROLES = ("primary", "secondary", "accent", "background", "text")
NO_COLOR = "#000000"
PARTS = tuple(part for part in FORMULA_PARTS if part != "subject")


def build_kit(file: Section) -> BrandKit:
    """The kit as far as the file can be read; its problems are in the section's log."""
    brand = file.section("brand", required=True)
    palette = tuple(_color(item) for item in file.items("palette"))
    owner = brand.text("owner", form="who answers for the kit, like @brand")
    tone = file.section("tone")
    kit = BrandKit(
        id=brand.text("id", pattern=NAME, form=NAME_FORM),
        name=brand.text("name"),
        version=brand.text("version", pattern=VERSION, form='a version like "1.0"'),
        owner=owner,
        accent=_accent(brand, palette),
        palette=palette,
        voice=tone.text("voice", ""),
        tone=tuple(_tone_rule(item) for item in tone.items("rules")),
        banned=tuple(_banned(item, owner) for item in file.items("banned")),
        negatives=_negatives(file.section("negatives")),
        formula=_formula(file.section("formula")),
        templates=tuple(_template(item) for item in file.items("templates")),
        lora=build_lora_policy(file.section("lora")),
        gates=build_gates(file.section("gates")),
        channels=tuple(build_channel(item) for item in file.items("channels")),
        review=build_review(file.section("review")),
        generation=build_generation(file.section("generation", required=True)),
        label=build_label(file.section("label")),
        ways=build_ways(file.section("ways")),
        recipes=tuple(build_recipe(item) for item in file.items("recipes")),
        embeddings=tuple(build_embedding(item) for item in file.items("embeddings")),
        access=tuple(build_access(item) for item in file.items("access")),
        limits=build_limits(file.section("limits")),
    )
    for section in (brand, tone, file):
        section.finish()
    return kit


def _accent(brand: Section, palette: tuple[PaletteColor, ...]) -> str:
    """A palette colour's name, or a colour of its own."""
    text = brand.text("accent", palette[0].hex if palette else NO_COLOR)
    by_name = {color.name: color.hex for color in palette}
    if text in by_name:
        return by_name[text]
    if not re.fullmatch(HEX, text):
        message = f'`accent` is "{text}", which is neither a palette colour nor #rrggbb'
        brand.log.add(brand.at("accent"), message, f"It can be {', '.join(by_name) or HEX_FORM}.")
        return NO_COLOR
    return text.lower()


def _color(item: Section) -> PaletteColor:
    name = item.text("name", form="the colour's name")
    color = PaletteColor(
        name=name,
        hex=item.text("hex", pattern=HEX, form=HEX_FORM).lower() or NO_COLOR,
        role=item.choice("role", COLOR_ROLES, "secondary"),
        key=item.flag("key", default=False),
        min_share=item.number("min_share", 0.0, low=0, high=1),
    )
    item.finish()
    return color


def _tone_rule(item: Section) -> ToneRule:
    rule = ToneRule(number=item.integer("number", None, low=1, high=999), text=item.text("text"))
    item.finish()
    return rule


def _banned(item: Section, owner: str) -> BannedTerm:
    term = BannedTerm(
        words=item.texts("words"),
        reason=item.text("reason", form="why the words are banned"),
        rule=item.integer("rule", None, low=1, high=999),
        owner=item.text("owner", owner),
        alternative=item.text("alternative", form="what to say instead"),
    )
    if not term.words:
        item.log.add(item.at("words"), "[banned] needs `words`", 'Add `words = ["..."]`.')
    item.finish()
    return term


def _negatives(section: Section) -> Negatives:
    found = Negatives(**{name: section.texts(name) for name in NEGATIVE_CATEGORIES})
    section.finish()
    return found


def _formula(section: Section) -> Formula:
    if "subject" in section:
        section.value("subject")
        section.log.add(
            section.at("subject"),
            "the formula's subject is what the brief asks for",
            "Delete `subject`; write fixed words into `base`.",
        )
    found = Formula(**{part: section.text(part, "") for part in PARTS})
    section.finish()
    return found


def _template(item: Section) -> Template:
    variables = item.section("variables")
    parts = {part: item.text(part, "") if part in item else None for part in PARTS}
    for part in PARTS:
        item.value(part)
    found = Template(
        name=item.text("name", pattern=NAME, form=NAME_FORM),
        text=item.text("text", form="the subject with its [VARIABLES]"),
        version=item.integer("version", 1, low=1, high=100_000),
        description=item.text("description", ""),
        variables=tuple(_variable(variables, name) for name in variables.named()),
        negative=item.texts("negative"),
        aspect=item.text("aspect", ""),
        base=parts["base"],
        style=parts["style"],
        lighting=parts["lighting"],
        composition=parts["composition"],
        quality=parts["quality"],
    )
    item.finish()
    return found


def _variable(variables: Section, name: str) -> Variable:
    section = variables.section(name)
    if not re.fullmatch(VARIABLE_NAME, name) or name == "WORDS":
        reserved = "WORDS is the brief's own words" if name == "WORDS" else "it isn't in capitals"
        section.log.add(
            section.where,
            f"`{name}` can't name a variable: {reserved}",
            "Use capitals, digits and _, starting with a letter.",
        )
    found = Variable(
        name=name,
        values=section.texts("values"),
        default=section.text("default", ""),
        description=section.text("description", ""),
    )
    section.finish()
    return found
