"""`housestyle compare`: the same words on several models, as one contact sheet."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.console import Terminal
from bot.cli.exits import ExitCode
from bot.cli.kits import chosen_kit, kits_of
from bot.cli.options import BrandId, Json, settings_of
from bot.cli.owner import at_terminal, run_async
from bot.cli.progress import Bar
from bot.core.errors import HousestyleError

if TYPE_CHECKING:
    from bot.core.comparing import Compared
    from bot.settings import Settings
    from brand.kit import BrandKit
    from brand.spec import Progress
    from brand.templates import Brief

Text = str | None
SHEET = Path("comparison.png")
FIRST_SEED = 1
FACTS_SHOWN = 3


def compare(
    context: typer.Context,
    words: Annotated[
        list[str],
        typer.Argument(help="What the picture shows; also template:NAME and NAME=value."),
    ],
    models: Annotated[
        str, typer.Option("--models", help="Names with commas between; default: all there are.")
    ] = "",
    n: Annotated[int, typer.Option("--n", help="Pictures of each model.", min=1, max=8)] = 1,
    seed: Annotated[int, typer.Option("--seed", help="Of the first picture.")] = FIRST_SEED,
    steps: Annotated[Text, typer.Option("--steps", help="Steps that the models take.")] = None,
    cfg: Annotated[Text, typer.Option("--cfg", help="How closely the words are followed.")] = None,
    sampler: Annotated[Text, typer.Option("--sampler", help="The step method.")] = None,
    ar: Annotated[Text, typer.Option("--ar", help="The shape, as in 3:2.")] = None,
    brand: BrandId = "",
    out: Annotated[Path, typer.Option("--out", help="The sheet's file.")] = SHEET,
    as_json: Json = False,
) -> int:
    """Render the same words and seeds with several models, and lay them side by side.

    Each picture is measured by the brand's gates. Nothing of it enters the archive."""
    from bot.cli.wording import read_words

    terminal = Terminal(as_json=as_json)
    settings, kits = kits_of(settings_of(context), terminal)
    kit = chosen_kit(kits, brand)
    flags = {"steps": steps, "cfg": cfg, "sampler": sampler, "ar": ar}
    brief = read_words(words, kit, flags).brief
    names = [name.strip() for name in models.split(",") if name.strip()]
    seeds = [seed + number for number in range(n)]
    results = run_async(lambda: _compared(settings, kit, brief, names, seeds, terminal))
    _save(results, len(seeds), " ".join(words), out)
    facts = {"sheet": str(out), "pictures": [_facts(result) for result in results]}
    for result in results:
        terminal.note(" · ".join(_lines(result)))
    terminal.result(str(out), facts)
    return ExitCode.FAILED if all(result.picture is None for result in results) else ExitCode.OK


async def _compared(
    settings: "Settings",
    kit: "BrandKit",
    brief: "Brief",
    names: list[str],
    seeds: list[int],
    terminal: Terminal,
) -> "list[Compared]":
    from bot.core.comparing import chosen_models, compare, installed_models, recipes

    async with at_terminal(settings, generation=True) as here:
        with Bar(terminal, "Loading the model") as bar:
            installed = await installed_models(here.house)
            wanted = recipes(brief, kit, chosen_models(names, installed), seeds)

            def note(number: int, progress: "Progress") -> None:
                part = progress.done / max(1, progress.total)
                model = wanted[number][0].name
                title = f"{model}, {number + 1} of {len(wanted)}"
                bar.show((number + part) / len(wanted), title=title)

            return await compare(here.house, kit, wanted, note)


def _save(results: "list[Compared]", seeds: int, words: str, out: Path) -> None:
    from brand.contact_sheet import Tile, contact_sheet

    tiles = [
        Tile(png=result.picture.png if result.picture else b"", lines=_lines(result))
        for result in results
    ]
    across = len(tiles) // seeds
    rows = [tiles[at : at + across] for at in range(0, len(tiles), across)]
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(contact_sheet(rows, title=words))
    except OSError as exc:
        raise HousestyleError(
            f"{out} can't be written: {exc.strerror}.", fix="Name another file with --out."
        ) from exc


def _lines(result: "Compared") -> tuple[str, ...]:
    """The model, its size and time, and what the gates measured."""
    spec, picture = result.spec, result.picture
    about = f"{spec.width}x{spec.height}, seed {spec.seed}"  # the sheet's font has no ×
    if picture is None or result.evidence is None:
        return (result.model.name, f"{about}, sampler {spec.sampler}", result.problem)
    verdict = "passes the brand check" if result.evidence.passed else "fails the brand check"
    measured = [item.summary for item in result.evidence.verdicts if item.passed is not None]
    return (
        f"{result.model.name}: {verdict}",
        f"{about}, {picture.seconds:.1f} s",
        f"layout {result.model.layout}, sampler {spec.sampler}",
        *measured[:FACTS_SHOWN],
    )


def _facts(result: "Compared") -> dict[str, Any]:
    picture, evidence = result.picture, result.evidence
    return {
        "model": result.model.name,
        "layout": result.model.layout,
        "seed": result.spec.seed,
        "width": result.spec.width,
        "height": result.spec.height,
        "sampler": result.spec.sampler,
        "seconds": picture.seconds if picture else None,
        "passed": evidence.passed if evidence else None,
        "evidence": evidence.to_dict() if evidence else None,
        "problem": result.problem or None,
    }
