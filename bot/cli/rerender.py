"""`housestyle rerender`: render a picture's recipe again, and compare."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.assets import _id as asset_id
from bot.cli.console import Terminal
from bot.cli.exits import ExitCode
from bot.cli.options import Json, settings_of
from bot.cli.owner import at_terminal, run_async
from bot.cli.progress import Bar

if TYPE_CHECKING:
    from bot.core.archive import Rerendered
    from bot.settings import Settings


def rerender(
    context: typer.Context,
    asset: Annotated[str, typer.Argument(help="The picture's id.")],
    verify: Annotated[
        bool, typer.Option("--verify", help="End with 1 unless the pixels are the same.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Write the new picture here.")] = None,
    as_json: Json = False,
) -> int:
    """Render a picture's recipe again.

    Inside its reproduction class that gives the same pixels; outside, the differences are named."""
    terminal = Terminal(as_json=as_json)
    key, settings = asset_id(asset), settings_of(context)
    made = run_async(lambda: _render(settings, key, terminal))
    if out is not None:
        out.write_bytes(made.png)
    facts = {
        "asset": made.asset,
        "same_pixels": made.same_pixels,
        "same_class": made.same_class,
        "class": made.was_class,
        "class_here": made.is_class,
        "differences": list(made.differences),
        "max_difference": made.max_difference,
        "path": str(out) if out else None,
    }
    terminal.result(_verdict(made), facts)
    return ExitCode.FAILED if verify and not made.same_pixels else ExitCode.OK


async def _render(settings: "Settings", key: str, terminal: Terminal) -> "Rerendered":
    from bot.core.archive import rerender as render_again

    async with at_terminal(settings, generation=True) as here:
        with Bar(terminal, "Rendering again") as bar:
            return await render_again(
                here.house,
                key,
                note=lambda progress: bar.show(
                    progress.done / max(progress.total, 1), eta_s=progress.eta_s
                ),
            )


def _verdict(made: "Rerendered") -> str:
    if made.same_pixels and made.same_class:
        return f"The same pixels, in reproduction class {made.is_class}."
    named = "; ".join(made.differences)
    if made.same_pixels:
        return (
            f"The same pixels, though its reproduction class {made.was_class} is gone: here it is "
            f"{made.is_class}. What differs: {named}."
        )
    difference = f"the largest difference is {made.max_difference} of 255"
    if made.same_class:
        return (
            f"Not the same pixels, although the reproduction class is the same: {difference}. "
            "`housestyle assets verify` checks the archived file."
        )
    return (
        f"Not the same pixels: its reproduction class {made.was_class} is gone, here it is "
        f"{made.is_class}, and {difference}. What differs: {named}."
    )
