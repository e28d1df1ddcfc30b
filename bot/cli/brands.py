"""`housestyle brand`: the kits, what is wrong with them, and their colours."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.console import Terminal
from bot.cli.exits import ExitCode
from bot.cli.kits import chosen_kit, kit_files, kits_of
from bot.cli.options import Json, settings_of

if TYPE_CHECKING:
    from brand.errors import KitProblem
    from brand.kit import BrandKit

group = typer.Typer(help="Brand kits: list, show, lint, palette.", no_args_is_help=True)
Which = Annotated[str, typer.Argument(help="The brand's id; not needed where there is one.")]


@group.command("list")
def list_(context: typer.Context, as_json: Json = False) -> None:
    """The brands and where their kits lie."""
    terminal = Terminal(as_json=as_json)
    settings, kits = kits_of(settings_of(context), terminal)
    rows = [(kit.id, kit.name, kit.version, f"{len(kit.templates)} templates") for kit in kits]
    terminal.table(("id", "name", "version", "holds"), rows, [_facts(kit) for kit in kits])
    terminal.note(f"Kits lie in {settings.brands_dir}.")


@group.command()
def show(context: typer.Context, brand: Which = "", as_json: Json = False) -> None:
    """What a brand allows."""
    terminal = Terminal(as_json=as_json)
    _, kits = kits_of(settings_of(context), terminal)
    kit = chosen_kit(kits, brand)
    terminal.result(_page(kit), kit.to_dict() | {"hash": kit.hash})


@group.command()
def lint(
    context: typer.Context,
    files: Annotated[
        list[Path] | None, typer.Argument(help="Kit files; default: all of the brands folder.")
    ] = None,
    as_json: Json = False,
) -> int:
    """Explain every mistake of a kit by file and line. Ends with 1 if there is an error."""
    from brand.kit_loader import lint_kit

    terminal = Terminal(as_json=as_json)
    settings = settings_of(context)
    paths = files or kit_files(settings.brands_dir)
    problems = [problem for path in paths for problem in lint_kit(path)]
    errors = sum(problem.severity == "error" for problem in problems)
    text = "\n".join(str(problem) for problem in problems)
    if text or as_json:
        terminal.result(text, [_problem_facts(problem) for problem in problems])
    terminal.note(_verdict(len(paths), errors, len(problems) - errors, settings.brands_dir))
    return ExitCode.FAILED if errors else ExitCode.OK


@group.command()
def palette(context: typer.Context, brand: Which = "", as_json: Json = False) -> None:
    """The brand's colours; those marked key must be in every picture."""
    terminal = Terminal(as_json=as_json)
    _, kits = kits_of(settings_of(context), terminal)
    kit = chosen_kit(kits, brand)
    rows = [
        (
            color.name,
            color.hex,
            color.role,
            f"key, at least {color.min_share:.0%} of each picture" if color.key else "",
        )
        for color in kit.palette
    ]
    facts = kit.to_dict()["palette"]
    if as_json or not _colored():
        terminal.table(("name", "hex", "role", "rule"), rows, facts)
        return
    console = terminal.rich(stderr=False)
    for name, value, role, rule in rows:
        console.print(f"[on {value}]      [/] {name:<10} {value}  {role:<11} {rule}")


def _colored() -> bool:
    import sys

    from bot.settings import terminal_environment

    return sys.stdout.isatty() and "NO_COLOR" not in terminal_environment()


def _facts(kit: "BrandKit") -> dict[str, Any]:
    return {"id": kit.id, "name": kit.name, "version": kit.version, "hash": kit.hash}


def _problem_facts(problem: "KitProblem") -> dict[str, Any]:
    return {
        "file": str(problem.path),
        "line": problem.line,
        "column": problem.column,
        "severity": problem.severity,
        "message": problem.message,
        "fix": problem.fix,
    }


def _verdict(files: int, errors: int, warnings: int, folder: Path) -> str:
    if not files:
        return f"There is no kit in {folder}. `housestyle init` writes one."
    kits = f"{files} kit{'' if files == 1 else 's'}"
    if not errors and not warnings:
        return f"{kits}: no mistakes."
    return f"{kits}: {errors} errors, {warnings} warnings."


def _page(kit: "BrandKit") -> str:
    """The kit as a person reads it."""
    made = kit.generation
    lines = [
        f"{kit.name} ({kit.id}), version {kit.version}, owner {kit.owner}",
        f"  voice      {kit.voice}",
        *(f"  tone {rule.number}     {rule.text}" for rule in kit.tone),
        f"  palette    {', '.join(f'{c.name} {c.hex}' for c in kit.palette)}",
        f"  banned     {', '.join(word for term in kit.banned for word in term.words)}",
        f"  never      {', '.join(kit.negatives.words)}",
        f"  templates  {', '.join(item.name for item in kit.templates)}",
        f"  model      {made.model}, {made.steps} steps, cfg {made.cfg:g}, {made.sampler}",
        f"  shapes     {', '.join(f'{a.name} ({a.width}×{a.height})' for a in made.aspects)}",
        f"  LoRAs      {', '.join(lora.name for lora in kit.lora.approved) or 'none'}",
        f"  channels   {', '.join(f'{c.name} ({c.audience})' for c in kit.channels)}",
        f"  approvers  {', '.join(kit.review.may_approve)}; quorum {kit.review.quorum}",
        f"  hash       {kit.hash}",
    ]
    return "\n".join(lines)
