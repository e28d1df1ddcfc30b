"""Job: one brief's life; it yields N assets, one for each of its items."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.core.budget import Charge
from bot.core.lives import JobState
from bot.core.messages import ChannelRef
from brand.spec import RenderSpec
from brand.templates import Brief

INTERACTIVE = 10
OVERNIGHT = 0
PAUSED_AT_MOST = timedelta(hours=24)
"""A job that is paused for longer is cancelled."""
MAX_ATTEMPTS = 2  # the first recipe and one changed one


@dataclass(frozen=True, kw_only=True)
class JobItem:
    """One wanted picture of a job: the recipe in force and what came of it."""

    index: int
    spec: RenderSpec
    attempt: int = 1
    change: str = ""
    """What the second attempt changed and why; empty on the first."""
    render_id: str = ""
    """Names the submission, so that the same one is never rendered twice."""
    reuse: str = ""
    """An earlier asset with exactly this recipe, whose pixels are taken instead of rendering."""
    counted: float = 0.0
    """Device seconds of the render in force that the job has been charged with."""
    stage: int = 0
    """Which stage of the job's recipe it belongs to, from 0."""
    parent: str = ""
    """The asset of the stage before that it begins from."""
    inherited: bool = False
    """Its asset was made, and counted, by the job that this one takes up."""
    asset: str = ""
    """Set once rendered and checked; a discarded first attempt is the new asset's `parent`."""

    @property
    def was_rendered(self) -> bool:
        """Of an item of a finished job: whether it took device time of this job."""
        return not self.reuse and not self.inherited


@dataclass(frozen=True, kw_only=True)
class Job:
    """One brief's life."""

    id: str
    brand: str
    kit_version: str
    kit_hash: str
    requester: str
    """Person id."""
    brief: Brief
    items: tuple[JobItem, ...]
    created_at: datetime
    """Aware UTC, as all times here."""
    updated_at: datetime
    origin: ChannelRef | None = None
    """Where it was asked; the job card goes there."""
    private: bool = False
    priority: int = INTERACTIVE
    state: JobState = JobState.QUEUED
    error: str = ""
    """Why it failed, as the person reads it."""
    error_reference: str = ""
    slot: str = ""
    """The schedule slot it fills, or empty."""
    source_asset: str = ""
    """The asset it varies, re-rolls or upscales, or empty."""
    fence: int = 0
    """Fencing token: grows by one with each claim."""
    starts: int = 0
    """Claims in a row that came to nothing, but for those that were given back in order."""
    worker: str = ""
    lease_until: datetime | None = None
    version: int = 0
    """Grows by one with each stored change."""
    seconds: float = 0.0
    """Device time of all its renders so far."""
    hold: str = ""
    """Name of the account whose budget has no room for it; empty: free to be claimed."""
    held_why: str = ""
    """The same as the person reads it, with who can change it."""
    turn: int = 0
    """When it goes, among jobs of its priority; see `fairness`."""
    charge: Charge | None = None
    """What it still has reserved of its budgets."""
    trail: str = ""
    """The reference id of the command that asked for it, and what its trace goes on from."""
    paused_at: datetime | None = None
    """Since when it waits, because someone wants it to; it keeps its state meanwhile."""
    place: str = ""
    """The server or workspace it was asked in, as `discord:GUILD_ID`; empty: none."""
    groups: tuple[str, ...] = ()
    """The requester's roles on the platform when they asked, as `discord:ROLE_ID`."""

    def with_item(self, item: JobItem) -> "Job":
        """The job with one item replaced, by index."""
        items = tuple(item if old.index == item.index else old for old in self.items)
        return replace(self, items=items)

    @property
    def has_ended(self) -> bool:
        """Whether nothing will come of it any more."""
        return self.state in (JobState.DONE, JobState.FAILED, JobState.CANCELLED)

    @property
    def is_paused(self) -> bool:
        """Whether it waits because someone wants it to."""
        return self.paused_at is not None and not self.has_ended

    @property
    def pending(self) -> tuple[JobItem, ...]:
        """Items that have no asset yet."""
        return tuple(item for item in self.items if not item.asset)


@dataclass(frozen=True, kw_only=True)
class Pace:
    """What a brand's recent finished jobs took: how many, the pictures that they rendered, device
    seconds in all (retries included)."""

    jobs: int = 0
    pictures: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class QueuePlace:
    """How many jobs go before this one, and how many are waiting in all (held and paused ones are
    not)."""

    ahead: int
    waiting: int
