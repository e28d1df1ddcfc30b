"""Measured colours as the coloured squares that every phone can show."""

from functools import lru_cache
from types import MappingProxyType

import numpy as np

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
STANDS_FOR = (*SQUARES.items(), ("🟦", "#24408e"))
"""The blue one is drawn as a sky, and stands for a dark blue too."""
GREYS = ("⬛", "⬜")
COLOURFUL = 20.0
"""The chroma in CIELAB from which a dark or pale colour is a colour to people, not black or white:
navy is a blue."""
LIGHTNESS = 1 / 3
"""How much a difference in lightness counts between colours: squares are all about as light."""
UNKNOWN = "▫️"
"""Beside what is no colour."""


@lru_cache(maxsize=4096)
def square(hex_color: str) -> str:
    """The square that looks most like `#rrggbb` (CIEDE2000), for a colour never a grey one;
    UNKNOWN for any other text."""
    try:
        lab = srgb_to_lab(parse_hex(hex_color))
    except ValueError:
        return UNKNOWN
    colourful = np.hypot(lab[1], lab[2]) >= COLOURFUL
    choices = [(name, shown) for name, shown in STANDS_FOR if not (colourful and name in GREYS)]
    drawn = srgb_to_lab([parse_hex(shown) for _, shown in choices])
    if colourful:  # the hue says more than how dark it is
        drawn[:, 0] = lab[0] + (drawn[:, 0] - lab[0]) * LIGHTNESS
    return choices[int(np.argmin(ciede2000(lab[None, :], drawn)))][0]
