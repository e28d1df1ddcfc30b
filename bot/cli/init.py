"""`housestyle init`: a folder to start from."""

from pathlib import Path
from typing import Annotated

import typer

from bot.cli.console import Terminal
from bot.cli.options import Json
from bot.cli.skeleton import SETTINGS, brand_id, kit_text
from bot.core.errors import HousestyleError, Mistake, Refused
from bot.settings import FILE_NAME


def init(
    folder: Annotated[
        Path, typer.Argument(help="Where to write; made if it isn't there.")
    ] = Path(),
    brand: Annotated[str, typer.Option("--brand", help="The brand's name.")] = "My Brand",
    as_json: Json = False,
) -> None:
    """Write settings and a first brand kit here.

    Nothing is overwritten."""
    from brand.words import clean

    name = clean(brand)
    identifier = brand_id(name)
    if not identifier:
        raise Mistake(
            f"No id can be made of the name `{name}`.", fix="Give one with letters or digits."
        )
    files = {
        folder / FILE_NAME: SETTINGS,
        folder / "brands" / f"{identifier}.toml": kit_text(identifier, name),
    }
    for path in files:
        if path.exists():
            raise Refused(
                f"{path} is there already.", fix="Move it away, or choose another folder."
            )
    for path, text in files.items():
        _write(path, text)
    terminal = Terminal(as_json=as_json)
    terminal.result("\n".join(map(str, files)), {"files": [str(path) for path in files]})
    here = "" if folder == Path() else f"cd {folder} && "
    terminal.note(
        f"Next: {here}housestyle brand lint, then: housestyle imagine a red mug on a wooden table"
    )


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as exc:
        why = exc.strerror or type(exc).__name__
        raise HousestyleError(
            f"{path} can't be written: {why}.", fix="Choose a folder that you may write to."
        ) from exc
