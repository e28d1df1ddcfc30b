"""The sentences of the grammar's mistakes: what, what was meant, that nothing happened."""

from collections.abc import Sequence

from bot.core.errors import Mistake, Position
from brand.words import nearest, one_of

MAX_SHOWN = 40
NOTHING_QUEUED = "Nothing was queued."
NOTHING_DONE = "Nothing was changed."


def shown(text: str) -> str:
    """A piece of typed text as a sentence can hold it."""
    plain = text.replace("`", "'")
    return plain if len(plain) <= MAX_SHOWN else plain[: MAX_SHOWN - 1] + "…"


def mistake(
    sentence: str,
    position: Position,
    *,
    field: str = "",
    allowed: Sequence[str] = (),
    meant: str = "",
    fix: str = "",
    ending: str = NOTHING_QUEUED,
) -> Mistake:
    """A mistake that names its place."""
    return Mistake(
        f"{sentence} {ending}",
        fix=fix,
        position=position,
        allowed=tuple(allowed),
        nearest=meant,
        field=field,
    )


def unknown(
    sentence: str,
    position: Position,
    *,
    typed: str,
    allowed: Sequence[str],
    field: str,
    none: str = "",
    ending: str = NOTHING_QUEUED,
) -> Mistake:
    """A word that is none of `allowed`: asks for the nearest one, else lists them."""
    meant = nearest(typed, allowed)
    if meant:
        sentence += f" Did you mean `{meant}`?"
    elif allowed:
        sentence += f" There is {one_of(allowed)}."
    elif none:
        sentence += f" {none}"
    return mistake(sentence, position, field=field, allowed=allowed, meant=meant, ending=ending)
