"""What the terminal gets: results on stdout, everything else on stderr, errors in one line."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bot.cli.exits import ExitCode, code_of, code_of_word
from bot.core.errors import HousestyleError, Mistake, Position
from bot.core.messages import Card
from bot.settings import terminal_environment
from brand.errors import BriefRefused, KitInvalid

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True, kw_only=True)
class Failure:
    """An error as people and scripts read it."""

    code: ExitCode
    error: str
    """Word for machines."""
    message: str
    fix: str = ""
    detail: str = ""
    """Further lines for people, e.g. the place of a mistake."""
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def line(self) -> str:
        """What, why and how to fix it."""
        return f"{self.message} {self.fix}".strip()


class CommandFailed(Exception):
    """Ends a command with this failure; made by commands that know more than an error says."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.line)
        self.failure = failure


def failure_of(error: Exception) -> Failure:
    """Any error that a person may see."""
    if isinstance(error, CommandFailed):
        return error.failure
    word = getattr(error, "code", "error")
    facts: dict[str, Any] = {}
    if isinstance(error, Mistake):
        facts = _mistake_facts(error)
    elif isinstance(error, BriefRefused):
        facts = {"field": error.field, "allowed": list(error.allowed)}
    elif isinstance(error, KitInvalid):
        facts = {"problems": [str(problem) for problem in error.problems]}
    fix = error.fix if isinstance(error, HousestyleError) else ""
    return Failure(code=code_of(error), error=word, message=str(error), fix=fix, facts=facts)


def _mistake_facts(error: Mistake) -> dict[str, Any]:
    place = error.position
    return {
        "field": error.field,
        "position": {"start": place.start, "end": place.end} if place else None,
        "allowed": list(error.allowed),
        "nearest": error.nearest,
    }


def failure_of_card(card: Card) -> Failure:
    """An error that came back through the door, as a card."""
    return Failure(
        code=code_of_word(card.state),
        error=card.state or "error",
        message=" ".join(card.lines) or card.title,
        fix=card.fix,
        facts={"reference": card.reference} if card.reference else {},
    )


def checked(card: Card) -> Card:
    """The card, unless it tells of an error. Raises CommandFailed."""
    if card.kind == "error":
        raise CommandFailed(failure_of_card(card))
    return card


def caret_line(text: str, position: Position) -> str:
    """The text with a mark under the place."""
    length = max(1, position.end - position.start)
    return f"  {text}\n  {' ' * position.start}{'^' * length}"


class Terminal:
    """Where a command writes. Colours only on a terminal, and never with NO_COLOR."""

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json

    @property
    def interactive(self) -> bool:
        """Whether a person watches: progress is shown on stderr then."""
        return sys.stderr.isatty() and not self.as_json

    def result(self, text: str, facts: object = None) -> None:
        """The command's result: `facts` with --json, else the text."""
        print(self._json(facts) if self.as_json else text)

    def json_line(self, facts: object) -> None:
        """One JSON value on a line of stdout, for results that come bit by bit."""
        print(json.dumps(facts, ensure_ascii=False), flush=True)

    def note(self, text: str) -> None:
        """Something beside the result, on stderr; quiet with --json."""
        if not self.as_json:
            print(text, file=sys.stderr, flush=True)

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]], facts: object) -> None:
        """Rows on stdout: aligned for people, separated by tabs in a pipe, JSON with --json."""
        if self.as_json:
            print(self._json(facts))
        elif not sys.stdout.isatty():
            for row in rows:
                print("\t".join(_one_line(cell) for cell in row))
        else:
            from rich.table import Table

            shown = Table(*columns, box=None, header_style="bold", pad_edge=False)
            for row in rows:
                shown.add_row(*(_escaped(cell) for cell in row))
            self.rich(stderr=False).print(shown)

    def failed(self, failure: Failure) -> None:
        """The error: one line on stderr, or an object on stdout with --json."""
        if self.as_json:
            error = {
                "code": failure.error,
                "message": failure.message,
                "fix": failure.fix,
                "exit_code": int(failure.code),
                **failure.facts,
            }
            print(self._json({"error": error}))
            return
        print(f"{self._word('error')} {failure.line}", file=sys.stderr)
        if failure.detail:
            print(failure.detail, file=sys.stderr)

    def rich(self, *, stderr: bool = True) -> "Console":
        """A rich console that keeps to NO_COLOR."""
        from rich.console import Console

        return Console(stderr=stderr, highlight=False, soft_wrap=not stderr)

    def _word(self, word: str) -> str:
        colored = sys.stderr.isatty() and not terminal_environment().get("NO_COLOR")
        return f"\x1b[1;31m{word}:\x1b[0m" if colored else f"{word}:"

    @staticmethod
    def _json(facts: object) -> str:
        return json.dumps(facts, ensure_ascii=False, indent=2)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)
