"""What flags are made of, and how plain values are read: choices and numbers."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from bot.core.errors import Mistake, Position
from bot.core.grammar_mistakes import mistake, shown, unknown
from bot.core.vocabulary import Range, Vocabulary

WHOLE = re.compile(r"[+-]?[0-9]{1,19}")
DECIMAL = re.compile(r"[+-]?(?:[0-9]{1,12}(?:[.,][0-9]{0,12})?|[.,][0-9]{1,12})")


@dataclass(frozen=True, kw_only=True)
class Value:
    """A flag's value as typed, and where."""

    flag: str
    text: str
    position: Position


Reader = Callable[[Value, Vocabulary], object]


@dataclass(frozen=True, kw_only=True)
class Flag:
    """One flag. `read` turns its value into a Brief's field; None: it takes no value."""

    name: str
    about: str
    takes: str
    """What help writes after the name, or empty."""
    read: Reader | None = None
    aliases: tuple[str, ...] = ()
    many: bool = False
    """Takes all words up to the next flag, and may be said again."""
    again: bool = False
    """May be said again, each time with a value of its own."""
    optional: Callable[[str], bool] | None = None
    """The value may be left out; says whether the next word is meant as it."""
    parameter: Callable[[str], bool] | None = None
    """It may be written `name:value` too; says whether that is meant, for talk has colons."""


def choice(
    value: Value, choices: tuple[str, ...], vocabulary: Vocabulary, kind: str, none: str = ""
) -> str:
    """The kit's spelling. Raises Mistake with the nearest right word."""
    wanted = value.text.casefold()
    for item in choices:
        if item.casefold() == wanted:
            return item
    article = "an" if kind[0] in "aeiouAEIOU" else "a"
    raise unknown(
        f"`--{value.flag} {shown(value.text)}` isn't {article} {kind} of {vocabulary.brand}.",
        value.position,
        typed=value.text,
        allowed=choices,
        field=value.flag,
        none=none,
    )


def outside(value: Value, kind: str, limits: Range) -> Mistake:
    """A number that is none, or outside its limits."""
    return mistake(
        f"`--{value.flag}` takes {kind} {limits}, not `{shown(value.text)}`.",
        value.position,
        field=value.flag,
        allowed=(str(limits),),
    )


def whole(value: Value, limits: Range) -> int:
    """A whole number. Raises Mistake."""
    if not WHOLE.fullmatch(value.text) or int(value.text) not in limits:
        raise outside(value, "a whole number", limits)
    return int(value.text)


def decimal(value: Value, limits: Range) -> float:
    """A number, with a point or a comma. Raises Mistake."""
    if not DECIMAL.fullmatch(value.text):
        raise outside(value, "a number", limits)
    number = float(value.text.replace(",", "."))
    if number not in limits:
        raise outside(value, "a number", limits)
    return number
