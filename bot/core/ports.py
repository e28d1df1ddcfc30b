"""What the application needs from the outside, as small Protocols. Adapters live elsewhere.

Every store method works inside a transaction (`Store.write` or `Store.read`): what is done in
one `write` block is committed together or not at all. `update` is a compare-and-set: it stores
`new` only if the stored row still has `was.version`, `was.state` and (where there is one)
`was.fence`, and only along the transition table of `lives.py`; it returns the stored value with
`version` grown by one, and raises StaleState otherwise.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from bot.core.assets import Asset, AssetQuery, Rendition
from bot.core.commands import Command
from bot.core.jobs import Job, QueuePlace
from bot.core.ledger import Event
from bot.core.lives import OutboxState
from bot.core.messages import Actor, Card, ChannelRef, MessageRef
from bot.core.people import Key, KeyKind, Person
from bot.core.publications import Publication
from bot.core.reviews import Review
from bot.core.slots import Schedule, Slot
from brand.kit import BrandKit
from brand.loras import LoraVersion
from brand.provenance import LabelledFile
from brand.spec import ModelInfo, Picture, Progress, RendererHealth, RenderRequest, RenderSpec
from brand.verdicts import Evidence


class Clock(Protocol):
    """The only source of time."""

    def now(self) -> datetime:
        """Aware UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait; a driven clock in the tests returns when told to."""
        ...


class Jobs(Protocol):
    """Jobs and who works on them."""

    async def add(self, job: Job) -> None:
        """Store a new job. Raises Conflict if the id exists."""
        ...

    async def get(self, job_id: str) -> Job:
        """Raises NotFound."""
        ...

    async def claim(self, worker: str, *, now: datetime, lease: timedelta) -> Job | None:
        """Take the next queued job: highest priority, then oldest. It is `rendering` then, with
        a grown fence and a lease. None if nothing waits. Two workers never get the same job."""
        ...

    async def renew(self, job: Job, *, until: datetime) -> Job:
        """Lengthen the lease. Raises LeaseLost if the fence has moved on."""
        ...

    async def release_expired(self, now: datetime) -> int:
        """Requeue jobs (rendering or checking) whose lease ran out; how many."""
        ...

    async def update(self, new: Job, *, was: Job) -> Job:
        """Compare-and-set. Raises StaleState."""
        ...

    async def place(self, job_id: str) -> QueuePlace:
        """Place among queued and running jobs. Raises NotFound."""
        ...

    async def unfinished(self, *, brand: str = "", requester: str = "") -> Sequence[Job]:
        """Jobs that have not ended: running first, then in the order they will be claimed."""
        ...

    async def recent(
        self, *, brand: str = "", requester: str = "", before: str = "", limit: int = 50
    ) -> Sequence[Job]:
        """Newest first; `before` is the last id of the previous page."""
        ...


@dataclass(frozen=True, kw_only=True)
class UsageRow:
    """Measured use of one person in one brand over a period."""

    person: str
    pictures: int
    seconds: float
    approved: int


class Assets(Protocol):
    """Assets with their renditions."""

    async def add(self, asset: Asset) -> None:
        """Store a new asset and its renditions. Raises Conflict."""
        ...

    async def get(self, asset_id: str) -> Asset:
        """With its renditions. Raises NotFound."""
        ...

    async def update(self, new: Asset, *, was: Asset) -> Asset:
        """Compare-and-set; renditions are left as they are. Raises StaleState."""
        ...

    async def add_rendition(self, rendition: Rendition) -> None:
        """List one more rendition. Raises Conflict."""
        ...

    async def of_job(self, job_id: str) -> Sequence[Asset]:
        """By index, then by age."""
        ...

    async def find(self, query: AssetQuery) -> Sequence[Asset]:
        """Newest first."""
        ...

    async def fingerprints(self, brand: str, *, limit: int = 5000) -> Sequence[tuple[str, str]]:
        """(asset id, fingerprint) of the brand's approved and in-review assets, newest first."""
        ...

    async def by_spec(self, brand: str, spec_hash: str) -> Asset | None:
        """The newest asset of this brand with exactly this recipe, or None."""
        ...

    def file_hashes(self) -> AsyncIterator[tuple[str, str]]:
        """(asset id, file hash) of every master and rendition, for checking the archive."""
        ...

    async def usage(self, brand: str, *, since: datetime, until: datetime) -> Sequence[UsageRow]:
        """Per person; every rendered picture counts, discarded ones too."""
        ...


