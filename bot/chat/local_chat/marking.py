"""Show where in a typed line a mistake is, and offer the line as it was probably meant."""

from dataclasses import replace

from bot.core.errors import HousestyleError, Mistake
from bot.core.messages import Card

AROUND = 32  # characters of the line shown to either side of the mark


def marked_card(card: Card, text: str, error: HousestyleError) -> Card:
    """The error card with the place marked under the line; unchanged where there is none."""
    if not isinstance(error, Mistake) or error.position is None or not text:
        return card
    start = min(max(error.position.start, 0), len(text))
    end = min(max(error.position.end, start + 1), max(len(text), start + 1))
    lines = (*card.lines, _excerpt(text, start, end))
    meant = text[:start] + error.nearest + text[end:] if error.nearest else ""
    return replace(card, lines=lines, hint=meant or card.hint)


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
