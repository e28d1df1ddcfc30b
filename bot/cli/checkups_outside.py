"""Checks of what lies around the product: the fonts of this machine."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

from bot.cli.findings import Line, missing, ok
from bot.settings import Settings

_FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "/Library/Fonts", "~/.fonts",
                 "~/.local/share/fonts")  # fmt: skip


async def fonts(_settings: Settings) -> Iterable[Line]:
    """Only for a browser on this machine; the portal brings its own icons."""
    if await asyncio.to_thread(_has_fonts):
        return [ok("fonts", "found")]
    return [
        missing(
            "fonts",
            "none here; a browser on this machine shows boxes instead of letters",
            "sudo apt install fonts-dejavu-core fonts-noto-color-emoji",
        )
    ]


def _has_fonts() -> bool:
    folders = (Path(name).expanduser() for name in _FONT_FOLDERS)
    return any(next(folder.rglob("*.[ot]tf"), None) for folder in folders if folder.is_dir())
