"""Brief -> RenderSpec: what a person asked for becomes the complete recipe of one picture.

The prompt is Base + Subject + Style + Lighting + Composition + Quality. The subject is the brief's
words, or its template's text with every [VARIABLE] filled in one pass: a value is never read again,
so `[COLOR]`, `{{7*7}}` or `<lora:x:1>` inside a value stays the text that it is.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from brand.brief import Brief as Brief
from brand.brief import ControlWish as ControlWish
from brand.choices import chosen
from brand.emphasis import contained
from brand.encoding import as_written
from brand.errors import BriefRefused, MissingValue, OutOfRange, UnknownChoice
from brand.kit import FORMULA_PARTS, ApprovedLora, Aspect, BrandKit, Template, Variable
from brand.lora_rules import NO_LORA as NO_LORA
from brand.lora_rules import embeddings_of, loras_of
from brand.spec import MAX_SEED, RenderSpec, SpecInvalid
from brand.way_rules import ways_of
from brand.way_rules import within as _within
from brand.words import clean, nearest, one_of, refuse_banned

MAX_WORDS = 2000
MAX_VALUE = 200
MAX_PROMPT = 8000
"""Characters of a brief's words, of a variable's value, and of a recipe's prompt."""
WORDS_VARIABLE = "WORDS"
"""A template may say where the brief's own words stand; else they follow its text."""

VARIABLE = re.compile(r"\[([A-Z][A-Z0-9_]{0,39})\]")
_SLOT = re.compile(rf"(?:\b(?P<article>[Aa]n?) )?{VARIABLE.pattern.replace('(', '(?P<name>', 1)}")


def compile_brief(brief: Brief, kit: BrandKit, seed: int, index: int = 0) -> RenderSpec:
    """The recipe of picture number `index` (from 0) of a brief. The same input, the same recipe.

    `seed` is that of the job's first picture (the brief's own, or drawn by the caller). Raises
    the BriefRefused tree; nothing about a brief raises anything else.
    """
    template = _template(brief, kit)
    defaults = kit.generation
    _check_numbers(brief, kit, seed + index)
    aspect = _aspect(brief, kit, template)
    loras = loras_of(brief, kit)
    sampler = chosen(brief.sampler or defaults.sampler, defaults.samplers, "sampler", kit)
    prompt = _prompt(brief, kit, template, [lora for lora, _ in loras])
    negative = _negative(brief, kit, template)
    if max(len(prompt), len(negative)) > MAX_PROMPT:
        raise OutOfRange(
            f"With the kit's words the prompt has more than {MAX_PROMPT:,} characters. Shorten it.",
            field="words",
        )
    ways = ways_of(brief, kit)
    try:
        return RenderSpec(
            prompt=prompt,
            negative=negative,
            model=defaults.model,
            model_sha256=defaults.model_sha256,
            seed=(seed + index) % (MAX_SEED + 1),
            width=aspect.width,
            height=aspect.height,
            steps=brief.steps if brief.steps is not None else defaults.steps,
            guidance=as_written(brief.cfg if brief.cfg is not None else defaults.cfg),
            sampler=sampler,
            loras=tuple(use for _, use in loras),
            embeddings=embeddings_of(prompt, negative, kit),
            init=ways.init,
            mask=ways.mask,
            outpaint=ways.outpaint,
            controls=ways.controls,
            image_prompt=ways.image_prompt,
            highres=ways.highres,
            tile=brief.tile,
        )
    except SpecInvalid as exc:
        message = f"{str(exc)[:1].upper()}{str(exc)[1:]}. Nothing was queued."
        raise BriefRefused(message, field="outpaint" if ways.outpaint else "words") from exc


def substitute(text: str, values: Mapping[str, str]) -> str:
    """Fill every [VARIABLE] that `values` names, in one pass; values are not read again.

    An article right before a variable follows its value: `a [COLOR] mug` gives `an orange mug`.
    """

    def filled(match: re.Match[str]) -> str:
        if match["name"] not in values:
            return match[0]
        value, article = values[match["name"]], match["article"]
        if not article:
            return value
        sounds_open = value[:1].casefold() in tuple("aeiou")
        return f"{article[0]}{'n' if sounds_open else ''} {value}"

    return _SLOT.sub(filled, text)


def _template(brief: Brief, kit: BrandKit) -> Template | None:
    if not brief.template:
        if brief.variables:
            raise BriefRefused(
                f"`{clean(brief.variables[0][0])}=` needs a template to stand in, for example "
                f"`template:{_first(item.name for item in kit.templates)}`. Nothing was queued.",
                field="template",
            )
        return None
    names = tuple(item.name for item in kit.templates)
    return kit.template(chosen(brief.template, names, "template", kit))


