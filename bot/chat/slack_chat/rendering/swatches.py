"""Measured colours as the coloured squares that every phone can show, always with their words."""

from functools import lru_cache
from types import MappingProxyType

import numpy as np

from bot.chat.slack_chat.rendering.text import Marked, code, joined, said
from bot.core.messages import Swatch
from brand.color import ciede2000, parse_hex, srgb_to_lab

SQUARES = MappingProxyType(
    {
        "🟥": "#dd2e44",
        "🟧": "#f4900c",
        "🟨": "#fdcb58",
        "🟩": "#78b159",
        "🟦": "#55acee",
        "🟪": "#aa8ed6",
        "🟫": "#a1663f",
        "⬛": "#31373d",
        "⬜": "#e6e7e8",
    }
)
"""The squares and the colours that they are drawn in."""
UNKNOWN = "▫️"
"""Beside what is no colour."""
MAX_SWATCHES = 6


@lru_cache(maxsize=4096)
def square(hex_color: str) -> str:
    """The square that looks most like `#rrggbb` (CIEDE2000); UNKNOWN for any other text."""
    try:
        rgb = parse_hex(hex_color)
    except ValueError:
        return UNKNOWN
    drawn = srgb_to_lab([parse_hex(color) for color in SQUARES.values()])
    distance = ciede2000(srgb_to_lab(rgb)[None, :], drawn)
    return tuple(SQUARES)[int(np.argmin(distance))]


def swatch_words(swatch: Swatch) -> Marked:
    """A square, the colour's name, its share and what it is exactly: "🟦 teal 41 % `#0f7c7c`"."""
    wanted = f" of {swatch.wanted * 100:.0f}" if swatch.wanted > 0 else ""
    share = "<1" if 0 < swatch.share < 0.005 else f"{swatch.share * 100:.0f}"
    words = said(f"{square(swatch.hex)} {swatch.name} {share}{wanted} %", 200)
    return joined(" ", (words, code(swatch.hex, 20)))


def palette(swatches: tuple[Swatch, ...]) -> Marked:
    """The colours of a picture on one line, the largest first."""
    largest = sorted(swatches, key=lambda swatch: -swatch.share)
    return joined(" · ", map(swatch_words, largest[:MAX_SWATCHES]))
