"""What a person might type for a scene: paraphrases with filler words, a tenth of them empty."""

import numpy as np

from generation.illustrator.scene import Scene

EMPTY_SHARE = 0.1

PRODUCT_WORDS: dict[str, tuple[str, ...]] = {
    "mug": ("mug", "mug", "coffee mug", "cup"),
    "bottle": ("bottle", "bottle", "water bottle", "flask"),
    "chair": ("chair", "chair", "seat"),
    "lamp": ("lamp", "lamp", "table lamp", "desk lamp"),
    "shoe": ("shoe", "sneaker", "trainer", "running shoe"),
    "backpack": ("backpack", "backpack", "rucksack", "school bag"),
    "book": ("book", "book", "notebook", "hardcover book"),
    "umbrella": ("umbrella", "umbrella", "parasol"),
    "teapot": ("teapot", "teapot", "tea pot"),
    "hat": ("hat", "hat", "sun hat", "fedora"),
    "candle": ("candle", "candle", "burning candle"),
    "ball": ("ball", "ball", "toy ball"),
    "gift box": ("gift box", "gift", "present", "gift box with a bow"),
    "t-shirt": ("t-shirt", "t-shirt", "tshirt", "shirt", "tee"),
}
COLOR_WORDS: dict[str, tuple[str, ...]] = {
    "red": ("red", "red", "scarlet", "crimson"),
    "orange": ("orange",),
    "yellow": ("yellow", "yellow", "golden"),
    "green": ("green",),
    "teal": ("teal", "teal", "turquoise"),
    "blue": ("blue", "blue", "blue", "navy blue", "navy"),
    "purple": ("purple", "purple", "violet"),
    "pink": ("pink",),
    "brown": ("brown", "brown", "chocolate brown"),
    "black": ("black",),
    "white": ("white", "white", "white", "cream"),
    "grey": ("grey", "grey", "gray"),
}
SETTING_WORDS: dict[str, tuple[str, ...]] = {
    "wooden table": ("on a wooden table", "on a wooden desk", "on a table of wood"),
    "white studio": ("in a white studio", "on a white background", "in a bright studio"),
    "beach": ("on the beach", "at the beach", "on a sandy beach", "by the sea"),
    "forest": ("in a forest", "in the woods", "among trees in a forest"),
    "brick wall": ("in front of a brick wall", "by a brick wall", "on a street with brick wall"),
    "kitchen": ("in a kitchen", "on a kitchen counter", "in the kitchen"),
    "night city": ("in a city at night", "at night", "in front of a night city skyline"),
}
PATTERN_WORDS: dict[str, tuple[str, ...]] = {
    "striped": ("striped", "stripy"),
    "dotted": ("dotted", "polka dot", "spotted"),
    "checked": ("checked", "checkered"),
}
BACKDROP_WORDS = ("background", "backdrop", "wall")
LIGHTING_WORDS: dict[str, tuple[str, ...]] = {
    "soft": ("soft light", "soft lighting", "daylight"),
    "warm": ("warm light", "warm evening light", "golden hour"),
    "cool": ("cool light", "cold light", "blue hour"),
    "dramatic": ("dramatic light", "dramatic lighting", "spotlight"),
}
_OPENERS = ("", "", "", "", "a photo of", "a picture of", "a product photo of", "studio shot of")
_STYLE_WORDS = (
    "high quality", "sharp focus", "detailed", "highly detailed", "centered", "product photo",
    "product photography", "professional", "commercial photography", "modern", "minimalist",
    "clean", "clean composition", "crisp", "elegant", "bold", "vivid colors", "muted colors",
    "studio quality", "4k", "8k", "close-up", "eye level", "wide shot", "rule of thirds",
    "centered composition", "negative space", "shallow depth of field", "cinematic", "natural",
    "advertising", "editorial", "campaign", "brand", "innovation", "spring", "summer", "winter",
    "playful", "friendly", "confident", "simple", "realistic", "illustration", "flat", "bright",
)  # fmt: skip
_STYLE_ODDS = (0.4, 0.3, 0.2, 0.1)
_LETTERS = "aabcdeeefghiijklmnooprsttuvwy"


def caption(scene: Scene, rng: np.random.Generator) -> str:
    """A prompt for the scene, or the empty prompt in a tenth of the draws."""
    if rng.random() < EMPTY_SHARE:
        return ""
    return full_caption(scene, rng)


def full_caption(scene: Scene, rng: np.random.Generator) -> str:
    """A prompt that names product, colour, pattern and setting, and the light where it is odd."""
    thing = subject(scene, rng)
    place = place_words(scene, rng)
    opener = _any(rng, _OPENERS)
    if rng.random() < 0.2:
        words = f"{place}, {opener + ' ' if opener else ''}{thing}"
    else:
        words = f"{opener} {thing}{',' if rng.random() < 0.2 else ''} {place}".strip()
    extras = [_any(rng, _STYLE_WORDS) for _ in range(int(rng.choice((0, 1, 2, 3), p=_STYLE_ODDS)))]
    if rng.random() < 0.1:
        extras.append(_unknown_word(rng))
    if scene.lighting != "soft" or rng.random() < 0.25:
        extras.append(_any(rng, LIGHTING_WORDS[scene.lighting]))
    rng.shuffle(extras)
    return ", ".join([words, *extras])


def _unknown_word(rng: np.random.Generator) -> str:
    """A word that means nothing, so that the model learns to pass over words it does not know."""
    return "".join(_LETTERS[int(i)] for i in rng.integers(len(_LETTERS), size=rng.integers(3, 9)))


def subject(scene: Scene, rng: np.random.Generator) -> str:
    """The product in its colours: `a red and white striped mug`."""
    noun = _any(rng, PRODUCT_WORDS[scene.product])
    color = _any(rng, COLOR_WORDS[scene.color])
    if scene.pattern != "plain":
        pattern = _any(rng, PATTERN_WORDS[scene.pattern])
        second = f" and {_any(rng, COLOR_WORDS[scene.pattern_color])}"
        if scene.pattern_color == "white" and rng.random() < 0.5:
            second = ""
        color = f"{color}{second} {pattern}"
    elif rng.random() < 0.15:
        color = f"plain {color}"
    article = _any(rng, ("a", "a", "a", "one", "the", ""))
    if article == "a" and color[0] in "aeiou":
        article = "an"
    return f"{article} {color} {noun}".strip()


def place_words(scene: Scene, rng: np.random.Generator) -> str:
    """Where the product stands; a backdrop is named by its colours and pattern."""
    if scene.setting != "backdrop":
        return _any(rng, SETTING_WORDS[scene.setting])
    first = _any(rng, COLOR_WORDS[scene.backdrop_color])
    ground = _any(rng, BACKDROP_WORDS)
    if scene.backdrop_pattern == "plain":
        article = "an" if first[0] in "aeiou" else "a"
        return f"{_any(rng, ('on', 'in front of', 'against'))} {article} {first} {ground}"
    second = _any(rng, COLOR_WORDS[scene.backdrop_second])
    pattern = _any(rng, PATTERN_WORDS[scene.backdrop_pattern])
    if scene.backdrop_pattern == "striped" and rng.random() < 0.6:
        return f"in front of {_any(rng, ('diagonal', ''))} {first} and {second} stripes".replace(
            "  ", " "
        )
    return f"on a {first} and {second} {pattern} {ground}"


def _any(rng: np.random.Generator, words: tuple[str, ...]) -> str:
    return words[int(rng.integers(len(words)))]