def _check_numbers(brief: Brief, kit: BrandKit, seed: int) -> None:
    defaults = kit.generation
    _within("n", brief.n, 1, defaults.max_count)
    _within("seed", seed, 0, MAX_SEED)
    _within("seed", brief.seed, 0, MAX_SEED)
    _within("steps", brief.steps, 1, defaults.max_steps)
    _within("cfg", brief.cfg, 0, defaults.max_cfg)


def _aspect(brief: Brief, kit: BrandKit, template: Template | None) -> Aspect:
    aspects = kit.generation.aspects
    wanted = brief.aspect or (template.aspect if template else "")
    if not wanted:
        return aspects[0]
    name = chosen(wanted, tuple(item.name for item in aspects), "aspect", kit)
    return kit.generation.aspect(name) or aspects[0]


def _prompt(
    brief: Brief, kit: BrandKit, template: Template | None, loras: Sequence[ApprovedLora]
) -> str:
    values = _values(brief, kit, template) if template else {}
    words = _person_text(brief.words, kit, field="words", limit=MAX_WORDS)
    parts: list[str] = []
    for part in FORMULA_PARTS:
        own = getattr(template, part, None)
        if part == "subject":
            parts += _subject(template, values, words)
        elif own is not None:
            parts.append(substitute(own, values))
        else:
            parts.append(getattr(kit.formula, part))
        if part == "style":
            for word in (word for lora in loras for word in lora.triggers):
                if word.casefold() not in ", ".join(parts).casefold():
                    parts.append(word)
    prompt = _joined(parts)
    refuse_banned(prompt, kit, field="words")
    return prompt


def _subject(template: Template | None, values: Mapping[str, str], words: str) -> list[str]:
    if template is None:
        if not words:
            raise MissingValue(
                "Say what the picture shows, for example `a red mug on a wooden table`. "
                "Nothing was queued.",
                field="words",
            )
        return [words]
    text = substitute(template.text, {**values, WORDS_VARIABLE: words})
    return [text] if f"[{WORDS_VARIABLE}]" in template.text else [text, words]


def _values(brief: Brief, kit: BrandKit, template: Template) -> dict[str, str]:
    """Every variable of the template with its value. Raises for unknown, missing, not allowed."""
    names = tuple(item.name for item in template.variables)
    given: dict[str, str] = {}
    for name, value in brief.variables:
        known = _variable_name(name, names, template)
        given[known] = value
    return {item.name: _value(item, given.get(item.name, ""), kit) for item in template.variables}


def _variable_name(name: str, names: tuple[str, ...], template: Template) -> str:
    wanted = clean(name).upper()
    if wanted in names:
        return wanted
    suggestion = nearest(wanted, names)
    ask = f"Did you mean `{suggestion}`? " if suggestion else ""
    have = f"It has {one_of(names)}. " if names else "It has none. "
    raise UnknownChoice(
        f"`{clean(name)[:80]}` isn't a variable of the template `{template.name}`. "
        f"{ask}{have}Nothing was queued.",
        field=name,
        value=name,
        allowed=names,
        suggestion=suggestion,
    )


def _value(variable: Variable, given: str, kit: BrandKit) -> str:
    value = clean(given) or variable.default
    if not value:
        raise MissingValue(
            f"The template needs `{variable.name}=`"
            + (f": one of {one_of(variable.values)}" if variable.values else "")
            + ". Nothing was queued.",
            field=variable.name,
            allowed=variable.values,
        )
    if not variable.values:
        return _person_text(value, kit, field=variable.name, limit=MAX_VALUE)
    return chosen(value, variable.values, variable.name, kit)


def _person_text(text: str, kit: BrandKit, *, field: str, limit: int) -> str:
    """Cleaned, within its length, free of banned words, unable to weigh the brand's words."""
    cleaned = clean(text)
    if len(cleaned) > limit:
        raise OutOfRange(
            f"`{field}` has {len(cleaned):,} characters; at most {limit:,} are read. Shorten it.",
            field=field,
        )
    refuse_banned(cleaned, kit, field=field)
    return contained(cleaned)


def _negative(brief: Brief, kit: BrandKit, template: Template | None) -> str:
    own = clean(brief.negative)
    if len(own) > MAX_WORDS:
        raise OutOfRange(
            f"`negative` has {len(own):,} characters; at most {MAX_WORDS:,} are read. Shorten it.",
            field="negative",
        )
    standing = (*kit.negatives.words, *(template.negative if template else ()))
    return _joined([*dict.fromkeys(standing), contained(own)])


def _joined(parts: Iterable[str]) -> str:
    return ", ".join(part.strip(" ,") for part in parts if part.strip(" ,"))


def _first(names: Iterable[str]) -> str:
    return next(iter(names), "NAME")
