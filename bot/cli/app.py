"""The command's frame: what all commands share, and how each way of ending becomes an exit code."""

import asyncio
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from typer.exceptions import Abort, TyperException

from bot.cli import (
    assets,
    audit,
    brands,
    budget,
    calendar,
    discord,
    people,
    reviews,
    slack,
    templates,
    train,
)
from bot.cli.backup import backup, restore
from bot.cli.compare import compare
from bot.cli.console import CommandFailed, Failure, Terminal, failure_of
from bot.cli.doctor import doctor
from bot.cli.exits import KNOWN, ExitCode
from bot.cli.imagine import imagine
from bot.cli.init import init
from bot.cli.options import Common
from bot.cli.prune import prune
from bot.cli.rerender import rerender
from bot.cli.serving import demo, serve

app = typer.Typer(
    name="housestyle",
    help="On-brand pictures from chat, on your own GPU.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
)
app.command()(init)
app.command()(doctor)
app.command()(demo)
app.command()(serve)
app.command(no_args_is_help=True)(imagine)
app.command(no_args_is_help=True)(compare)
app.add_typer(brands.group, name="brand")
app.add_typer(templates.group, name="template")
app.add_typer(train.group, name="train")
app.add_typer(reviews.group, name="review")
app.add_typer(assets.group, name="assets")
app.add_typer(calendar.group, name="calendar")
app.add_typer(people.group, name="people")
app.add_typer(audit.group, name="audit")
app.add_typer(budget.group, name="budget")
app.add_typer(slack.group, name="slack")
app.add_typer(discord.group, name="discord")
app.command()(budget.usage)
app.command()(rerender)
app.command(no_args_is_help=True)(backup)
app.command(no_args_is_help=True)(restore)
app.command()(prune)


@app.callback()
def _common(
    context: typer.Context,
    config: Annotated[
        Path | None, typer.Option(help="The settings file; default: housestyle.toml here.")
    ] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Where everything is kept.")] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error came from.")] = False,
    shown_version: Annotated[
        bool, typer.Option("--version", help="Say the version.", is_eager=True)
    ] = False,
) -> None:
    """Hand the common options to the command."""
    if shown_version:
        print(f"housestyle {version('housestyle')}")
        raise typer.Exit(ExitCode.OK)
    context.obj = Common(config=config, data_dir=data_dir, debug=debug)


def run(arguments: Sequence[str]) -> int:
    """Run one command; its exit code."""
    terminal = Terminal(as_json="--json" in arguments)
    try:
        code = app(args=list(arguments), prog_name="housestyle", standalone_mode=False)
    except (Abort, KeyboardInterrupt, asyncio.CancelledError):
        return _failed(terminal, _STOPPED)
    except TyperException as exc:
        return _misunderstood(terminal, exc)
    except BrokenPipeError:
        # Whoever read our output has enough of it, as `head` does.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.OK
    except (CommandFailed, *KNOWN) as exc:
        if "--debug" in arguments:
            raise
        return _failed(terminal, failure_of(exc))
    except Exception as exc:
        if "--debug" in arguments:
            raise
        return _failed(terminal, _unknown(exc))
    if code == ExitCode.CANCELLED:  # what typer makes of Ctrl-C
        return _failed(terminal, _STOPPED)
    return code if isinstance(code, int) else ExitCode.OK


_STOPPED = Failure(code=ExitCode.CANCELLED, error="cancelled", message="Cancelled.")


def _failed(terminal: Terminal, failure: Failure) -> int:
    terminal.failed(failure)
    return failure.code


def _misunderstood(terminal: Terminal, exc: TyperException) -> int:
    if type(exc).__name__ == "NoArgsIsHelpError" and not terminal.as_json:
        print(exc.format_message(), file=sys.stderr)
        return ExitCode.USAGE
    return _failed(terminal, _usage(exc))


def _usage(exc: TyperException) -> Failure:
    message = exc.format_message().strip().rstrip(".") + "."
    return Failure(
        code=ExitCode.USAGE,
        error="usage",
        message=message,
        fix="`housestyle --help` lists the commands; each has its own --help.",
    )


def _unknown(exc: Exception) -> Failure:
    return Failure(
        code=ExitCode.FAILED,
        error="unknown",
        message=f"Something broke: {type(exc).__name__}: {exc}".rstrip(".") + ".",
        fix="The same command with --debug before its name shows where.",
    )
