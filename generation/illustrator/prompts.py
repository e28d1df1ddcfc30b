"""Reads a prompt as far as the illustrator's vocabulary goes, and fills in the rest by the seed."""

import hashlib
import re
from dataclasses import dataclass

import numpy as np

from generation.illustrator.captions import (
    COLOR_WORDS,
    LIGHTING_WORDS,
    PATTERN_WORDS,
    PRODUCT_WORDS,
    SETTING_WORDS,
)
from generation.illustrator.scene import COLORS, PRODUCTS, SETTINGS, Scene, random_camera

_MORE_SETTING_WORDS: dict[str, tuple[str, ...]] = {
    "wooden table": ("wooden", "table", "desk", "wood"),
    "white studio": ("white studio", "studio", "white background", "white backdrop", "white wall"),
    "beach": ("beach", "sea", "sand", "seaside"),
    "forest": ("forest", "woods", "trees"),
    "brick wall": ("brick wall", "bricks", "street"),
    "kitchen": ("kitchen",),
    "night city": ("city", "night", "skyline"),
}
_MORE_LIGHT_WORDS: dict[str, tuple[str, ...]] = {
    "warm": ("warm", "warmer", "sunset"),
    "cool": ("cool", "cold", "cooler"),
    "dramatic": ("dramatic", "moody"),
}
_BACKDROP = re.compile(r"\b(background|backdrop|wall|stripes|dots|checks)\b")
_PREPOSITION = re.compile(r"\b(on|of|against|with|before|by)\b|,")
_WHITE_STUDIO = re.compile(r"\bwhite (background|backdrop|wall)\b")
_PATTERN_NOUNS = {"stripes": "striped", "dots": "dotted", "checks": "checked"}


@dataclass(frozen=True, kw_only=True)
class _Found:
    """A vocabulary word at its place in the prompt."""

    name: str
    start: int
    end: int


def scene_from_prompt(prompt: str, negative: str, seed: int) -> Scene:
    """The scene that a prompt asks for; equal arguments always give the same one.

    The first product named is drawn, in the colour named just before it. What the prompt leaves
    open is chosen by the seed, but never something that `negative` names.
    """
    text, unwanted = prompt.lower(), negative.lower()
    rng = np.random.default_rng(_number(prompt, seed))
    product = _first(text, PRODUCT_WORDS)
    ground = _backdrop_part(text, product)
    places = [(found.start, found.end) for found in _all(text, SETTING_WORDS)] + [ground]
    colors = [
        found
        for found in _all(text, COLOR_WORDS)
        if not any(_inside(found, place) for place in places)
    ]
    own = _own_colors(colors, product)
    color = own[0] if own else _choice(rng, tuple(COLORS), COLOR_WORDS, unwanted)
    pattern = _pattern(text, product, ground)
    backdrop = _backdrop(text, ground, rng)
    return Scene(
        product=product.name if product else _choice(rng, PRODUCTS, PRODUCT_WORDS, unwanted),
        color=color,
        pattern=pattern,
        pattern_color=own[1] if len(own) > 1 else ("white" if color != "white" else "grey"),
        setting=_setting(text, ground, rng, unwanted),
        lighting=_lighting(text),
        backdrop_color=backdrop[0],
        backdrop_second=backdrop[1],
        backdrop_pattern=backdrop[2],
        camera=random_camera(rng),
        seed=int(rng.integers(1 << 30)),
    )


def _number(prompt: str, seed: int) -> tuple[int, int]:
    digest = hashlib.sha256(prompt.encode()).digest()
    return int.from_bytes(digest[:4], "big"), seed % (1 << 63)


def _all(text: str, words: dict[str, tuple[str, ...]]) -> list[_Found]:
    """Every vocabulary word in the text, in its order; of two at one place the longer."""
    found = [
        _Found(name=name, start=match.start(), end=match.end())
        for name, forms in words.items()
        for form in {*forms, name}
        for match in re.finditer(rf"(?<![\w-]){re.escape(form)}(?![\w-])", text)
    ]
    found.sort(key=lambda item: (item.start, item.start - item.end))
    kept: list[_Found] = []
    for item in found:
        if not kept or item.start >= kept[-1].end:
            kept.append(item)
    return kept


def _first(text: str, words: dict[str, tuple[str, ...]]) -> _Found | None:
    return next(iter(_all(text, words)), None)


def _backdrop_part(text: str, product: _Found | None) -> tuple[int, int] | None:
    """Where the text speaks of a coloured ground: from its first word back to a preposition."""
    for match in _BACKDROP.finditer(text):
        starts = [found.start() for found in _PREPOSITION.finditer(text, 0, match.start())]
        cut = max(starts, default=0)
        if product is not None and cut < product.start < match.start():
            cut = product.end
        words = text[cut : match.end()]
        colors = _all(words, COLOR_WORDS)
        plain_white = _WHITE_STUDIO.search(words) and len(colors) == 1
        if colors and "brick" not in words and not plain_white:
            return cut, match.end()
    return None


def _inside(found: _Found, part: tuple[int, int] | None) -> bool:
    return part is not None and part[0] <= found.start < part[1]


def _own_colors(colors: list[_Found], product: _Found | None) -> list[str]:
    """The product's colours: those just before it, else the first in the text."""
    if product is None:
        return [found.name for found in colors[:2]]
    before = [found for found in colors if found.end <= product.start]
    if not before:
        return [found.name for found in colors[:1]]
    near = [found for found in before if product.start - found.end < 40]
    return [found.name for found in (near or before)[-2:]]


def _pattern(text: str, product: _Found | None, ground: tuple[int, int] | None) -> str:
    for found in _all(text, PATTERN_WORDS):
        if not _inside(found, ground) and (product is None or found.start < product.end):
            return found.name
    return "plain"


def _setting(
    text: str, ground: tuple[int, int] | None, rng: np.random.Generator, unwanted: str
) -> str:
    if ground is not None:
        return "backdrop"
    for words in (SETTING_WORDS, _MORE_SETTING_WORDS):
        found = _first(text, words)
        if found is not None:
            return found.name
    return _choice(rng, SETTINGS, _MORE_SETTING_WORDS, unwanted)


def _backdrop(
    text: str, ground: tuple[int, int] | None, rng: np.random.Generator
) -> tuple[str, str, str]:
    """First colour, second colour and pattern of the ground."""
    if ground is None:
        names = rng.permutation(list(COLORS))
        return str(names[0]), str(names[1]), "plain"
    words = text[ground[0] : ground[1]]
    colors = [found.name for found in _all(words, COLOR_WORDS)]
    pattern = _first(words, PATTERN_WORDS)
    noun = next((kind for word, kind in _PATTERN_NOUNS.items() if word in words), "plain")
    second = colors[1] if len(colors) > 1 else ("white" if colors[0] != "white" else "grey")
    return colors[0], second, pattern.name if pattern else noun


def _lighting(text: str) -> str:
    for words in (LIGHTING_WORDS, _MORE_LIGHT_WORDS):
        found = _first(text, words)
        if found is not None:
            return found.name
    return "soft"


def _choice(
    rng: np.random.Generator,
    names: tuple[str, ...],
    words: dict[str, tuple[str, ...]],
    unwanted: str,
) -> str:
    avoided = {found.name for found in _all(unwanted, words)}
    open_names = [name for name in names if name not in avoided] or list(names)
    return open_names[int(rng.integers(len(open_names)))]
