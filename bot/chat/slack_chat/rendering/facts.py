"""What was measured of a picture, and other facts of a card."""

from collections.abc import Iterable, Sequence

from bot.chat.slack_chat.rendering.swatches import palette
from bot.chat.slack_chat.rendering.text import Marked, bold, joined, said
from bot.core.messages import Field

PASSED, FAILED, NOT_JUDGED = "✅", "❌", "▫️"
MAX_FACT = 600


def verdict(fields: Iterable[Field]) -> Marked:
    """The brand check in one line; nothing where none was made."""
    judged = [field for field in fields if field.ok is not None]
    failed = [field.label for field in judged if not field.ok]
    if failed:
        names = said(", ".join(failed), MAX_FACT)
        return joined(" ", (Marked(FAILED), Marked("*Brand check failed:*"), names))
    return Marked(f"{PASSED} *Brand check passed*") if judged else Marked("")


def measured(fields: Sequence[Field]) -> list[Marked]:
    """One line per fact: how it went, what it says, and its colours below."""
    lines = []
    for field in fields:
        mark = {True: PASSED, False: FAILED, None: NOT_JUDGED}[field.ok]
        lines.append(joined(" ", (Marked(mark), said(_value(field), MAX_FACT))))
        lines.append(palette(field.swatches))
    return [line for line in lines if line]


def named(fields: Sequence[Field]) -> list[Marked]:
    """One line per fact with its name in front, as of a template or a recipe."""
    lines = []
    for field in fields:
        value = said(field.value.removeprefix(field.label).lstrip(" :"), MAX_FACT)
        mark = Marked(FAILED) if field.ok is False else Marked("")
        lines.append(joined(" ", (mark, bold(field.label, 100), value)))
        lines.append(palette(field.swatches))
    return [line for line in lines if line]


def facts(fields: Sequence[Field]) -> list[Marked]:
    """What was judged first, then the rest by name."""
    judged = [field for field in fields if field.ok is not None]
    return [*measured(judged), *named([field for field in fields if field.ok is None])]


def _value(field: Field) -> str:
    """The words without the colours, which stand below as squares."""
    head, colon, rest = field.value.partition(": ")
    if not (field.swatches and colon):
        return field.value
    wanted = rest.partition("; ")[2]
    return f"{head}; {wanted}" if wanted else head
