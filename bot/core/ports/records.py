"""Ports to the records: one small store for each kind of thing, all of them in one transaction.

Every store method works inside a transaction (`Store.write` or `Store.read`): what is done in
one `write` block is committed together or not at all. `update` is a compare-and-set: it stores
`new` only if the stored row still has `was.version`, `was.state` and (where there is one)
`was.fence`, and only along the transition table of `lives.py`; it returns the stored value with
`version` grown by one, and raises StaleState otherwise.
"""

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from bot.core.assets import Asset, AssetQuery, Rendition
from bot.core.jobs import Job, Pace, QueuePlace
from bot.core.publications import Publication
from bot.core.reviews import Review
from bot.core.slots import Schedule, Slot
from brand.kit import BrandKit
from brand.loras import LoraVersion


class Jobs(Protocol):
    """Jobs and who works on them."""

    async def add(self, job: Job) -> None:
        """Store a new job. Raises Conflict if the id exists."""
        ...

    async def get(self, job_id: str) -> Job:
        """Raises NotFound."""
        ...

    async def hold(self, job_id: str) -> Job:
        """The job as it is now; until this writing transaction ends no other one changes it.
        Raises NotFound."""
        ...

    async def claim(
        self,
        worker: str,
        *,
        now: datetime,
        lease: timedelta,
        least: int | None = None,
        besides: Collection[str] = (),
    ) -> Job | None:
        """Take the next queued job that no budget holds and that is not paused: highest priority,
        then smallest turn, then oldest; with `least`, of at least this priority; of nobody in
        `besides`. It is `rendering` then, with a grown fence, one more start and a lease. None if
        nothing waits. Two workers never get the same job."""
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

    async def running(self) -> Sequence[Job]:
        """Those that a worker has in hand: rendering or checking."""
        ...

    async def unfinished(self, *, brand: str = "", requester: str = "") -> Sequence[Job]:
        """Jobs that have not ended: running first, then in the order they will be claimed, then
        those that a budget holds."""
        ...

    async def open_count(self, brand: str, *, requester: str = "", place: str = "") -> int:
        """How many jobs of this brand have not ended, of this person or asked in this place; those
        of the calendar are left out."""
        ...

    async def take_turn(self, requester: str, *, priority: int, pictures: int) -> int:
        """The turn of this person's next job of so many pictures; see `bot.core.fairness`.
        Every call moves the person's next turn on."""
        ...

    async def holds(self) -> Sequence[str]:
        """The names of the accounts that hold queued jobs."""
        ...

    async def paused_before(self, when: datetime, *, limit: int) -> Sequence[Job]:
        """Jobs that have not ended and have been paused since then or longer."""
        ...

    async def held(self, hold: str, *, after: Job | None = None, limit: int = 100) -> Sequence[Job]:
        """Queued jobs that this account holds, by priority, then oldest first; `after` is the
        last job of the previous page as it stood there."""
        ...

    async def recent(
        self, *, brand: str = "", requester: str = "", before: str = "", limit: int = 50
    ) -> Sequence[Job]:
        """Newest first; `before` is the last id of the previous page."""
        ...

    async def pace(self, brand: str, *, of: int) -> Pace:
        """What those of the brand's newest `of` jobs took that are done and were rendered."""
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
        """The newest asset of this brand with exactly this recipe that was neither erased nor
        withdrawn, or None."""
        ...

    async def of_spec(self, brand: str, spec_hash: str) -> Sequence[str]:
        """The ids of all assets of this brand with exactly this recipe."""
        ...

    async def with_file(self, sha256: str) -> Sequence[Asset]:
        """Those whose master or a rendition is this file, newest first."""
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

    async def count_open(self, brand: str) -> int:
        """How many of a brand wait for a decision."""
        ...

    async def overdue(self, now: datetime) -> Sequence[Review]:
        """Open ones whose deadline has passed."""
        ...


class Publications(Protocol):
    """Posts to be made and made."""

    async def add(self, publication: Publication) -> None:
        """Raises Conflict: one publication per review, channel and slot."""
        ...

    async def get(self, publication_id: str) -> Publication:
        """Raises NotFound."""
        ...

    async def claim(
        self,
        worker: str,
        *,
        now: datetime,
        lease: timedelta,
        platforms: Collection[str] | None = None,
    ) -> Publication | None:
        """Take a due pending one, on one of these platforms if they are named: `sending`, with a
        grown fence and a lease; or None."""
        ...

    async def update(self, new: Publication, *, was: Publication) -> Publication:
        """Compare-and-set. Raises StaleState."""
        ...

    async def expired(self, now: datetime) -> Sequence[Publication]:
        """`sending` ones whose lease ran out."""
        ...

    async def doubtful(self, now: datetime) -> Sequence[Publication]:
        """Those neither pending nor sending whose `check_at` has come, earliest first."""
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

    async def open_slots(self, *, until: datetime) -> Sequence[Slot]:
        """Those that have not ended and are due before `until`, by due time."""
        ...

    async def slots_of(self, schedule_id: str, *, since: date) -> Sequence[Slot]:
        """Those of a schedule whose local date is `since` or later, by that date."""
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
