"""The flags of `/imagine`: their names, what each takes, how its value is read."""

import re
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from math import log

from bot.core.errors import Position
from bot.core.grammar_mistakes import mistake, shown, unknown
from bot.core.grammar_text import LONG_DASHES
from bot.core.grammar_values import DECIMAL, Flag, Value, choice, decimal, whole
from bot.core.grammar_ways import WAY_FLAGS, picture_id
from bot.core.messages import ChannelRef
from bot.core.places import place_of
from bot.core.vocabulary import Range, Vocabulary
from brand.lora_rules import MAX_STYLIZE
from brand.spec import MAX_LORAS
from brand.templates import NO_LORA
from brand.way_rules import MAX_IMAGE_WEIGHT
from brand.words import MAX_COMPARED, clean, nearest

_RATIO = re.compile(r"([0-9]{1,5})[:x×/]([0-9]{1,5})", re.IGNORECASE)
SIMILAR_FLAG = 0.8
STYLIZE = Range(low=0, high=MAX_STYLIZE)
IMAGE_WEIGHT = Range(low=0, high=MAX_IMAGE_WEIGHT)


def _seed(value: Value, vocabulary: Vocabulary) -> int:
    if value.text == "-1":  # AUTOMATIC1111's way to say "any"
        raise mistake(
            "`--seed -1` isn't needed: leave `--seed` out for a random one.",
            value.position,
            field=value.flag,
            allowed=(str(vocabulary.seed),),
        )
    return whole(value, vocabulary.seed)


def _aspect(value: Value, vocabulary: Vocabulary) -> str:
    ratio = _RATIO.fullmatch(value.text)
    wanted = f"{ratio[1]}:{ratio[2]}" if ratio else value.text.casefold()
    for item in vocabulary.aspects:
        if item.casefold() == wanted:
            return item
    meant = _nearest_shape(wanted, vocabulary.aspects) if ratio else ""
    meant = meant or nearest(value.text, vocabulary.aspects)
    ask = f"The nearest is `{meant}`." if meant else f"There is {', '.join(vocabulary.aspects)}."
    raise mistake(
        f"`--{value.flag} {shown(value.text)}` isn't a shape of {vocabulary.brand}. {ask}",
        value.position,
        field=value.flag,
        allowed=vocabulary.aspects,
        meant=meant,
    )


def _nearest_shape(wanted: str, aspects: tuple[str, ...]) -> str:
    """The aspect whose sides are most alike, by the logarithm of their ratio."""
    goal = _log_ratio(wanted)
    if goal is None:
        return ""
    known = ((item, _log_ratio(item)) for item in aspects)
    by_distance = [(abs(goal - ratio), item) for item, ratio in known if ratio is not None]
    return min(by_distance, default=(0.0, ""))[1]


def _log_ratio(text: str) -> float | None:
    match = _RATIO.fullmatch(text)
    if not match or not int(match[1]) or not int(match[2]):
        return None
    return log(int(match[1]) / int(match[2]))


def _sampler(value: Value, vocabulary: Vocabulary) -> str:
    return choice(value, vocabulary.samplers, vocabulary, "sampler")


def _lora(value: Value, vocabulary: Vocabulary) -> tuple[str, float | None]:
    """(name, weight). An empty name is the kit's default, `none` is no LoRA; several are one text
    with their weights."""
    parts = value.text.split("+")
    if len(parts) == 1:
        return _one_lora(value, vocabulary)
    if len(parts) > MAX_LORAS or not all(parts):
        raise mistake(
            f"`--lora {shown(value.text)}` can't be read. Write at most {MAX_LORAS} with their "
            "weights, as in `lora:look:0.8+stripes:0.4`.",
            value.position,
            field=value.flag,
        )
    several = [_one_lora(replace(value, text=part), vocabulary) for part in parts]
    if any(not name or name == NO_LORA for name, _ in several):
        raise mistake(
            f"`--lora {shown(value.text)}` names several: each needs its name.",
            value.position,
            field=value.flag,
        )
    return "+".join(name if w is None else f"{name}:{w:.10g}" for name, w in several), None


