"""`housestyle doctor`: what is there, what is missing, and how to put it right."""

import asyncio
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.console import Terminal
from bot.cli.exits import ExitCode
from bot.cli.options import Json, settings_of
from bot.cli.owner import run_async

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.cli.findings import Check, Line
    from bot.settings import Settings

_MARKS = {"ok": "✓", "missing": "·", "problem": "✗"}


def doctor(
    context: typer.Context,
    quick: Annotated[
        bool, typer.Option("--quick", help="Leave out what loads torch and the model.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Say what is missing, and how to fix it.

    Ends with 1 if there is a problem."""
    from bot.cli.checkups import QUICK, SLOW
    from bot.cli.findings import State

    terminal = Terminal(as_json=as_json)
    settings = settings_of(context)
    checks = QUICK if quick else (*QUICK, *SLOW)
    if not quick and terminal.interactive:
        terminal.note("Loading the model takes a moment; --quick leaves it out.")
    lines = run_async(lambda: _all(checks, settings))
    problems = sum(line.state is State.PROBLEM for line in lines)
    facts = {"ok": not problems, "checks": [asdict(line) for line in lines]}
    terminal.result("\n".join(_text(line) for line in lines), facts)
    terminal.note("No problems." if not problems else f"{problems} to put right.")
    return ExitCode.FAILED if problems else ExitCode.OK


async def _all(checks: "Sequence[Check]", settings: "Settings") -> "list[Line]":
    found = await asyncio.gather(*(_one(check, settings) for check in checks))
    return [line for lines in found for line in lines]


async def _one(check: "Check", settings: "Settings") -> "list[Line]":
    """A check that trips over a fault of this machine is itself a finding."""
    from bot.cli.findings import problem

    try:
        return list(await check(settings))
    except (OSError, RuntimeError, ValueError, ImportError) as exc:
        name = check.__name__.replace("_", " ")
        return [problem(name, f"{type(exc).__name__}: {exc}", "Put this right first.")]


def _text(line: "Line") -> str:
    mark = f"{_MARKS[line.state]} {line.state.value:<8}{line.name:<12}{line.says}"
    return f"{mark}\n{' ' * 22}→ {line.fix}" if line.fix else mark
