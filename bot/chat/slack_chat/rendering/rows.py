"""Tables as lines that a phone can show: the first cell stands out, ids are there to copy."""

from collections.abc import Sequence

from bot.chat.slack_chat.rendering.text import Marked, bold, code, joined, said
from bot.core.ids import is_id

MAX_CELL = 300
SPEAKS_FOR_ITSELF = frozenset(
    {
        "who", "words", "state", "what", "time", "channel", "to", "for", "says", "roles", "brand",
        "job", "slot", "id", "by", "day", "name",
    }
)  # fmt: skip
"""Columns whose cells need no heading beside them."""


def row_line(columns: Sequence[str], row: Sequence[str]) -> Marked:
    """ "*Mia* · pictures 12 · approved 3"; a command comes as code."""
    if not row:
        return Marked("")
    named = [*columns, *[""] * (len(row) - len(columns))]
    rest = (_cell(name, cell) for name, cell in zip(named[1:], row[1:], strict=False))
    first = code(row[0], MAX_CELL) if row[0][:1] in ("/", "-") else bold(row[0], MAX_CELL)
    return joined(" · ", (first, *rest))


def _cell(name: str, cell: str) -> Marked:
    if is_id(cell):
        return code(cell)
    words = said(" ".join(cell.split()), MAX_CELL)
    if not words or not name or name in SPEAKS_FOR_ITSELF:
        return words
    return joined(" ", (said(name, 100), words))
