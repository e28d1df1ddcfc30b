"""The form for a picture: from nothing, from a message's picture, or for a template's variables.

Five inputs fit into a form of Discord, and no choice changes what else it shows. So whatever has
no input of its own (a template, the seed, a brand …) stands as flags in the box for words, where
it is seen and may be changed; nothing is kept between the form's opening and its sending.
"""

import re
from collections.abc import Mapping
from typing import Any

from bot.chat.discord_chat.forms import fields
from bot.chat.discord_chat.forms.choices import ASPECT
from bot.chat.discord_chat.forms.lines import NEGATIVE, VAR, flags_line
from bot.chat.discord_chat.surfaces import FORM_PREFIX, PROMPT, REFERENCE
from bot.core.grammar_text import read_typed, unquoted
from bot.core.vocabulary import Vocabulary, variable_named
from brand.kit import BrandKit, Template, Variable
from brand.pictures import MAX_BYTES
from brand.templates import MAX_VALUE

NEW_ID = f"{FORM_PREFIX}imagine"
COUNT = "count"
EXAMPLE = "a red mug on a wooden table"
_TEMPLATE = "template:"
_ASSIGNMENT = re.compile(r"([A-Za-z][A-Za-z0-9_]{0,39})=(.+)", re.DOTALL)
NOTHING_FOUND = "That message has no picture that I can take: add one below."


def new_form(
    kit: BrandKit,
    options: Mapping[str, str],
    *,
    custom_id: str = NEW_ID,
    has_picture: bool = False,
    about: str = "",
) -> dict[str, Any]:
    """The form for a picture, with what is known of it. `has_picture`: it starts from one
    already."""
    counts = _counts(kit)
    asked = (ASPECT, NEGATIVE, *((COUNT,) if options.get(COUNT, "") in ("", *counts) else ()))
    own = {name: value for name, value in options.items() if name not in asked}
    words = _words(flags_line(own), about=about or f"In {kit.name}'s look.", required=True)
    file = fields.upload(
        REFERENCE,
        "Reference picture",
        about=f"PNG, JPEG or WebP, at most {MAX_BYTES // 1_000_000} MB. It starts from it.",
    )
    inputs = [words, _aspect(kit, options), _count(kit, options), _negative(kit, options)]
    return fields.form(custom_id, "New picture", inputs if has_picture else [*inputs, file])


def template_form(
    kit: BrandKit, template: Template, options: Mapping[str, str], given: Mapping[str, str]
) -> dict[str, Any]:
    """The form for a template's variables: those that must be given first. `given` are values
    that are typed already."""
    missing = [item for item in template.variables if _is_missing(item, given)]
    others = [item for item in template.variables if item.name not in given and item.default]
    asked = [*missing, *others][: fields.MAX_INPUTS - 1]
    left = [item.name for item in missing if item not in asked]
    also = f"Also needed, as NAME=value: {', '.join(left)}." if left else ""
    words = _words(flags_line(options), about=also or "Flags such as --ar 16:9 work too.")
    inputs = [_variable(item) for item in asked]
    return fields.form(NEW_ID, f"New picture: {template.name}", [*inputs, words])


def lacks_values(template: Template, given: Mapping[str, str]) -> bool:
    """Whether the template has a variable that must be given and isn't."""
    return any(_is_missing(item, given) for item in template.variables)


def _is_missing(variable: Variable, given: Mapping[str, str]) -> bool:
    return not variable.default and variable.name not in given


def _words(said: str, *, about: str, required: bool = False) -> fields.Component:
    return fields.text(
        PROMPT,
        "What should it show?" if required else "Anything to add?",
        about=about,
        said=said,
        example=EXAMPLE if required else "in warm morning light",
        longest=fields.MAX_VALUE,
        lines=True,
        required=required,
    )


def _aspect(kit: BrandKit, options: Mapping[str, str]) -> fields.Component:
    shapes = kit.generation.aspects
    names = [item.name for item in shapes]
    said, example = options.get(ASPECT, ""), f"{names[0]}, unless you choose"
    if not fields.few(names) or (said and said not in names):
        return fields.text(ASPECT, "Size", said=said, example=example, longest=MAX_VALUE)
    sizes = [(item.name, f"{item.name}, {item.width} × {item.height} pixels") for item in shapes]
    return fields.select(ASPECT, "Size", sizes, said=said, example=example)


def _count(kit: BrandKit, options: Mapping[str, str]) -> fields.Component:
    counts = [(n, f"{n} picture{'' if n == '1' else 's'}") for n in _counts(kit)]
    example = f"{kit.generation.count}, unless you choose"
    return fields.select(COUNT, "How many?", counts, said=options.get(COUNT, ""), example=example)


def _counts(kit: BrandKit) -> list[str]:
    """How many pictures may be chosen."""
    most = min(kit.generation.max_count, fields.MAX_OPTIONS)
    return [str(n) for n in range(1, most + 1)]


def _negative(kit: BrandKit, options: Mapping[str, str]) -> fields.Component:
    return fields.text(
        NEGATIVE,
        "What must not be in it?",
        about=f"On top of what {kit.name} never shows.",
        said=options.get(NEGATIVE, ""),
        example="text, hands, clutter",
        longest=500,
    )


def _variable(variable: Variable) -> fields.Component:
    custom_id, label = f"{VAR}{variable.name}", variable.name.replace("_", " ").capitalize()
    own, values = variable.default, list(dict.fromkeys(variable.values))
    if fields.few(values):
        return fields.select(
            custom_id,
            label,
            [(value, value) for value in values],
            about=variable.description,
            example=f"{own}, unless you choose" if own else "Choose one",
            required=not own,
        )
    many = f"One of {len(values):,} values." if values else ""
    return fields.text(
        custom_id,
        label,
        about=" ".join(part for part in (variable.description, many) if part),
        example=f"{own}, unless you write something else" if own else "",
        longest=MAX_VALUE,
        required=not own,
    )


def typed_in(prompt: str, kit: BrandKit) -> tuple[str, dict[str, str]]:
    """(the template's name, NAME -> value) of what stands so among typed words."""
    name, given = "", {}
    for token in read_typed(prompt).tokens:
        if token.quoted:
            continue
        if token.text[: len(_TEMPLATE)].casefold() == _TEMPLATE:
            name = unquoted(token.text[len(_TEMPLATE) :])
        elif match := _ASSIGNMENT.fullmatch(token.text):
            given[match[1]] = unquoted(match[2])
    found = Vocabulary.of(kit).template(name) if name else None
    known = ((variable_named(found, key), value) for key, value in given.items()) if found else ()
    return name, {variable.name: value for variable, value in known if variable and value}
