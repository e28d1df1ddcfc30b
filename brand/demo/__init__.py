"""The demo brand, Northwind Tea: an invented company, shipped so that everything can be tried."""

from importlib.resources import files
from pathlib import Path

from brand.kit import BrandKit
from brand.kit_loader import parse_kit

DEMO_BRAND = "northwind"
"""Id of the demo brand."""
KIT_FILE = "northwind.toml"


def demo_kit_source() -> str:
    """The TOML text of the demo brand's kit."""
    return (files(__name__) / KIT_FILE).read_text(encoding="utf-8")


def demo_kit() -> BrandKit:
    """The demo brand's kit. Raises KitInvalid if its file was changed for the worse."""
    return parse_kit(demo_kit_source(), path=Path(KIT_FILE))
