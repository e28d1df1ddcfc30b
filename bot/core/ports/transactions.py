"""Ports to messages on their way, to the ledger, and to the transaction that holds all stores."""

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.core.ledger import Event, EventQuery, Head, Unreadable
from bot.core.lives import OutboxState
from bot.core.messages import Card, ChannelRef, MessageRef
from bot.core.ports.budgets import Budgets
from bot.core.ports.census import Census
from bot.core.ports.installs import Installs
from bot.core.ports.members import AccountLinks, Erasure, Keys, People
from bot.core.ports.pruning import Pruning
from bot.core.ports.records import (
    Assets,
    Jobs,
    Kits,
    Loras,
    Publications,
    Reviews,
    Schedules,
)
from bot.core.ports.requests import Requests
from bot.core.ports.sent_files import SentFiles
from bot.core.ports.uploads import Uploads


@dataclass(frozen=True, kw_only=True)
class Outgoing:
    """One outgoing message. Its id is the platform's idempotency key."""

    id: str
    target: ChannelRef
    card: Card
    created_at: datetime
    only_for: str = ""
    """The platform's id of the one person who may see it in `target`; empty: everybody there."""
    reply_to: str = ""
    """The platform's own handle on what this answers, by which only its person sees the answer
    (Discord: an interaction's token, which lives for 15 minutes). With `only_for` alone."""
    update: MessageRef | None = None
    """The message to change in place; filled from the last sent one of the same subject."""
    state: OutboxState = OutboxState.PENDING
    not_before: datetime | None = None
    """Not sent before; of an ambiguous one: when its last attempt was over at the latest."""
    attempts: int = 0
    sent: MessageRef | None = None
    check_at: datetime | None = None
    """When it is looked at whether it stands there, and once: set where an attempt's end is not
    certain."""
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

    async def get(self, message_id: str) -> Outgoing:
        """Raises NotFound."""
        ...

    async def claim(
        self,
        worker: str,
        *,
        now: datetime,
        lease: timedelta,
        platforms: Collection[str] | None = None,
    ) -> Outgoing | None:
        """The oldest due one, on one of these platforms if they are named: `sending`, `update`
        filled in; one per subject and place at a time; or None."""
        ...

    async def update(self, new: Outgoing, *, was: Outgoing) -> Outgoing:
        """Compare-and-set. Raises StaleState."""
        ...

    async def expired(self, now: datetime) -> Sequence[Outgoing]:
        """`sending` ones whose lease ran out."""
        ...

    async def doubtful(self, now: datetime) -> Sequence[Outgoing]:
        """Those neither pending nor sending whose `check_at` has come, earliest first."""
        ...

    async def message_of(self, subject: str, target: ChannelRef) -> MessageRef | None:
        """Where the last sent card of this subject stands in that channel, or None."""
        ...

    async def newest(self, subject: str, target: ChannelRef) -> str:
        """The id of the last card of this subject for that channel, sent or not; empty: none."""
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

    async def find(self, query: EventQuery) -> Sequence[Event]:
        """Newest first. Raises NotFound if `before` is no event."""
        ...

    async def lead(self) -> bool:
        """Whether this transaction may chain: False if another one does at this moment."""
        ...

    async def unchained(self, limit: int) -> Sequence[Event]:
        """Events that wait to be chained, in the order of their insertion."""
        ...

    async def waiting(self) -> int:
        """How many events wait to be chained."""
        ...

    async def head(self) -> Head:
        """The last line of the chain."""
        ...

    async def chain(self, events: Sequence[Event]) -> None:
        """Give these waiting events their `seq`, `previous` and `hash`: they continue the head.
        Raises StaleState if the head has moved on or one of them is chained already."""
        ...

    async def page(
        self, after: int | None = None, limit: int = 500
    ) -> Sequence[Event | Unreadable]:
        """Chained lines by `seq`, from the first (which may not be 1 if someone changed it) or
        from the one after `after`. What is stored is told as it is, even where it is damaged."""
        ...

    async def forget(self, person: str) -> int:
        """Delete the personal texts and salts of events whose actor or subject is this person;
        how many. The commitments stay, so the chain still verifies. The caller appends an event
        with the action ERASED: a text that is gone without one counts as tampered with."""
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
    budgets: Budgets
    links: AccountLinks
    outbox: Outbox
    ledger: Ledger
    deliveries: Deliveries
    requests: Requests
    erasure: Erasure
    census: Census
    pruning: Pruning
    uploads: Uploads
    installs: Installs
    sent_files: SentFiles


class Store(Protocol):
    """The records of the house."""

    def write(self) -> AbstractAsyncContextManager[Transaction]:
        """A transaction that commits at the end of the block and rolls back on an exception.
        No network call belongs inside."""
        ...

    def read(self) -> AbstractAsyncContextManager[Transaction]:
        """A transaction that only reads."""
        ...

    async def compact(self) -> bool:
        """Overwrite on the disk what was deleted or changed. False where another process was in
        the way: try again later. The database stays usable; writers wait."""
        ...

    async def is_current(self) -> bool:
        """Whether the tables are those of this version."""
        ...

    async def close(self) -> None:
        """Release connections."""
        ...
