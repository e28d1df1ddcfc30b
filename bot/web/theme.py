"""The accent colour of a kit, made readable: WCAG 2.2 contrast against the portal's own colours.

Relative luminance and contrast ratio as WCAG 2.2 defines them ("relative luminance", "contrast
ratio" in its glossary).
"""

from brand.color import Rgb, parse_hex, to_hex
from brand.kit import BrandKit

LIGHT_SURFACE = parse_hex("#efede7")
"""The darkest light surface that text stands on (see --sunken, --hover in the style sheet)."""
DARK_SURFACE = parse_hex("#2a2a26")
"""The lightest dark surface that text stands on."""
WHITE, BLACK = (255, 255, 255), (0, 0, 0)
TEXT_CONTRAST = 4.5
STEPS = 50


def luminance(rgb: Rgb) -> float:
    """Relative luminance from 0 (black) to 1 (white)."""
    linear = [
        part / 12.92 if (part := value / 255) <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for value in rgb
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: Rgb, other: Rgb) -> float:
    """Contrast ratio from 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def readable(color: Rgb, surface: Rgb, toward: Rgb) -> Rgb:
    """`color`, moved toward black or white until text in it is readable on `surface`."""
    for step in range(STEPS + 1):
        share = step / STEPS
        mixed = tuple(
            round(c * (1 - share) + t * share) for c, t in zip(color, toward, strict=True)
        )
        tried: Rgb = (mixed[0], mixed[1], mixed[2])
        if contrast(tried, surface) >= TEXT_CONTRAST:
            return tried
    return toward


def ink_on(color: Rgb) -> Rgb:
    """Black or white, whichever reads better on `color`."""
    return max((WHITE, BLACK), key=lambda ink: contrast(ink, color))


def theme_css(kit: BrandKit) -> str:
    """The style sheet that carries the kit's accent colour."""
    accent = parse_hex(kit.accent)
    ink = ink_on(accent)
    light = readable(accent, LIGHT_SURFACE, BLACK)
    dark = readable(accent, DARK_SURFACE, WHITE)
    # A hovered button moves away from its ink, so that its label only gains contrast.
    away = BLACK if ink == WHITE else WHITE
    return (
        ":root{"
        f"--accent:{to_hex(accent)};"
        f"--on-accent:{to_hex(ink)};"
        f"--on-accent-mix:{to_hex(away)};"
        f"--accent-text:light-dark({to_hex(light)},{to_hex(dark)});"
        "}\n"
    )
