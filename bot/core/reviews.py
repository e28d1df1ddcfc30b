"""Review: an open question about exact pixels and files; votes; the decision."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.core.lives import ReviewState
from bot.core.messages import ChannelRef

MAX_REASON = 1000
"""Characters of why somebody rejects a picture, or wants it changed."""


class Answer(StrEnum):
    """One person's answer."""

    APPROVE = "approve"
    REJECT = "reject"
    CHANGE = "change"


@dataclass(frozen=True, kw_only=True)
class Vote:
    """One person's answer, given once per review."""

    person: str
    name: str
    answer: Answer
    at: datetime
    reason: str = ""
    platform: str = ""
    own_request: bool = False
    """The voter is the requester: allowed in the demo alone, and always marked."""


@dataclass(frozen=True, kw_only=True)
class Review:
    """An open question: an asset with its listed renditions. The decision binds exactly these."""

    id: str
    asset: str
    brand: str
    requester: str
    pixel_hash: str
    rendition_hashes: tuple[str, ...]
    target: ChannelRef | None
    """Where the picture goes once approved; None approves for the archive only."""
    opened_at: datetime
    deadline: datetime
    quorum: int = 1
    caption: str = ""
    state: ReviewState = ReviewState.OPEN
    votes: tuple[Vote, ...] = ()
    outcome: Answer | None = None
    decided_at: datetime | None = None
    version: int = 0

    @property
    def is_waiting(self) -> bool:
        """Whether it still waits for votes."""
        return self.state in (ReviewState.OPEN, ReviewState.ESCALATED)