class Reviews(Protocol):
    """Open and decided questions."""

    async def add(self, review: Review) -> None:
        """Raises Conflict if the asset has an open review."""
        ...

    async def get(self, review_id: str) -> Review:
        """Raises NotFound."""
        ...

    async def update(self, new: Review, *, was: Review) -> Review:
        """Compare-and-set, votes included. Raises StaleState."""
        ...

    async def of_asset(self, asset_id: str) -> Sequence[Review]:
        """Newest first."""
        ...

    async def open(self, *, brand: str = "") -> Sequence[Review]:
        """Open and escalated ones, oldest first."""
        ...

    async def overdue(self, now: datetime) -> Sequence[Review]:
        """Open ones whose deadline has passed."""
        ...


class Publications(Protocol):
    """Posts to be made and made."""

    async def add(self, publication: Publication) -> None:
        """Raises Conflict: one publication per review and channel."""
        ...

    async def get(self, publication_id: str) -> Publication:
        """Raises NotFound."""
        ...

    async def claim(self, worker: str, *, now: datetime, lease: timedelta) -> Publication | None:
        """Take a due pending one: `sending`, with a grown fence and a lease; or None."""
        ...

    async def update(self, new: Publication, *, was: Publication) -> Publication:
        """Compare-and-set. Raises StaleState."""
        ...

    async def expired(self, now: datetime) -> Sequence[Publication]:
        """`sending` ones whose lease ran out: they become ambiguous and are looked up."""
        ...

    async def of_asset(self, asset_id: str) -> Sequence[Publication]:
        """Newest first."""
        ...


class Schedules(Protocol):
    """The content calendar."""

    async def add(self, schedule: Schedule) -> None:
        """Raises Conflict."""
        ...

    async def get(self, schedule_id: str) -> Schedule:
        """Raises NotFound."""
        ...

    async def update(self, new: Schedule, *, was: Schedule) -> Schedule:
        """Compare-and-set. Raises StaleState."""
        ...

    async def of_brand(self, brand: str = "") -> Sequence[Schedule]:
        """By name; ended ones too."""
        ...

    async def add_slot(self, slot: Slot) -> bool:
        """False if the schedule has a slot of that local date already."""
        ...

    async def get_slot(self, slot_id: str) -> Slot:
        """Raises NotFound."""
        ...

    async def update_slot(self, new: Slot, *, was: Slot) -> Slot:
        """Compare-and-set. Raises StaleState."""
        ...

    async def slots(self, *, since: datetime, until: datetime, brand: str = "") -> Sequence[Slot]:
        """By due time."""
        ...


class Loras(Protocol):
    """LoRA versions and their status."""

    async def add(self, lora: LoraVersion) -> None:
        """Raises Conflict if brand, name and version exist."""
        ...

    async def get(self, brand: str, sha256: str) -> LoraVersion:
        """Raises NotFound."""
        ...

    async def update(self, new: LoraVersion, *, was: LoraVersion) -> LoraVersion:
        """Compare-and-set on the status. Raises StaleState."""
        ...

    async def of_brand(self, brand: str) -> Sequence[LoraVersion]:
        """By name and version."""
        ...


class People(Protocol):
    """Members and their identities."""

    async def add(self, person: Person) -> None:
        """Raises Conflict if the id or an identity exists."""
        ...

    async def get(self, person_id: str) -> Person:
        """Raises NotFound."""
        ...

    async def update(self, new: Person, *, was: Person) -> Person:
        """Compare-and-set, roles and identities included. Raises StaleState."""
        ...

    async def by_identity(self, platform: str, user: str, team: str = "") -> Person | None:
        """Who this account is, or None."""
        ...

    async def all(self) -> Sequence[Person]:
        """By name."""
        ...


class Kits(Protocol):
    """Versioned brand kits as they were when used."""

    async def put(self, kit: BrandKit, *, source: str, at: datetime) -> bool:
        """Keep this version (its TOML text is `source`); False if its hash is stored already.
        The last one put is the brand's current kit."""
        ...

    async def current(self, brand: str) -> BrandKit:
        """Raises NotFound."""
        ...

    async def get(self, kit_hash: str) -> BrandKit:
        """Raises NotFound."""
        ...

    async def all(self) -> Sequence[BrandKit]:
        """The current kit of every brand, by name."""
        ...


class Keys(Protocol):
    """Links, sessions and API keys, by their hashes."""

    async def add(self, key: Key) -> None:
        """Raises Conflict."""
        ...

    async def get(self, kind: KeyKind, key_id: str) -> Key:
        """Raises NotFound."""
        ...

    async def update(self, new: Key, *, was: Key) -> Key:
        """Compare-and-set: a one-time link is used once. Raises StaleState."""
        ...

    async def remove(self, key_id: str) -> None:
        """Forget it; no error if it is gone."""
        ...


