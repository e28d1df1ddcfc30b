"""`housestyle prune`: take out what is finished and old, or only say how much that is."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.console import Terminal
from bot.cli.options import Json, settings_of
from bot.cli.owner import at_terminal, run_async

if TYPE_CHECKING:
    from bot.core.pruning import Pruned


def prune(
    context: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count; remove nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Remove old deliveries, sent messages, ended keys and files that no record names.

    A server does this once a day by itself. The record and the pictures are never touched."""
    settings = settings_of(context)

    async def work() -> "Pruned":
        from bot.core.pruning import prune as take_out

        async with at_terminal(settings) as here:
            return await take_out(here.house, dry_run=dry_run)

    done = run_async(work)
    facts = asdict(done)
    said = ", ".join(f"{count:,} {name}" for name, count in facts.items())
    verb = "Would remove" if dry_run else "Removed"
    Terminal(as_json=as_json).result(f"{verb}: {said}", facts)
