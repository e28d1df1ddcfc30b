"""What a check of `housestyle doctor` finds: lines with a state, a sentence and a fix."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from bot.settings import Settings


class State(StrEnum):
    """Of one line. Only a problem makes `doctor` end with 1."""

    OK = "ok"
    MISSING = "missing"
    """Not there, and not needed for what is set up."""
    PROBLEM = "problem"


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of the doctor's page."""

    name: str
    state: State
    says: str
    fix: str = ""


def ok(name: str, says: str) -> Line:
    """All is well."""
    return Line(name=name, state=State.OK, says=says)


def missing(name: str, says: str, fix: str) -> Line:
    """Not there."""
    return Line(name=name, state=State.MISSING, says=says, fix=fix)


def problem(name: str, says: str, fix: str) -> Line:
    """Something that has to be put right."""
    return Line(name=name, state=State.PROBLEM, says=says, fix=fix)


Check = Callable[[Settings], Awaitable[Iterable[Line]]]