@dataclass(frozen=True, kw_only=True)
class Outgoing:
    """One outgoing message. Its id is the platform's idempotency key."""

    id: str
    target: ChannelRef
    card: Card
    created_at: datetime
    update: MessageRef | None = None
    """The message to change in place; filled from the last sent one of the same subject."""
    state: OutboxState = OutboxState.PENDING
    not_before: datetime | None = None
    attempts: int = 0
    sent: MessageRef | None = None
    error: str = ""
    fence: int = 0
    worker: str = ""
    lease_until: datetime | None = None
    version: int = 0


class Outbox(Protocol):
    """Messages to be sent, written in the transaction of the change they tell of."""

    async def add(self, message: Outgoing) -> None:
        """Also marks older pending messages with the same subject and target superseded."""
        ...

    async def claim(self, worker: str, *, now: datetime, lease: timedelta) -> Outgoing | None:
        """The oldest due one: `sending`, `update` filled in; one per subject and place at a time;
        or None."""
        ...

    async def update(self, new: Outgoing, *, was: Outgoing) -> Outgoing:
        """Compare-and-set. Raises StaleState."""
        ...

    async def expired(self, now: datetime) -> Sequence[Outgoing]:
        """`sending` ones whose lease ran out."""
        ...

    async def message_of(self, subject: str, target: ChannelRef) -> MessageRef | None:
        """Where the last sent card of this subject stands in that channel, or None."""
        ...

    async def subject_of(self, ref: MessageRef) -> str:
        """The subject of the card that stands there, or an empty string."""
        ...

    async def counts(self) -> dict[str, int]:
        """How many messages per state."""
        ...


class Ledger(Protocol):
    """Append-only record."""

    async def append(self, event: Event) -> None:
        """Add an event to this transaction."""
        ...

    async def recent(
        self, *, subject: str = "", brand: str = "", limit: int = 100
    ) -> Sequence[Event]:
        """Newest first."""
        ...


class Deliveries(Protocol):
    """Which deliveries were already taken in (the database's side of the inbox)."""

    async def take(self, platform: str, delivery: str, at: datetime) -> bool:
        """False if this delivery was taken before."""
        ...


class Transaction(Protocol):
    """All stores in one transaction."""

    jobs: Jobs
    assets: Assets
    reviews: Reviews
    publications: Publications
    schedules: Schedules
    loras: Loras
    people: People
    kits: Kits
    keys: Keys
    outbox: Outbox
    ledger: Ledger
    deliveries: Deliveries


class Store(Protocol):
    """The records of the house."""

    def write(self) -> AbstractAsyncContextManager[Transaction]:
        """A transaction that commits at the end of the block and rolls back on an exception.
        No network call belongs inside."""
        ...

    def read(self) -> AbstractAsyncContextManager[Transaction]:
        """A transaction that only reads."""
        ...

    async def close(self) -> None:
        """Release connections."""
        ...


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """What a platform delivered, before anything is understood of it."""

    platform: str
    id: str
    """The platform's id of the delivery."""
    payload: dict[str, Any]
    received_at: datetime


class Inbox(Protocol):
    """The node's fsynced inbox."""

    async def put(self, delivery: Delivery) -> None:
        """Returns once it is on the disk; only then the platform is acknowledged."""
        ...

    async def done(self, platform: str, delivery_id: str) -> None:
        """It was worked off and need not come back after a restart."""
        ...

    async def pending(self) -> Sequence[Delivery]:
        """What was put and not done, oldest first: read at start."""
        ...


class BlobStore(Protocol):
    """Content-addressed files, written durably."""

    async def put(self, data: bytes) -> str:
        """Write and fsync; its sha256. Putting the same bytes twice is one file."""
        ...

    async def get(self, sha256: str) -> bytes:
        """Raises NotFound. Raises CorruptBlob if the bytes no longer match their name."""
        ...

    async def exists(self, sha256: str) -> bool:
        """Whether it is there (contents not checked)."""
        ...

    def all(self) -> AsyncIterator[str]:
        """Every stored hash."""
        ...