def _one_lora(value: Value, vocabulary: Vocabulary) -> tuple[str, float | None]:
    name, colon, weight = value.text.rpartition(":")
    if not colon:
        return _lora_name(value, value.text, vocabulary), None
    canonical = _lora_name(_first(value, len(name)), name, vocabulary) if name else ""
    lora = vocabulary.lora(canonical or vocabulary.lora_default)
    if lora is None:
        raise mistake(
            f"`--lora {shown(value.text)}` gives a weight, but there is no LoRA to weigh.",
            value.position,
            field=value.flag,
        )
    limits = Range(low=lora.min_weight, high=lora.max_weight)
    number = Value(flag="lora", text=weight, position=value.position)
    if not DECIMAL.fullmatch(weight) or float(weight.replace(",", ".")) not in limits:
        raise mistake(
            f"The weight of `{lora.name}` is a number {limits}, not `{shown(number.text)}`.",
            value.position,
            field=value.flag,
            allowed=(str(limits),),
        )
    return canonical, float(weight.replace(",", "."))


def _first(value: Value, length: int) -> Value:
    """Placed at its first characters alone, so that the right word leaves the rest as it is."""
    start, end = value.position.start, value.position.end
    whole_text = end - start == len(value.text)
    return (
        replace(value, position=Position(start=start, end=start + length)) if whole_text else value
    )


def _lora_name(value: Value, name: str, vocabulary: Vocabulary) -> str:
    found = vocabulary.lora(name)
    if found is not None:
        versioned = name.casefold() != found.name.casefold()
        return f"{found.name}@{found.version}" if versioned else found.name
    names = tuple(dict.fromkeys(item.name for item in vocabulary.loras))
    choices = names if vocabulary.lora_required else (*names, NO_LORA)
    named = Value(flag="lora", text=name, position=value.position)
    return choice(named, choices, vocabulary, "LoRA", none="It has none yet.")


def _channel(value: Value, vocabulary: Vocabulary) -> ChannelRef:
    found = vocabulary.channel(value.text)
    if found is not None:
        return place_of(found)
    raise unknown(
        f"`{shown(value.text)}` isn't a channel of {vocabulary.brand}.",
        value.position,
        typed=value.text,
        allowed=tuple(item.name for item in vocabulary.channels),
        field=value.flag,
        none="Its kit lists none.",
    )


def read_brand(value: Value, vocabulary: Vocabulary) -> str:
    """The id of a brand of this house; any word where the brands are not known."""
    if not vocabulary.brands:
        return value.text
    for item in vocabulary.brands:
        if item.casefold() == value.text.casefold():
            return item
    raise unknown(
        f"`{shown(value.text)}` isn't a brand here.",
        value.position,
        typed=value.text,
        allowed=vocabulary.brands,
        field=value.flag,
    )


