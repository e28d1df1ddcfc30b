"""Ledger events: who did what to which thing, and what it cost.

An event is appended in the transaction of the change it tells of. A sequencer chains the
events later: it assigns `seq` and `previous` in commit order and hashes `body()`. Personal
text never stands in the body: only a salted commitment does, and the text with its salt is
kept beside it, so that a person can be erased while the chain still verifies.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from bot.core.ids import new_id
from brand.spec import canonical_json, sha256_hex

LEDGER_VERSION = 1
SUBJECTS = (
    "job",
    "asset",
    "review",
    "publication",
    "person",
    "kit",
    "lora",
    "schedule",
    "slot",
    "budget",
    "ledger",
)
"""Kinds of things that events are about."""
SUBJECT_CHAIN = "ledger:chain"
"""The subject of events about the ledger itself."""
ERASED = "person.erased"
"""The event that explains why a person's texts are gone; its subject is "person:ID"."""


@dataclass(frozen=True, kw_only=True)
class Personal:
    """A personal text and its salt (32 hexadecimal characters)."""

    value: str
    salt: str = field(default_factory=lambda: secrets.token_hex(16))

    @property
    def commitment(self) -> str:
        """SHA-256 of salt, a colon and the text in UTF-8."""
        return sha256_hex(f"{self.salt}:{self.value}".encode())


@dataclass(frozen=True, kw_only=True)
class Event:
    """One line of the ledger. `action` is noun.verb in the past: `job.queued`, `review.voted`."""

    action: str
    subject: str
    """"kind:id" of the thing."""
    at: datetime
    actor: str = ""
    """Person id, or `system`; empty for someone unknown."""
    brand: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Plain JSON values that are not personal."""
    personal: Mapping[str, Personal] = field(default_factory=dict)
    """Prompts, names, reasons: committed to, not contained. Erasing takes them out."""
    commitments: Mapping[str, str] = field(default_factory=dict)
    """What the chain hashes of the personal texts; stays when they are erased. What is given
    here (by a store) wins over what would follow from `personal`, so a text that was changed
    later shows."""
    id: str = field(default_factory=new_id)
    seq: int | None = None
    previous: str = ""
    hash: str = ""

    def __post_init__(self) -> None:
        fresh = {name: text.commitment for name, text in self.personal.items()}
        object.__setattr__(self, "commitments", {**fresh, **self.commitments})

    def body(self) -> bytes:
        """The canonical bytes that the chain hashes (with `seq` and `previous` set)."""
        return canonical_json(
            {
                "v": LEDGER_VERSION,
                "id": self.id,
                "seq": self.seq,
                "previous": self.previous,
                "at": self.at.astimezone(UTC).isoformat(timespec="microseconds"),
                "actor": self.actor,
                "brand": self.brand,
                "action": self.action,
                "subject": self.subject,
                "facts": dict(self.facts),
                "commitments": dict(self.commitments),
            }
        )

    def linked(self, before: "Head") -> "Event":
        """The event as the next line of the chain after `before`."""
        line = replace(self, seq=before.seq + 1, previous=before.hash, hash="")
        return replace(line, hash=sha256_hex(line.body()))

    @property
    def head(self) -> "Head":
        """The chain's head where this event is its last line."""
        return Head(seq=self.seq or 0, hash=self.hash)


@dataclass(frozen=True, kw_only=True)
class Head:
    """The last line of the chain; an empty chain has number 0 and no hash."""

    seq: int = 0
    hash: str = ""


@dataclass(frozen=True, kw_only=True)
class Unreadable:
    """A stored line that is no event any more; only a change from outside makes one."""

    seq: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class EventQuery:
    """Which events are wanted; empty fields match all."""

    subjects: tuple[str, ...] = ()
    """Any of these."""
    person: str = ""
    """Who did it, or whom it was done to."""
    brand: str = ""
    action: str = ""
    """A whole action (`review.voted`) or a noun alone (`review`)."""
    since: datetime | None = None
    before: str = ""
    """The last event id of the page before."""
    limit: int = 100
