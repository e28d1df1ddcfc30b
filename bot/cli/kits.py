"""Brand kits as files: which there are, and which one is meant."""

from pathlib import Path
from typing import TYPE_CHECKING

from bot.cli.console import Terminal
from bot.cli.options import with_brands
from bot.core.errors import Mistake, NotFound
from bot.settings import Settings

if TYPE_CHECKING:
    from brand.kit import BrandKit


def kit_files(folder: Path) -> list[Path]:
    """The kits' files in a brands folder."""
    return sorted(folder.glob("*.toml"))


def kits_of(settings: Settings, terminal: Terminal) -> "tuple[Settings, list[BrandKit]]":
    """All kits, and the settings they are in force with. Raises KitInvalid."""
    from brand.kit_loader import load_kit

    settings = with_brands(settings, terminal)
    return settings, [load_kit(path) for path in kit_files(settings.brands_dir)]


def chosen_kit(kits: "list[BrandKit]", brand: str) -> "BrandKit":
    """The named kit, else the only one. Raises NotFound, or Mistake where several would do."""
    from brand.words import nearest

    names = tuple(kit.id for kit in kits)
    wanted = brand.casefold()
    for kit in kits:
        if wanted and wanted in (kit.id.casefold(), kit.name.casefold()):
            return kit
    if brand:
        meant = nearest(brand, names)
        ask = f"Did you mean `{meant}`?" if meant else f"Brands: {', '.join(names)}."
        raise NotFound(f"There is no brand `{brand}`.", fix=ask)
    if len(kits) > 1:
        raise Mistake(
            "Which brand is it for?", allowed=names, fix=f"Add --brand: {', '.join(names)}."
        )
    return kits[0]
