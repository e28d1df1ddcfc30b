"""Show where in a typed line a mistake is, and offer the line as it was probably meant."""

from collections.abc import Callable
from dataclasses import replace

from bot.core.errors import Mistake
from bot.core.grammar_text import quoted
from bot.core.messages import Card

AROUND = 16  # characters of the line shown to either side of the mark: it fits a phone
_TEMPLATE = "template:"


def marked_card(card: Card, text: str, error: Mistake, reads: Callable[[str], bool]) -> Card:
    """The error card with the place marked under the line; unchanged where there is none.

    `reads` says whether a corrected line would be understood: only such a line is offered.
    """
    if error.position is None or not text:
        return card
    start = min(max(error.position.start, 0), len(text))
    end = min(max(error.position.end, start), len(text))
    meant = _meant(text, start, end, error)
    hint = meant if meant and reads(meant) else card.hint
    return replace(card, lines=(*card.lines, _excerpt(text, start, end)), hint=hint)


def _meant(text: str, start: int, end: int, error: Mistake) -> str:
    """The line with the nearest right word in the wrong one's place; empty if there is none."""
    if not error.nearest:
        return ""
    wrong, right = text[start:end], error.nearest
    if error.field == "template" and wrong.casefold().startswith(_TEMPLATE):
        right = _TEMPLATE + right
    elif error.field == "template" and "=" in wrong:  # a value whose template is not named
        right = f"{_TEMPLATE}{right} {wrong}"
    elif " " in right:
        right = quoted(right)
    return text[:start] + right + text[end:]


def _excerpt(text: str, start: int, end: int) -> str:
    """A fenced block: the piece of the line around the place, carets under it."""
    first, last = max(0, start - AROUND), min(len(text), end + AROUND)
    before = ("…" if first else "") + _flat(text[first:start])
    wrong = _flat(text[start:end])
    after = _flat(text[end:last]) + ("…" if last < len(text) else "")
    carets = " " * len(before) + "^" * max(len(wrong), 1)
    return f"```\n{before}{wrong}{after}\n{carets}\n```"


def _flat(text: str) -> str:
    return "".join(" " if c.isspace() else c for c in text).replace("`", "'")
