"""Exit codes, fixed for scripts, and which error has which. docs/cli.md lists them."""

from enum import IntEnum

from bot.core.errors import (
    ChatAmbiguous,
    ChatUnavailable,
    HousestyleError,
    Mistake,
    NotFound,
    Refused,
    word_of,
)
from bot.settings import SettingsInvalid
from brand.errors import BannedWord, BrandError, BriefRefused
from brand.spec import RenderBusy, RenderCancelled, RenderError, RenderUnavailable


class ExitCode(IntEnum):
    """How a command ended."""

    OK = 0
    FAILED = 1
    USAGE = 2
    REFUSED = 3
    NOT_FOUND = 4
    UNAVAILABLE = 5
    CANCELLED = 130


MEANING = {
    ExitCode.OK: "It worked.",
    ExitCode.FAILED: "Something failed; the message says what.",
    ExitCode.USAGE: "The command was not understood; nothing was done.",
    ExitCode.REFUSED: "A rule says no: a right, a budget, the brand kit, the brand check.",
    ExitCode.NOT_FOUND: "There is no such thing, or you may not see it.",
    ExitCode.UNAVAILABLE: "Something needed does not answer now; try again later.",
    ExitCode.CANCELLED: "You stopped it.",
}

_KINDS: tuple[tuple[type[Exception], ExitCode], ...] = (
    (Mistake, ExitCode.USAGE),
    (SettingsInvalid, ExitCode.USAGE),
    (BannedWord, ExitCode.REFUSED),
    (BriefRefused, ExitCode.USAGE),
    (Refused, ExitCode.REFUSED),
    (NotFound, ExitCode.NOT_FOUND),
    (ChatUnavailable, ExitCode.UNAVAILABLE),
    (ChatAmbiguous, ExitCode.UNAVAILABLE),
    (RenderUnavailable, ExitCode.UNAVAILABLE),
    (RenderBusy, ExitCode.UNAVAILABLE),
    (RenderCancelled, ExitCode.CANCELLED),
)
_UNAVAILABLE = frozenset({"StoreUnavailable", "StoreBusy", "DiskFailed"})
"""Errors of `storage`, by name: the commands that only help or lint never load that room."""
KNOWN = (HousestyleError, BrandError, RenderError)


def code_of(error: Exception) -> ExitCode:
    """The exit code of an error."""
    if _is_away(type(error)):
        return ExitCode.UNAVAILABLE
    if isinstance(error.__cause__, BannedWord):  # the kit's rule, told as a mistake in the words
        return ExitCode.REFUSED
    for kind, code in _KINDS:
        if isinstance(error, kind):
            return code
    return ExitCode.FAILED


def code_of_word(word: str) -> ExitCode:
    """The exit code of an error that came as a card, by its word for machines."""
    if word in {word_of(kind) for kind in _subclasses(HousestyleError) if _is_away(kind)}:
        return ExitCode.UNAVAILABLE
    for kind, code in _KINDS:
        if word in {word_of(each) for each in (kind, *_subclasses(kind))}:
            return code
    return ExitCode.FAILED


def _is_away(kind: type[Exception]) -> bool:
    return kind.__name__ in _UNAVAILABLE


def _subclasses(kind: type[Exception]) -> list[type[Exception]]:
    direct = kind.__subclasses__()
    return [*direct, *(deeper for each in direct for deeper in _subclasses(each))]
