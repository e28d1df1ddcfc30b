"""Commands in a card's words, as they are typed in a chat that spells them in its own way."""

import re
from collections.abc import Callable
from dataclasses import replace

from bot.core.messages import Card
from bot.core.verbs import BY_NAME

OF_PICTURES = ("job", "review", "post", "file")
"""Kinds of cards whose title is what somebody asked for."""

Spell = Callable[[str, str], str]
"""(verb, what follows it on its line or in its code) to what is typed instead of `/verb`."""

_BEGUN = re.compile(r"^/([A-Za-z][A-Za-z-]{0,39})(?![\w/])")
_BARE = re.compile(r"(?<![\w`/.:-])/([A-Za-z][A-Za-z-]{0,39})(?![\w/.])")
_IN_CODE = re.compile(r"(?<=`)/([A-Za-z][A-Za-z-]{0,39})(?![\w/])(?! @Housestyle`)")
"""Not `/invite @Housestyle`, which is Slack's own."""


def typed(spell: Spell, line: str) -> str:
    """The line as it is typed there, if it is a command; else as it is."""
    return _spelled(_BEGUN, spell, line)


def in_code(spell: Spell, text: str) -> str:
    """The same for every command that stands in `code`."""
    return _spelled(_IN_CODE, spell, text)


def in_mistake(spell: Spell, text: str) -> str:
    """The same for what says what is wrong: it lists commands outside `code` too. What somebody
    typed stands in `code` and stays."""
    parts = text.split("`")
    parts[::2] = [_spelled(_BARE, spell, part) for part in parts[::2]]
    return in_code(spell, "`".join(parts))


def as_typed(spell: Spell, card: Card) -> Card:
    """The card with its commands as they work there. The words of pictures stay as they are."""
    read = in_mistake if card.kind == "error" else in_code
    return replace(
        card,
        title=card.title if card.kind in OF_PICTURES else typed(spell, card.title),
        lines=tuple(read(spell, line) for line in card.lines),
        fix=read(spell, card.fix),
        hint=typed(spell, card.hint),
        footer=in_code(spell, card.footer),
        rows=tuple((typed(spell, row[0]), *row[1:]) if row else row for row in card.rows),
    )


def _spelled(found: re.Pattern[str], spell: Spell, text: str) -> str:
    def spelled(match: re.Match[str]) -> str:
        verb = match[1].casefold()
        if verb not in BY_NAME:
            return match[0]
        rest = match.string[match.end() :].partition("`")[0].partition("\n")[0]
        return spell(verb, rest.strip())

    return found.sub(spelled, text)