class Renderer(Protocol):
    """The generation service."""

    def render(self, request: RenderRequest) -> AsyncIterator[Progress | Picture]:
        """Submit and follow; the last item is the Picture. Raises the RenderError tree."""
        ...

    async def cancel(self, render_id: str) -> None:
        """Stop it at the next step; no error if it is unknown or finished."""
        ...

    async def put_blob(self, data: bytes) -> str:
        """Upload an input (reference picture, LoRA file); its sha256."""
        ...

    async def allow_loras(self, brand: str, sha256s: Sequence[str]) -> None:
        """Replace the brand's list of LoRAs that may serve."""
        ...

    async def models(self) -> Sequence[ModelInfo]:
        """Raises RenderUnavailable."""
        ...

    async def health(self) -> RendererHealth:
        """Raises RenderUnavailable."""
        ...


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What the numeric work on a finished picture gives."""

    evidence: Evidence
    pixel_hash: str
    fingerprint: str
    width: int
    height: int


class Studio(Protocol):
    """Numeric work on pixels, off the event loop: gates, master file, renditions."""

    async def check(
        self,
        png: bytes,
        spec: RenderSpec,
        kit: BrandKit,
        known: Sequence[tuple[str, str]],
    ) -> Checked:
        """Run the gates; `known` are (asset id, fingerprint) pairs to compare with."""
        ...

    async def make_files(
        self,
        png: bytes,
        spec: RenderSpec,
        kit: BrandKit,
        *,
        asset_id: str,
        weights: str,
        from_photo: bool,
    ) -> Sequence[LabelledFile]:
        """The master (transform "master") and every rendition that the kit publishes.

        `weights` is the model's hash; `from_photo` says that a person's picture went into it.
        """
        ...

    async def pixel_hash(self, data: bytes) -> str:
        """The pixel hash of a picture file of ours."""
        ...

    async def max_difference(self, one: bytes, other: bytes) -> int:
        """Largest difference of a channel value between two picture files, 0 to 255 (255 where
        the sizes differ)."""
        ...


class Chat(Protocol):
    """One chat platform, for outgoing messages."""

    platform: str

    async def send(self, message: Outgoing) -> MessageRef:
        """Send or update in place. Raises ChatRejected, ChatUnavailable, ChatAmbiguous."""
        ...

    async def post(self, publication: Publication, data: bytes, mime: str, alt: str) -> MessageRef:
        """Post exactly these bytes, once per publication id. Raises as `send`."""
        ...

    async def look_up(self, outgoing_id: str, target: ChannelRef) -> MessageRef | None:
        """One bounded search for a message or post of ours by its own id."""
        ...


@dataclass(frozen=True, kw_only=True)
class TimelineMessage:
    """One message of the local chat's own timeline."""

    id: str
    channel: str
    author: str
    """Display name; the product's own messages carry its name."""
    user: str
    """Local user id, empty for the product."""
    at: datetime
    text: str = ""
    card: Card | None = None
    outgoing: str = ""
    """The outgoing id it was sent under; unique."""
    blob: str = ""
    """A posted picture."""
    only_for: str = ""
    """Local user id that alone sees it (private replies), or empty."""
    reactions: tuple[tuple[str, str], ...] = ()
    """(emoji name, local user id)."""
    edited_at: datetime | None = None
    """When its card was last changed in place; `at` and its place stay."""
    version: int = 0


class Timeline(Protocol):
    """The local chat platform's memory (it plays the part of the chat server)."""

    async def add(self, message: TimelineMessage) -> TimelineMessage:
        """If `outgoing` stands there already, returns that message instead."""
        ...

    async def replace(self, message_id: str, card: Card, at: datetime) -> TimelineMessage:
        """Change a card in place. Raises NotFound."""
        ...

    async def get(self, message_id: str) -> TimelineMessage:
        """Raises NotFound."""
        ...

    async def react(self, message_id: str, emoji: str, user: str, *, on: bool) -> TimelineMessage:
        """Add or take away a reaction. Raises NotFound."""
        ...

    async def by_outgoing(self, outgoing_id: str) -> TimelineMessage | None:
        """The message sent under this id, or None."""
        ...

    async def page(
        self, channel: str, *, user: str, before: str = "", limit: int = 50
    ) -> Sequence[TimelineMessage]:
        """What `user` may see, oldest first; `before` is the first id of the later page."""
        ...


@dataclass(frozen=True, kw_only=True)
class Signal:
    """Something happened to a subject; lossy, for live pages and for waking loops."""

    topic: str
    """"job:ID", "queue", "outbox", "publications", "channel:NAME", "reviews"."""
    kind: str
    data: dict[str, Any]


class Signals(Protocol):
    """Live signals between the parts; truth is in the store, a lost signal costs only delay."""

    def publish(self, signal: Signal) -> None:
        """Never blocks and never fails."""
        ...

    def subscribe(self, *topics: str) -> AbstractAsyncContextManager[AsyncIterator[Signal]]:
        """Signals of these topics (a trailing `*` matches any rest); all of them if none."""
        ...


class Door(Protocol):
    """The one door, as the adapters see it."""

    async def dispatch(self, command: Command, actor: Actor) -> Card:
        """Do it and answer. Raises nothing that a person should not see."""
        ...
