"""The lives of all things: one table of allowed transitions each, used by every store.

A store changes a state only by compare-and-set against these tables (`check_step`).
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from bot.core.errors import StaleState


class JobState(StrEnum):
    """The life of a job."""

    QUEUED = "queued"
    RENDERING = "rendering"
    CHECKING = "checking"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class AssetState(StrEnum):
    """The life of an asset. Changed pixels are a new asset with `parent`."""

    CANDIDATE = "candidate"
    DISCARDED = "discarded"
    IN_REVIEW = "in_review"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class ReviewState(StrEnum):
    """The life of a review."""

    OPEN = "open"
    ESCALATED = "escalated"
    DECIDED = "decided"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class PublicationState(StrEnum):
    """The life of a publication; `ambiguous` is settled by a look-up or a person."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    AMBIGUOUS = "ambiguous"
    FAILED = "failed"
    DELETED = "deleted"


class SlotState(StrEnum):
    """The life of one due entry of a schedule."""

    PLANNED = "planned"
    RENDERING = "rendering"
    IN_REVIEW = "in_review"
    READY = "ready"
    POSTED = "posted"
    MISSED = "missed"
    SKIPPED = "skipped"
    FALLBACK_POSTED = "fallback_posted"


class ScheduleState(StrEnum):
    """The life of a schedule."""

    ACTIVE = "active"
    PAUSED = "paused"
    ENDED = "ended"


class OutboxState(StrEnum):
    """The life of an outgoing message."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    AMBIGUOUS = "ambiguous"
    FAILED = "failed"
    SUPERSEDED = "superseded"


class LinkState(StrEnum):
    """The life of a code that joins two accounts: given, typed in the other one, answered."""

    OPEN = "open"
    CLAIMED = "claimed"
    JOINED = "joined"
    REFUSED = "refused"


S = TypeVar("S", bound=StrEnum)
Steps = Mapping[S, frozenset[S]]

_J, _A, _R, _P, _S, _O = (
    JobState,
    AssetState,
    ReviewState,
    PublicationState,
    SlotState,
    OutboxState,
)

JOB_STEPS: Steps[JobState] = {
    _J.QUEUED: frozenset({_J.RENDERING, _J.CANCELLED, _J.FAILED}),
    _J.RENDERING: frozenset({_J.CHECKING, _J.QUEUED, _J.FAILED, _J.CANCELLED}),
    _J.CHECKING: frozenset({_J.DONE, _J.QUEUED, _J.FAILED, _J.CANCELLED}),
    _J.DONE: frozenset(),
    _J.FAILED: frozenset(),
    _J.CANCELLED: frozenset(),
}
ASSET_STEPS: Steps[AssetState] = {
    _A.CANDIDATE: frozenset({_A.DISCARDED, _A.IN_REVIEW, _A.WITHDRAWN}),
    _A.IN_REVIEW: frozenset({_A.APPROVED, _A.REJECTED, _A.EXPIRED, _A.WITHDRAWN}),
    _A.APPROVED: frozenset({_A.WITHDRAWN}),
    _A.REJECTED: frozenset(),
    _A.EXPIRED: frozenset(),
    _A.DISCARDED: frozenset(),
    _A.WITHDRAWN: frozenset(),
}
REVIEW_STEPS: Steps[ReviewState] = {
    _R.OPEN: frozenset({_R.ESCALATED, _R.DECIDED, _R.EXPIRED, _R.WITHDRAWN}),
    _R.ESCALATED: frozenset({_R.DECIDED, _R.EXPIRED, _R.WITHDRAWN}),
    _R.DECIDED: frozenset(),
    _R.EXPIRED: frozenset(),
    _R.WITHDRAWN: frozenset(),
}
PUBLICATION_STEPS: Steps[PublicationState] = {
    _P.PENDING: frozenset({_P.SENDING, _P.FAILED}),
    _P.SENDING: frozenset({_P.SENT, _P.AMBIGUOUS, _P.FAILED, _P.PENDING}),
    _P.AMBIGUOUS: frozenset({_P.SENT, _P.SENDING, _P.FAILED}),
    _P.SENT: frozenset({_P.DELETED}),
    _P.FAILED: frozenset({_P.PENDING}),
    _P.DELETED: frozenset(),
}
SLOT_STEPS: Steps[SlotState] = {
    _S.PLANNED: frozenset({_S.RENDERING, _S.SKIPPED, _S.MISSED, _S.FALLBACK_POSTED}),
    _S.RENDERING: frozenset({_S.IN_REVIEW, _S.SKIPPED, _S.MISSED, _S.FALLBACK_POSTED}),
    _S.IN_REVIEW: frozenset({_S.READY, _S.RENDERING, _S.SKIPPED, _S.MISSED, _S.FALLBACK_POSTED}),
    # Back to rendering: its approved picture was withdrawn, or a person wants another one.
    _S.READY: frozenset({_S.POSTED, _S.MISSED, _S.SKIPPED, _S.FALLBACK_POSTED, _S.RENDERING}),
    _S.POSTED: frozenset(),
    _S.MISSED: frozenset(),
    # Skipping is undone, not confirmed: until its time has come, a slot can be restored.
    _S.SKIPPED: frozenset({_S.PLANNED}),
    _S.FALLBACK_POSTED: frozenset(),
}
SCHEDULE_STEPS: Steps[ScheduleState] = {
    ScheduleState.ACTIVE: frozenset({ScheduleState.PAUSED, ScheduleState.ENDED}),
    ScheduleState.PAUSED: frozenset({ScheduleState.ACTIVE, ScheduleState.ENDED}),
    ScheduleState.ENDED: frozenset(),
}
OUTBOX_STEPS: Steps[OutboxState] = {
    _O.PENDING: frozenset({_O.SENDING, _O.SUPERSEDED, _O.FAILED}),
    _O.SENDING: frozenset({_O.SENT, _O.AMBIGUOUS, _O.FAILED, _O.PENDING}),
    _O.AMBIGUOUS: frozenset({_O.SENT, _O.SENDING, _O.FAILED}),
    _O.SENT: frozenset(),
    _O.FAILED: frozenset(),
    _O.SUPERSEDED: frozenset(),
}
LINK_STEPS: Steps[LinkState] = {
    LinkState.OPEN: frozenset({LinkState.CLAIMED, LinkState.REFUSED}),
    LinkState.CLAIMED: frozenset({LinkState.JOINED, LinkState.REFUSED}),
    LinkState.JOINED: frozenset(),
    LinkState.REFUSED: frozenset(),
}


def check_step(steps: Steps[S], was: S, to: S) -> None:
    """Allow a step of a table, and staying in place (other fields change). Raises StaleState."""
    if to != was and to not in steps[was]:
        raise StaleState(
            f"It is {was.value.replace('_', ' ')} already; it can't become {to.value}."
        )
