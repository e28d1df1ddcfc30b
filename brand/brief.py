"""Brief: what a person asked for, before brand rules."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

from brand.encoding import Encoded
from brand.ways import Outpaint


@dataclass(frozen=True, kw_only=True)
class ControlWish(Encoded):
    """A picture that leads the composition, as somebody asks for it."""

    kind: str
    """One of the kit's kinds: canny, depth, …"""
    picture: str = ""
    """SHA-256 of the leading picture."""
    weight: float | None = None
    """None: 1."""
    start: float = 0.0
    end: float = 1.0
    """The share of the steps in which it leads."""
    ready: bool = False
    """The picture is a finished map already."""


@dataclass(frozen=True, kw_only=True)
class Brief(Encoded):
    """What a person asked for, before brand rules. What is left out is the kit's to say."""

    words: str
    template: str = ""
    variables: tuple[tuple[str, str], ...] = ()
    """(NAME, value) pairs for the template."""
    negative: str = ""
    aspect: str = ""
    n: int = 1
    """How many pictures."""
    seed: int | None = None
    """Of the first picture; the next ones count up."""
    steps: int | None = None
    cfg: float | None = None
    sampler: str = ""
    strength: float | None = None
    """How far a reference picture is left: 0 keeps it, 1 ignores it."""
    lora: str = ""
    """A name from the kit's list, or `none`; empty for the kit's default."""
    lora_weight: float | None = None
    private: bool = False
    """Drafts go to the requester alone."""
    reference: str = ""
    """SHA-256 of a reference picture that is in the blob store."""
    fresh: bool = False
    """Rendered also where the archive has a picture of exactly this recipe."""
    mask: str = ""
    """SHA-256 of a mask: where the reference is painted anew (white)."""
    invert: bool = False
    """The mask's black is painted anew instead."""
    outpaint: Outpaint | None = None
    """How far the reference goes on over its edges."""
    controls: tuple[ControlWish, ...] = ()
    like: str = ""
    """SHA-256 of a picture that serves as a prompt."""
    like_weight: float | None = None
    highres: float | None = None
    """Painted over once more at so many times its size."""
    highres_strength: float | None = None
    """How far that second pass leaves the first one's picture, 0.05 to 1; None: HighRes's own."""
    highres_steps: int | None = None
    """Of the second pass, before its strength leaves some out; None: as many as in the first."""
    recipe: str = ""
    """A name from the kit's list of recipes in several stages."""
    stylize: int | None = None
    """How strongly the brand's LoRAs show: 0 as little as their limits allow, 100 as the kit has
    them, 1000 as much as they allow."""
    image_weight: float | None = None
    """How much the reference counts, the opposite of `strength`: 0 nothing, 1 as the kit has it,
    3 nearly all."""
    tile: bool = False
    """A picture that goes on seamlessly over its edges."""

    @property
    def pictures(self) -> tuple[str, ...]:
        """The SHA-256 of every picture that it names."""
        named = (self.reference, self.mask, self.like, *(use.picture for use in self.controls))
        return tuple(sha256 for sha256 in named if sha256)

    def with_pictures(self, named: Callable[[str], str]) -> Self:
        """The same with every picture's name changed."""
        return replace(
            self,
            reference=named(self.reference) if self.reference else "",
            mask=named(self.mask) if self.mask else "",
            like=named(self.like) if self.like else "",
            controls=tuple(
                replace(use, picture=named(use.picture) if use.picture else "")
                for use in self.controls
            ),
        )

    def without_pictures(self) -> Self:
        """The same with no picture in it."""
        return replace(self, reference="", mask="", like="", controls=(), outpaint=None)
