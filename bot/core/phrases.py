"""Facts, colours and rows of a card as phrases, in the marks of any chat.

A chat says how it marks text with a Pen; what is said, and in which order, is the same in all.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from bot.core.ids import is_id
from bot.core.messages import Field, Swatch
from brand.squares import square

M = TypeVar("M", bound=str)
"""Text in a chat's own mark-up, safe to send."""

PASSED, FAILED, NOT_JUDGED = "✅", "❌", "▫️"
MAX_FACT = 600
MAX_CELL = 300
MAX_SWATCHES = 6
SPEAKS_FOR_ITSELF = frozenset(
    {
        "who", "words", "state", "what", "time", "channel", "to", "for", "says", "roles", "brand",
        "job", "slot", "id", "by", "day", "name",
    }
)  # fmt: skip
"""Columns whose cells need no heading beside them."""


@dataclass(frozen=True, kw_only=True)
class Pen(Generic[M]):
    """How a chat marks text. Each takes any text, and the most characters of what comes out."""

    said: Callable[[str, int], M]
    """A sentence as it is; `code` in it shows as code."""
    bold: Callable[[str, int], M]
    """One line that stands out."""
    code: Callable[[str, int], M]
    """A word to type or to copy."""
    joined: Callable[[str, Iterable[M]], M]
    """The parts that say something, with the glue (ours) between them."""


def verdict(pen: Pen[M], fields: Iterable[Field]) -> M:
    """The brand check in one line; nothing where none was made."""
    judged = [field for field in fields if field.ok is not None]
    failed = [field.label for field in judged if not field.ok]
    if failed:
        names = pen.said(", ".join(failed), MAX_FACT)
        mark = pen.said(FAILED, MAX_CELL)
        return pen.joined(" ", (mark, pen.bold("Brand check failed:", MAX_CELL), names))
    if not judged:
        return pen.said("", MAX_CELL)
    passed = pen.bold("Brand check passed", MAX_CELL)
    return pen.joined(" ", (pen.said(PASSED, MAX_CELL), passed))


def measured(pen: Pen[M], fields: Sequence[Field]) -> list[M]:
    """One line per fact: how it went, what it says, and its colours below."""
    lines = []
    for field in fields:
        mark = {True: PASSED, False: FAILED, None: NOT_JUDGED}[field.ok]
        fact = pen.said(_value(field), MAX_FACT)
        lines.append(pen.joined(" ", (pen.said(mark, MAX_CELL), fact)))
        lines.append(palette(pen, field.swatches))
    return [line for line in lines if line]


def named(pen: Pen[M], fields: Sequence[Field]) -> list[M]:
    """One line per fact with its name in front, as of a template or a recipe."""
    lines = []
    for field in fields:
        value = pen.said(field.value.removeprefix(field.label).lstrip(" :"), MAX_FACT)
        mark = pen.said(FAILED if field.ok is False else "", MAX_CELL)
        lines.append(pen.joined(" ", (mark, pen.bold(field.label, 100), value)))
        lines.append(palette(pen, field.swatches))
    return [line for line in lines if line]


def facts(pen: Pen[M], fields: Sequence[Field]) -> list[M]:
    """What was judged first, then the rest by name."""
    judged = [field for field in fields if field.ok is not None]
    return [*measured(pen, judged), *named(pen, [field for field in fields if field.ok is None])]


def _value(field: Field) -> str:
    """The words without the colours, which stand below as squares."""
    head, colon, rest = field.value.partition(": ")
    if not (field.swatches and colon):
        return field.value
    wanted = rest.partition("; ")[2]
    return f"{head}; {wanted}" if wanted else head


def swatch_words(pen: Pen[M], swatch: Swatch) -> M:
    """A square, the colour's name, its share and what it is exactly: "🟦 teal 41 % #0f7c7c"."""
    wanted = f" of {swatch.wanted * 100:.0f}" if swatch.wanted > 0 else ""
    share = "<1" if 0 < swatch.share < 0.005 else f"{swatch.share * 100:.0f}"
    words = pen.said(f"{square(swatch.hex)} {swatch.name} {share}{wanted} %", 200)
    return pen.joined(" ", (words, pen.code(swatch.hex, 20)))


def palette(pen: Pen[M], swatches: tuple[Swatch, ...]) -> M:
    """The colours of a picture on one line, the largest first."""
    largest = sorted(swatches, key=lambda swatch: -swatch.share)
    return pen.joined(" · ", (swatch_words(pen, swatch) for swatch in largest[:MAX_SWATCHES]))


def row_line(pen: Pen[M], columns: Sequence[str], row: Sequence[str]) -> M:
    """A table's row as a line that a phone can show: the first cell stands out, ids and commands
    are there to copy: "Mia · pictures 12 · approved 3"."""
    if not row:
        return pen.said("", MAX_CELL)
    columns = [*columns, *[""] * (len(row) - len(columns))]
    rest = (_cell(pen, name, cell) for name, cell in zip(columns[1:], row[1:], strict=False))
    typed = row[0][:1] in ("/", "-")
    first = pen.code(row[0], MAX_CELL) if typed else pen.bold(row[0], MAX_CELL)
    return pen.joined(" · ", (first, *rest))


def _cell(pen: Pen[M], name: str, cell: str) -> M:
    if is_id(cell):
        return pen.code(cell, MAX_CELL)
    words = pen.said(" ".join(cell.split()), MAX_CELL)
    if not words or not name or name in SPEAKS_FOR_ITSELF:
        return words
    return pen.joined(" ", (pen.said(name, 100), words))
