"""The parts of a recipe besides words and numbers: LoRAs, pictures, masks, controls, passes."""

import math
from dataclasses import dataclass

from brand.encoding import Encoded, is_sha256
from brand.render_errors import SpecInvalid


@dataclass(frozen=True, kw_only=True)
class LoraUse(Encoded):
    """One LoRA applied to the whole picture, named by its file's hash."""

    sha256: str
    weight: float = 1.0
    name: str = ""

    def __post_init__(self) -> None:
        if not is_sha256(self.sha256):
            raise SpecInvalid("a LoRA is named by the sha256 of its file")
        within("LoRA weight", self.weight, -4, 4)


@dataclass(frozen=True, kw_only=True)
class InitImage(Encoded):
    """Where image to image starts. `strength` as in diffusers: 0 keeps it, 1 ignores it."""

    sha256: str
    strength: float = 0.6

    def __post_init__(self) -> None:
        if not is_sha256(self.sha256):
            raise SpecInvalid("a reference picture is named by the sha256 of its file")
        within("strength", self.strength, 0, 1)


CONTROL_KINDS = (
    "canny",
    "softedge",
    "lineart",
    "depth",
    "pose",
    "normal",
    "segmentation",
    "tile",
)
"""What a ControlNet may be led by."""
MAX_LORAS = 8
MAX_CONTROLS = 4
MAX_EMBEDDINGS = 8
LEAST_HIGHRES = 0.05
"""Strength of a second pass; with less it would paint nothing."""


@dataclass(frozen=True, kw_only=True)
class Mask(Encoded):
    """Inpainting: where the `init` picture is painted anew (white) and where it stays (black)."""

    sha256: str
    feather: int = 4
    """How softly the two meet: the blur's radius in pixels of the finished picture."""
    invert: bool = False
    """Black is painted anew instead."""

    def __post_init__(self) -> None:
        if not is_sha256(self.sha256):
            raise SpecInvalid("a mask is named by the sha256 of its file")
        within("feather", self.feather, 0, 64)


@dataclass(frozen=True, kw_only=True)
class Outpaint(Encoded):
    """The `init` picture goes on over its edges: so many pixels of the finished size are new on
    each side (multiples of 8); the rest is the picture, fitted."""

    left: int = 0
    right: int = 0
    top: int = 0
    bottom: int = 0
    feather: int = 8
    """How softly old and new meet, in pixels."""

    def __post_init__(self) -> None:
        for name in ("left", "right", "top", "bottom"):
            value = getattr(self, name)
            within(name, value, 0, 4096)
            if value % 8:
                raise SpecInvalid(f"{name} must be a multiple of 8 pixels")
        if not (self.left or self.right or self.top or self.bottom):
            raise SpecInvalid("outpainting needs at least one side with new pixels")
        within("feather", self.feather, 0, 64)


@dataclass(frozen=True, kw_only=True)
class ControlUse(Encoded):
    """One ControlNet (Zhang et al., 2023) that leads the composition by a picture."""

    kind: str
    """One of CONTROL_KINDS."""
    sha256: str
    """Of the leading picture."""
    weight: float = 1.0
    start: float = 0.0
    """Share of the steps after which it begins, and below after which it ends."""
    end: float = 1.0
    ready: bool = False
    """The picture is a finished map (edges, depth, …) already; nothing is derived from it."""
    model: str = ""
    """Name of the ControlNet in the generation service; empty: the one there for this kind."""

    def __post_init__(self) -> None:
        if self.kind not in CONTROL_KINDS:
            raise SpecInvalid(f"control kind must be one of {', '.join(CONTROL_KINDS)}")
        if not is_sha256(self.sha256):
            raise SpecInvalid("a control picture is named by the sha256 of its file")
        within("control weight", self.weight, 0, 2)
        within("control start", self.start, 0, 1)
        within("control end", self.end, 0, 1)
        if self.start >= self.end:
            raise SpecInvalid("a control must start before it ends")


@dataclass(frozen=True, kw_only=True)
class EmbeddingUse(Encoded):
    """A textual inversion (Gal et al., 2022): the word of the prompts that stands for it."""

    sha256: str
    token: str
    """The word, e.g. `acme-style`; without it in a prompt, the embedding does nothing."""
    name: str = ""

    def __post_init__(self) -> None:
        if not is_sha256(self.sha256):
            raise SpecInvalid("an embedding is named by the sha256 of its file")
        if not 1 <= len(self.token) <= 60 or any(c.isspace() for c in self.token):
            raise SpecInvalid("an embedding's token is one word of at most 60 characters")


@dataclass(frozen=True, kw_only=True)
class ImagePrompt(Encoded):
    """A picture as a prompt (IP-Adapter, Ye et al., 2023), where its weights are installed."""

    sha256: str
    weight: float = 0.6
    model: str = ""
    """Name of the image-prompt weights in the generation service; empty: the ones there."""

    def __post_init__(self) -> None:
        if not is_sha256(self.sha256):
            raise SpecInvalid("an image prompt is named by the sha256 of its file")
        within("image prompt weight", self.weight, 0, 2)


@dataclass(frozen=True, kw_only=True)
class HighRes(Encoded):
    """Two passes: the picture is made at its size, enlarged (Lanczos), and painted over again."""

    scale: float = 2.0
    """Of both sides; the finished sides are rounded to multiples of 8."""
    strength: float = 0.5
    """Of the second pass, as in image to image."""
    steps: int = 0
    """Of the second pass; 0: as many as in the first."""

    def __post_init__(self) -> None:
        within("highres scale", self.scale, 1, 4)
        within("highres strength", self.strength, LEAST_HIGHRES, 1)
        within("highres steps", self.steps, 0, 200)


def within(name: str, value: float, low: float, high: float) -> None:
    """Raises SpecInvalid, naming field and limits, unless `low <= value <= high`."""
    if isinstance(value, bool) or not math.isfinite(value) or not low <= value <= high:
        raise SpecInvalid(f"{name} must be between {low} and {high}, got {value!r}")
