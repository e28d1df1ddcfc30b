"""Commands as they are typed in Slack, which knows no other of ours than `/imagine`."""

import re
from dataclasses import replace

from bot.core.messages import Card
from bot.core.verbs import BY_NAME

ALONE = ("help", "queue", "cancel", "usage", "find", "show", "schedule")
"""Verbs that stand behind `/imagine` without a slash of their own."""
COMMAND = "imagine"
OF_PICTURES = ("job", "review", "post", "file")
"""Kinds of cards whose title is what somebody asked for."""

_BEGUN = re.compile(r"^/([A-Za-z][A-Za-z-]{0,39})(?![\w/])")
_BARE = re.compile(r"(?<![\w`/.:-])/([A-Za-z][A-Za-z-]{0,39})(?![\w/.])")
_IN_CODE = re.compile(r"(?<=`)/([A-Za-z][A-Za-z-]{0,39})(?![\w/])(?! @Housestyle`)")
"""Not `/invite @Housestyle`, which is Slack's own."""


def typed_here(line: str) -> str:
    """ "/find mug" as "/imagine find mug", "/people" as "/imagine /people"; else as it is."""
    return _BEGUN.sub(_under, line)


def in_code(text: str) -> str:
    """The same for every command that stands in `code`."""
    return _IN_CODE.sub(_under, text)


def in_mistake(text: str) -> str:
    """The same for what says what is wrong: it lists commands outside `code` too. What somebody
    typed stands in `code` and stays."""
    parts = text.split("`")
    parts[::2] = [_BARE.sub(_under, part) for part in parts[::2]]
    return in_code("`".join(parts))


def as_typed_here(card: Card) -> Card:
    """The card with its commands as they work in Slack. The words of pictures stay as they are."""
    read = in_mistake if card.kind == "error" else in_code
    return replace(
        card,
        title=card.title if card.kind in OF_PICTURES else typed_here(card.title),
        lines=tuple(map(read, card.lines)),
        fix=read(card.fix),
        hint=typed_here(card.hint),
        footer=in_code(card.footer),
        rows=tuple((typed_here(row[0]), *row[1:]) if row else row for row in card.rows),
    )


def _under(found: re.Match[str]) -> str:
    verb = found[1].casefold()
    if verb == COMMAND or verb not in BY_NAME:
        return found[0]
    return f"/{COMMAND} {verb}" if verb in ALONE else f"/{COMMAND} /{verb}"
