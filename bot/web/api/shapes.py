"""What goes over the wire in the API's own routes, as strict models."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from bot.core.lives import AssetState, JobState, ReviewState
from bot.core.reviews import Answer
from brand.spec import MAX_SEED

ID = "^[0-9A-Za-z]{22}$"
SHA256 = "^[0-9a-f]{64}$"
NAME = Annotated[str, Field(max_length=100)]
MAX_WORDS = 2000
LORAS = Annotated[str, Field(max_length=400)]
"""One of the kit's list, or several with weights: `look:0.8+stripes:0.4`."""
VARIABLES = Annotated[
    dict[Annotated[str, Field(max_length=40)], Annotated[str, Field(max_length=200)]],
    Field(max_length=40, default_factory=dict),
]


def _off(value: bool) -> bool:
    if value:
        raise ValueError("this can't be switched on here")
    return value


Off = Annotated[bool, AfterValidator(_off), Field(json_schema_extra={"const": False})]
"""A switch that may only be off. (A Literal[False] would take 0 too.)"""


class Strict(BaseModel):
    """A body that people write: nothing is guessed, nothing unknown is taken."""

    model_config = ConfigDict(strict=True, extra="forbid")


class Shown(BaseModel):
    """What we answer."""


class Problem(Shown):
    """A failure, as RFC 9457 has it; `code` is a word for machines."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    code: str


class ImagesError(Shown):
    """Why, as the OpenAI API writes it."""

    message: str
    type: str
    param: str | None
    code: str | None


class ImagesFailure(Shown):
    """A failure as the OpenAI API writes it."""

    error: ImagesError


class WebuiFailure(Shown):
    """A failure as AUTOMATIC1111 writes it."""

    model_config = ConfigDict(extra="allow")

    error: str
    detail: str


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
    recipe: NAME = ""
    """A recipe of several stages from the kit's list."""
    fresh: bool = False
    """Rendered also where the archive has a picture of exactly this recipe."""


class ItemOut(Shown):
    """One wanted picture of a job."""

    index: int
    seed: int
    attempt: int
    change: str
    picture: str | None
    """The picture's id once it is there."""


class ProgressOut(Shown):
    """How far a job is: `fraction` from 0 to 1 over all its pictures."""

    fraction: float
    place: int
    """In the renderer's queue; 0: it is being rendered."""
    eta_s: float | None
    picture: int
    pictures: int


class JobOut(Shown):
    """One brief's life."""

    id: str
    brand: str
    state: JobState
    held: str | None
    """Why no worker takes it yet: whose budget is used up, and who can change it."""
    words: str
    template: str
    created_at: datetime
    updated_at: datetime
    progress: ProgressOut | None
    items: list[ItemOut]
    error: str | None
    reference: str | None
    """Of an error; the log has the same."""
    href: str
    events: str


class JobPage(Shown):
    """One page, newest first; `next` is the cursor of the page after it."""

    data: list[JobOut]
    next: str | None


class FileOut(Shown):
    """A file of a picture: the lossless master, or a form that is published."""

    transform: str
    mime: str
    bytes: int
    width: int
    height: int
    sha256: str
    href: str


class PictureOut(Shown):
    """One rendered picture with what was measured and how it was made."""

    id: str
    job: str
    brand: str
    index: int
    state: AssetState
    words: str
    template: str
    width: int
    height: int
    seed: int
    prompt: str
    recipe: str
    """Hash of the complete recipe."""
    reproduction_class: str
    pixel_hash: str
    parent: str | None
    change: str
    seconds: float
    cost: str | None
    created_at: datetime
    passed: bool
    evidence: list[dict[str, Any]]
    files: list[FileOut]
    href: str


class PicturePage(Shown):
    """One page, newest first; `next` is the cursor of the page after it."""

    data: list[PictureOut]
    next: str | None


class InputOut(Shown):
    """A picture that was taken in as an input: named by the SHA-256 of what is kept of it."""

    sha256: str
    width: int
    height: int


class ApprovalIn(Strict):
    """To which channel of the kit, and with which text."""

    channel: NAME = ""
    caption: Annotated[str, Field(max_length=MAX_WORDS)] = ""


class VoteIn(Strict):
    """One answer; `reject` and `change` say why."""

    answer: Annotated[Answer, Field(strict=False)]
    reason: Annotated[str, Field(max_length=MAX_WORDS)] = ""


class VoteOut(Shown):
    """One person's answer."""

    person: str
    name: str
    answer: Answer
    at: datetime
    reason: str


class ReviewOut(Shown):
    """An open or decided question about exact pixels."""

    id: str
    picture: str
    brand: str
    state: ReviewState
    outcome: Answer | None
    channel: str | None
    caption: str
    quorum: int
    opened_at: datetime
    deadline: datetime
    votes: list[VoteOut]


class ReviewList(Shown):
    """Open reviews, oldest first."""

    data: list[ReviewOut]


class VariableOut(Shown):
    """A [VARIABLE] of a template; without `values` any short text may stand there."""

    name: str
    values: list[str]
    default: str


class TemplateOut(Shown):
    """A template of a kit."""

    name: str
    version: int
    description: str
    text: str
    aspect: str
    variables: list[VariableOut]


class AspectOut(Shown):
    """A size that the kit allows."""

    name: str
    width: int
    height: int


class BrandOut(Shown):
    """What a brand allows."""

    id: str
    name: str
    kit_version: str
    kit_hash: str
    model: str
    aspects: list[AspectOut]
    samplers: list[str]
    sampler: str
    steps: int
    max_steps: int
    cfg: float
    max_cfg: float
    max_count: int
    loras: list[str]
    channels: list[str]
    templates: list[TemplateOut]


class BrandList(Shown):
    """Brands that the key's member belongs to."""

    data: list[BrandOut]


class UseOut(Shown):
    """What one person, team or brand rendered in a month."""

    key: str
    name: str
    pictures: int
    approved: int
    seconds: float
    cost: str | None


class BudgetOut(Shown):
    """A budget with how much of it is used: 1.0 is all of it."""

    name: str
    share: float
    words: str


class UsageOut(Shown):
    """A calendar month (UTC) of one brand, as far as the member may see it."""

    brand: str
    month: str
    people: list[UseOut]
    teams: list[UseOut]
    total: UseOut
    budgets: list[BudgetOut]
