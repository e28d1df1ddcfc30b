"""`housestyle assets`: find, show, export and verify what is archived."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.cards import print_card
from bot.cli.console import Terminal
from bot.cli.exits import ExitCode
from bot.cli.options import BrandId, Json, settings_of
from bot.cli.owner import at_terminal, run_async
from bot.core.errors import Mistake
from bot.core.ids import is_id
from bot.core.lives import AssetState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.core.archive import FileFinding
    from bot.core.assets import Asset

STATES = tuple(state.value for state in AssetState)

group = typer.Typer(help="The archive: find, show, export, verify.", no_args_is_help=True)
Id = Annotated[str, typer.Argument(help="The picture's id.")]


@group.command()
def find(
    context: typer.Context,
    words: Annotated[list[str] | None, typer.Argument(help="Words to look for.")] = None,
    brand: BrandId = "",
    state: Annotated[str, typer.Option(help=f"One of {', '.join(STATES)}.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 50,
    as_json: Json = False,
) -> None:
    """Pictures whose words, prompt or template match, newest first."""
    from bot.core.assets import AssetQuery

    query = AssetQuery(brand=brand, text=" ".join(words or []), states=_states(state), limit=limit)
    settings = settings_of(context)

    async def work() -> "Sequence[Asset]":
        async with at_terminal(settings) as here, here.house.store.read() as tx:
            return await tx.assets.find(query)

    found, terminal = run_async(work), Terminal(as_json=as_json)
    if not found:
        terminal.note("Nothing found. Try: housestyle imagine a red mug on a wooden table")
    if found or as_json:
        rows = [(a.id, a.state.value, f"{a.created_at:%Y-%m-%d %H:%M}", a.words) for a in found]
        terminal.table(("picture", "state", "made", "words"), rows, [_facts(a) for a in found])


@group.command()
def show(context: typer.Context, asset: Id, as_json: Json = False) -> None:
    """Everything that explains a picture; with --json also its votes, posts and ledger lines."""
    key, settings = _id(asset), settings_of(context)

    async def work() -> None:
        from bot.core.archive import proof_of
        from bot.core.commands import Show

        terminal = Terminal(as_json=as_json)
        async with at_terminal(settings) as here:
            card = await here.say(Show(target=key))
            if as_json:
                terminal.result("", await proof_of(here.house, key))
            else:
                print_card(terminal, card)

    run_async(work)


@group.command()
def export(
    context: typer.Context,
    asset: Id,
    out: Annotated[Path, typer.Option(help="The folder to write into.")] = Path(),
    as_json: Json = False,
) -> None:
    """Write a picture's files and its proof into a folder."""
    key, settings = _id(asset), settings_of(context)

    async def work() -> list[Path]:
        from bot.core.archive import export_asset

        async with at_terminal(settings) as here:
            return await export_asset(here.house, key, out)

    paths = [str(path) for path in run_async(work)]
    Terminal(as_json=as_json).result("\n".join(paths), paths)


@group.command()
def verify(context: typer.Context, asset: Id, as_json: Json = False) -> int:
    """Hash a picture's files and pixels again. Ends with 1 if anything differs."""
    key, settings = _id(asset), settings_of(context)

    async def work() -> "list[FileFinding]":
        from bot.core.archive import verify_asset

        async with at_terminal(settings) as here:
            return await verify_asset(here.house, key)

    findings, terminal = run_async(work), Terminal(as_json=as_json)
    bad = [finding for finding in findings if finding.problem]
    lines = [
        f"{'✗' if finding.problem else '✓'} {finding.transform}  {finding.file_hash}"
        f"  {finding.problem or 'as recorded'}"
        for finding in findings
    ]
    terminal.result("\n".join(lines), [_finding(finding) for finding in findings])
    terminal.note(f"{len(findings)} files, {len(bad)} damaged.")
    return ExitCode.FAILED if bad else ExitCode.OK


@group.command()
def check(context: typer.Context, as_json: Json = False) -> int:
    """Hash every file of the archive again; prints the damaged ones. Ends with 1 if there are."""
    settings, terminal = settings_of(context), Terminal(as_json=as_json)

    async def work() -> "tuple[int, list[FileFinding]]":
        from bot.core.archive import check_archive

        seen, bad = 0, []
        async with at_terminal(settings) as here:
            async for finding in check_archive(here.house):
                seen += 1
                bad += [finding] if finding.problem else []
        return seen, bad

    seen, bad = run_async(work)
    facts = {"files": seen, "damaged": [_finding(finding) for finding in bad]}
    lines = [f"✗ {finding.asset}  {finding.file_hash}  {finding.problem}" for finding in bad]
    if lines or as_json:
        terminal.result("\n".join(lines), facts)
    terminal.note(f"{seen} files, {len(bad)} damaged.")
    return ExitCode.FAILED if bad else ExitCode.OK


def _id(text: str) -> str:
    key = text.removeprefix("asset:")
    if not is_id(key):
        raise Mistake(
            f"`{text[:40]}` isn't a picture's id: those have 22 letters and digits.",
            fix="`housestyle assets find WORDS` lists them.",
        )
    return key


def _states(state: str) -> tuple[AssetState, ...]:
    if not state:
        return ()
    if state.casefold() not in STATES:
        from brand.words import nearest

        meant = nearest(state, STATES)
        ask = f"Did you mean `{meant}`?" if meant else f"States: {', '.join(STATES)}."
        raise Mistake(
            f"`{state}` isn't a state of a picture.", fix=ask, allowed=STATES, nearest=meant
        )
    return (AssetState(state.casefold()),)


def _facts(asset: "Asset") -> dict[str, Any]:
    return {
        "id": asset.id,
        "job": asset.job,
        "brand": asset.brand,
        "state": asset.state.value,
        "words": asset.words,
        "template": asset.template,
        "spec_hash": asset.spec.hash,
        "pixel_hash": asset.pixel_hash,
        "file_hash": asset.file_hash,
        "created_at": asset.created_at.isoformat(),
    }


def _finding(finding: "FileFinding") -> dict[str, Any]:
    return {
        "asset": finding.asset,
        "transform": finding.transform,
        "file_hash": finding.file_hash,
        "problem": finding.problem,
    }
