"""What programs send to the API's own routes, as strict models."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from bot.core.reviews import Answer
from bot.web.api.shapes import ID, LORAS, MAX_WORDS, NAME, SHA256, VARIABLES, Strict
from brand.spec import MAX_SEED

PICTURE = Annotated[str, Field(pattern=f"({ID}|{SHA256}|^$)")]
"""The id of one of our pictures, or the SHA-256 of an input."""
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Weight = Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)]
Edge = Annotated[int, Field(ge=0, le=4096, multiple_of=8)]


class ControlIn(Strict):
    """A picture that leads the composition."""

    kind: Literal["canny", "softedge", "lineart", "depth", "pose", "normal", "segmentation", "tile"]
    picture: Annotated[str, Field(pattern=f"({ID}|{SHA256})")]
    weight: Weight | None = None
    start: Share = 0.0
    end: Share = 1.0
    ready: bool = False
    """The picture is a finished map already."""


class OutpaintIn(Strict):
    """How many new pixels each side gets; at least one side has some."""

    left: Edge = 0
    right: Edge = 0
    top: Edge = 0
    bottom: Edge = 0


class BriefIn(Strict):
    """What is wanted. What is left out is the brand kit's to say."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"words": "a red mug on a wooden table", "n": 2}]}
    )

    brand: NAME = ""
    """The brand; may be left out by members of one."""
    words: Annotated[str, Field(max_length=MAX_WORDS)] = ""
    template: NAME = ""
    variables: VARIABLES
    negative: Annotated[str, Field(max_length=MAX_WORDS)] = ""
    aspect: NAME = ""
    n: Annotated[int, Field(ge=1, le=100)] = 1
    seed: Annotated[int, Field(ge=0, le=MAX_SEED)] | None = None
    steps: Annotated[int, Field(ge=1, le=1000)] | None = None
    cfg: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] | None = None
    sampler: NAME = ""
    strength: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = None
    lora: LORAS = ""
    lora_weight: Annotated[float, Field(ge=-4, le=4, allow_inf_nan=False)] | None = None
    private: bool = False
    reference: PICTURE = ""
    """A picture to start from: the id of one of ours, or the SHA-256 of an input."""
    mask: PICTURE = ""
    """Where the reference is painted anew (white)."""
    invert: bool = False
    """The mask's black is painted anew instead."""
    outpaint: OutpaintIn | None = None
    controls: Annotated[list[ControlIn], Field(max_length=4, default_factory=list)]
    like: PICTURE = ""
    """A picture that serves as a prompt."""
    like_weight: Weight | None = None
    highres: Annotated[float, Field(ge=1, le=4, allow_inf_nan=False)] | None = None
    """Painted over once more at so many times its size."""
    highres_strength: Annotated[float, Field(ge=0.05, le=1, allow_inf_nan=False)] | None = None
    """How far that second pass leaves the first one's picture."""
    highres_steps: Annotated[int, Field(ge=1, le=1000)] | None = None
    """Of the second pass; as many as in the first where it is left out."""
    stylize: Annotated[int, Field(ge=0, le=1000)] | None = None
    """How strongly the brand's LoRAs show; 100 as the kit has them."""
    image_weight: Annotated[float, Field(ge=0, le=3, allow_inf_nan=False)] | None = None
    """How much the reference counts, instead of `strength`; 1 as the kit has it."""
    tile: bool = False
    """A picture that goes on seamlessly over its edges."""
    recipe: NAME = ""
    """A recipe of several stages from the kit's list."""
    fresh: bool = False
    """Rendered also where the archive has a picture of exactly this recipe."""


class ApprovalIn(Strict):
    """To which channel of the kit, and with which text."""

    channel: NAME = ""
    caption: Annotated[str, Field(max_length=MAX_WORDS)] = ""


class VoteIn(Strict):
    """One answer; `reject` and `change` say why."""

    answer: Annotated[Answer, Field(strict=False)]
    reason: Annotated[str, Field(max_length=MAX_WORDS)] = ""
