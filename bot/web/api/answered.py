"""What the API's own routes answer."""

from datetime import datetime
from typing import Any

from bot.core.lives import AssetState, JobState, ReviewState
from bot.core.reviews import Answer
from bot.web.api.shapes import Shown


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
    paused_at: datetime | None
    """Since when it waits because someone wants it to; null: it does not."""
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
