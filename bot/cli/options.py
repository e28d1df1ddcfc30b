"""Options that several commands share, and the settings that the common ones make."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.console import Terminal
from bot.settings import Settings, load_settings

Json = Annotated[bool, typer.Option("--json", help="The same facts as JSON on stdout.")]
BrandId = Annotated[str, typer.Option("--brand", help="Which brand, where there are several.")]


@dataclass(frozen=True, kw_only=True)
class Common:
    """What stands before the command's name."""

    config: Path | None = None
    data_dir: Path | None = None
    debug: bool = False


_COMMON = Common()


def common(context: typer.Context) -> Common:
    """The options that were given before the command's name."""
    found = context.find_object(Common)
    return found or _COMMON


def settings_of(context: typer.Context, **flags: object) -> Settings:
    """Settings from file, environment and flags; `flags` by key, a dot as two underscores."""
    chosen = common(context)
    dotted = {key.replace("__", "."): value for key, value in flags.items()}
    dotted.setdefault("data_dir", chosen.data_dir and str(chosen.data_dir))
    return load_settings(config=chosen.config, flags=dotted)


def shipped_brands() -> Path:
    """The folder of the demo brand that comes with Housestyle."""
    import brand.demo

    return Path(brand.demo.__file__).parent


def with_brands(settings: Settings, terminal: Terminal) -> Settings:
    """The settings, with the demo brand where there is no kit yet, so that a first try works."""
    if any(settings.brands_dir.glob("*.toml")):
        return settings
    terminal.note(
        f"No brand kit in {settings.brands_dir}: using the demo brand. "
        "`housestyle init` starts one of your own."
    )
    return replace(settings, brands_dir=shipped_brands())