FLAGS = (
    Flag(name="ar", takes="W:H", about="shape of the picture", read=_aspect, aliases=("aspect",)),
    Flag(name="n", takes="N", about="how many pictures", read=lambda v, w: whole(v, w.n)),
    Flag(
        name="no",
        takes="WORDS",
        about="what must not be in it",
        many=True,
        read=lambda v, _w: v.text,
        aliases=("negative",),
    ),
    Flag(name="seed", takes="N", about="same seed, same start", read=_seed),
    Flag(
        name="steps",
        takes="N",
        about="how many steps the model takes",
        read=lambda v, w: whole(v, w.steps),
    ),
    Flag(
        name="cfg",
        takes="X",
        about="how closely the words are followed",
        read=lambda v, w: decimal(v, w.cfg),
    ),
    Flag(name="sampler", takes="NAME", about="the step method", read=_sampler),
    Flag(
        name="ref",
        takes="ID",
        about="a picture to start from",
        read=lambda v, _w: picture_id(v),
        aliases=("reference",),
    ),
    Flag(
        name="strength",
        takes="X",
        about="how far the reference is left: 0 keeps it",
        read=lambda v, w: decimal(v, w.strength),
    ),
    Flag(
        name="iw",
        takes="X",
        about="how much the reference counts: 0 nothing, 1 as usual",
        read=lambda v, _w: decimal(v, IMAGE_WEIGHT),
    ),
    Flag(
        name="lora",
        takes="NAME[:WEIGHT][+…]",
        about="the brand's trained look, or several mixed",
        read=_lora,
        parameter=lambda _: True,
    ),
    Flag(
        name="stylize",
        takes="N",
        about="how strongly that look shows: 100 as usual",
        read=lambda v, _w: whole(v, STYLIZE),
        aliases=("s",),
    ),
    Flag(name="tile", takes="", about="goes on seamlessly over its edges"),
    *WAY_FLAGS,
    Flag(name="channel", takes="#NAME", about="where it is meant to be posted", read=_channel),
    Flag(name="brand", takes="ID", about="another brand than this channel's", read=read_brand),
    Flag(name="private", takes="", about="drafts go to you alone"),
)
BY_NAME = {name: flag for flag in FLAGS for name in (flag.name, *flag.aliases)}
_PARAMETERS = {flag.name: flag for flag in FLAGS if flag.parameter}
FLAG_NAMES = tuple(flag.name for flag in FLAGS)


@dataclass(frozen=True, kw_only=True)
class Dashed:
    """A word that starts with dashes. `flag` is None where the word is no flag we know."""

    name: str
    flag: Flag | None
    inline: str | None
    """What follows `=`, or None."""
    offset: int
    """Where in the word the inline value starts."""
    double: bool
    """Two hyphens, or one of the long dashes that phones make of them."""
    parameter: bool = False
    """Written `name:value`, as templates are."""


def read_dashed(text: str) -> Dashed | None:
    """Read a word as a flag; None if it is a plain word.

    `--word` is always meant as a flag. A long dash or a single hyphen is one only before a name
    that we know or nearly know, so that `red —handmade` stays words. `control:canny` is one too,
    written like a template.
    """
    if (colon := text.find(":")) > 0:
        flag = _PARAMETERS.get(text[:colon].casefold())
        value = text[colon + 1 :]
        if flag and flag.parameter and value.strip(",;") and flag.parameter(value):
            return Dashed(
                name=flag.name,
                flag=flag,
                inline=value,
                offset=colon + 1,
                double=True,
                parameter=True,
            )
    hyphens = text.startswith("--")
    long = text[:1] in LONG_DASHES
    if not (hyphens or long or text.startswith("-")):
        return None
    body = text[2:] if hyphens else text[1:]
    name, equals, inline = body.partition("=")
    flag = BY_NAME.get(name.casefold())
    if flag is None and not (hyphens and name[:1].isalpha()) and not (long and _near(name)):
        return None
    return Dashed(
        name=name,
        flag=flag,
        inline=inline if equals else None,
        offset=len(text) - len(inline),
        double=hyphens or long,
    )


def _near(name: str) -> bool:
    # A one- or two-letter flag is near to every short word.
    if not 3 < len(name) <= MAX_COMPARED:
        return False
    ratios = (SequenceMatcher(None, name.casefold(), flag).ratio() for flag in FLAG_NAMES)
    return max(ratios) >= SIMILAR_FLAG


def flag_value(flag: Flag, text: str, position: Position, vocabulary: Vocabulary) -> object:
    """Read one value. Raises Mistake."""
    if flag.read is None:
        raise mistake(
            f"`--{flag.name}` takes no value, not `{shown(text)}`.", position, field=flag.name
        )
    return flag.read(Value(flag=flag.name, text=clean(text), position=position), vocabulary)
