"""Facts, colours and rows of a card in Slack's marks."""

from collections.abc import Iterable, Sequence

from bot.chat.slack_chat.rendering.text import Marked, bold, code, joined, said
from bot.core import phrases
from bot.core.messages import Field

PEN = phrases.Pen(said=said, bold=bold, code=code, joined=joined)


def verdict(fields: Iterable[Field]) -> Marked:
    """The brand check in one line; nothing where none was made."""
    return phrases.verdict(PEN, fields)


def named(fields: Sequence[Field]) -> list[Marked]:
    """One line per fact with its name in front, as of a template or a recipe."""
    return phrases.named(PEN, fields)


def facts(fields: Sequence[Field]) -> list[Marked]:
    """What was judged first, then the rest by name."""
    return phrases.facts(PEN, fields)


def row_line(columns: Sequence[str], row: Sequence[str]) -> Marked:
    """A table's row: "*Mia* · pictures 12 · approved 3"; a command comes as code."""
    return phrases.row_line(PEN, columns, row)
