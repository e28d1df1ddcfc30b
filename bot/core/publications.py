"""Publication: one post of one approved rendition to one channel, with its receipt."""

from dataclasses import dataclass
from datetime import datetime

from bot.core.lives import PublicationState
from bot.core.messages import ChannelRef, MessageRef


@dataclass(frozen=True, kw_only=True)
class Publication:
    """One post. Its id is the platform's idempotency key."""

    id: str
    asset: str
    review: str
    brand: str
    rendition: str
    """Rendition id."""
    file_hash: str
    """What is sent must hash to this."""
    pixel_hash: str
    target: ChannelRef
    caption: str
    requested_by: str
    due_at: datetime
    created_at: datetime
    slot: str = ""
    """The calendar's slot that it fills, or empty."""
    state: PublicationState = PublicationState.PENDING
    attempts: int = 0
    receipt: MessageRef | None = None
    sent_at: datetime | None = None
    tried_at: datetime | None = None
    """When the first attempt began: no copy in the channel is older."""
    check_at: datetime | None = None
    """When its copies in the channel are looked at. Set before every attempt, so that a crash in
    the middle is followed up; an attempt whose end is certain takes it away again."""
    error: str = ""
    fence: int = 0
    worker: str = ""
    lease_until: datetime | None = None
    version: int = 0
