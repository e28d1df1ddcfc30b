"""What a drawn picture shows: the vocabulary and one frozen Scene.

The same words serve four readers: the drawing code, the captions of the training pictures,
the prompt parser of the torch-free engine and the judge that names the product and the colour.
"""

import hashlib
from dataclasses import dataclass

import numpy as np

PRODUCTS = (
    "mug",
    "bottle",
    "chair",
    "lamp",
    "shoe",
    "backpack",
    "book",
    "umbrella",
    "teapot",
    "hat",
    "candle",
    "ball",
    "gift box",
    "t-shirt",
)
COLORS: dict[str, tuple[int, int, int]] = {
    "red": (208, 30, 36),
    "orange": (246, 128, 16),
    "yellow": (250, 214, 44),
    "green": (44, 148, 58),
    "teal": (14, 160, 160),
    "blue": (34, 82, 210),
    "purple": (122, 50, 168),
    "pink": (246, 138, 182),
    "brown": (112, 66, 36),
    "black": (32, 32, 36),
    "white": (244, 244, 242),
    "grey": (138, 140, 146),
}
SETTINGS = (
    "wooden table",
    "white studio",
    "beach",
    "forest",
    "brick wall",
    "kitchen",
    "night city",
    "backdrop",
)
PATTERNS = ("plain", "striped", "dotted", "checked")
LIGHTINGS = ("soft", "warm", "cool", "dramatic")
HELD_OUT_PERCENT = 15
_PATTERN_ODDS = (0.64, 0.14, 0.11, 0.11)
_BACKDROP_ODDS = (0.4, 0.36, 0.12, 0.12)
_LIGHTING_ODDS = (0.55, 0.15, 0.15, 0.15)
# The backdrop has more to learn (two colours and a pattern) than any other setting.
_SETTING_ODDS = (0.11, 0.11, 0.11, 0.11, 0.11, 0.11, 0.11, 0.23)


@dataclass(frozen=True, kw_only=True)
class Camera:
    """Where the product stands in the picture, how large, and where the light comes from."""

    shift_x: float = 0.0
    """Sideways, in parts of the short side."""
    shift_y: float = 0.0
    """Downwards, in parts of the short side."""
    scale: float = 1.0
    """Size against the usual size."""
    light_side: int = -1
    """-1 where the light comes from the left, +1 from the right."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One picture to be drawn; equal scenes give equal pixels at equal sizes."""

    product: str
    """One of PRODUCTS."""
    color: str
    """The product's colour, one of COLORS."""
    setting: str
    """One of SETTINGS; `backdrop` is a wall in `backdrop_color`."""
    backdrop_color: str = "grey"
    """Colour of the backdrop; only seen where the setting is `backdrop`."""
    backdrop_second: str = "white"
    """Second colour of a patterned backdrop."""
    backdrop_pattern: str = "plain"
    """One of PATTERNS; `striped` runs diagonally."""
    lighting: str = "soft"
    """One of LIGHTINGS."""
    pattern: str = "plain"
    """One of PATTERNS, on the product itself."""
    pattern_color: str = "white"
    """Second colour of a patterned product."""
    camera: Camera = Camera()
    seed: int = 0
    """Chooses the grain of the setting (planks, trees, windows)."""


def is_held_out(product: str, color: str, setting: str) -> bool:
    """Whether this combination is kept out of every training picture.

    A hash decides, so that the split never depends on the order of the lists.
    """
    digest = hashlib.sha256(f"held-out|{product}|{color}|{setting}".encode()).digest()
    return int.from_bytes(digest[:4], "big") % 100 < HELD_OUT_PERCENT


def held_out_combinations() -> list[tuple[str, str, str]]:
    """Every (product, colour, setting) that training never sees, in a fixed order."""
    return [
        (product, color, setting)
        for product in PRODUCTS
        for color in COLORS
        for setting in SETTINGS
        if is_held_out(product, color, setting)
    ]


def random_scene(rng: np.random.Generator, *, training: bool = True) -> Scene:
    """Draw the attributes of one picture; with `training`, held-out combinations never occur."""
    while True:
        product = PRODUCTS[int(rng.integers(len(PRODUCTS)))]
        color = _any_color(rng)
        setting = SETTINGS[int(rng.choice(len(SETTINGS), p=_SETTING_ODDS))]
        if not (training and is_held_out(product, color, setting)):
            return scene_of(product, color, setting, rng)


def scene_of(product: str, color: str, setting: str, rng: np.random.Generator) -> Scene:
    """Fill in everything but the product, its colour and the setting by chance."""
    backdrop = _any_color(rng, but=(color,))
    return Scene(
        product=product,
        color=color,
        setting=setting,
        backdrop_color=backdrop,
        backdrop_second=_any_color(rng, but=(backdrop, color)),
        backdrop_pattern=_pick(rng, PATTERNS, _BACKDROP_ODDS),
        lighting=_pick(rng, LIGHTINGS, _LIGHTING_ODDS),
        pattern=_pick(rng, PATTERNS, _PATTERN_ODDS),
        pattern_color="white" if color != "white" else _any_color(rng, but=("white",)),
        camera=random_camera(rng),
        seed=int(rng.integers(1 << 30)),
    )


def random_camera(rng: np.random.Generator) -> Camera:
    """The small chance differences between two pictures of the same words."""
    return Camera(
        shift_x=round(float(rng.uniform(-0.035, 0.035)), 4),
        shift_y=round(float(rng.uniform(-0.02, 0.02)), 4),
        scale=round(float(rng.uniform(0.94, 1.05)), 4),
        light_side=-1 if rng.random() < 0.7 else 1,
    )


def _pick(rng: np.random.Generator, words: tuple[str, ...], odds: tuple[float, ...]) -> str:
    return words[int(rng.choice(len(words), p=odds))]


def _any_color(rng: np.random.Generator, but: tuple[str, ...] = ()) -> str:
    names = [name for name in COLORS if name not in but]
    return names[int(rng.integers(len(names)))]
