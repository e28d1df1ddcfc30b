"""Compare-and-set, the part that all stores share: what may follow what, and how it is refused."""

from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from bot.core.errors import Conflict, LeaseLost, NotFound, StaleState
from bot.core.jobs import Job
from bot.core.lives import (
    AssetState,
    JobState,
    OutboxState,
    PublicationState,
    ReviewState,
    SlotState,
    Steps,
    check_step,
)
from bot.core.messages import ChannelRef
from bot.core.people import Person
from bot.core.ports import Install, Outgoing
from bot.core.ports.installs import ids_of
from bot.core.reviews import Review
from brand.loras import LORA_STEPS, LoraVersion

V = TypeVar("V")

LEASED = (JobState.RENDERING, JobState.CHECKING)
"""States in which a worker holds a job by a lease."""
COMPARED = (AssetState.APPROVED, AssetState.IN_REVIEW)
"""States of the assets that a new picture must not look like."""
ON_THEIR_WAY = (PublicationState.PENDING, PublicationState.SENDING)
"""States of a publication that a publisher has still to end."""
WAITING = (OutboxState.PENDING, OutboxState.SENDING)
"""States of a message that a sender has still to end."""
IN_HAND = (OutboxState.SENDING, OutboxState.AMBIGUOUS)
"""States in which a message may come to stand any moment, so that no other of its subject and
place is sent beside it: there would be two cards of one thing."""
OPEN_REVIEWS = (ReviewState.OPEN, ReviewState.ESCALATED)
"""States in which a review still waits for votes."""
OPEN_SLOTS = (SlotState.PLANNED, SlotState.RENDERING, SlotState.IN_REVIEW, SlotState.READY)
"""States of slots that may still be posted."""


FINISHED = (OutboxState.SENT, OutboxState.FAILED, OutboxState.SUPERSEDED)
"""States of outgoing messages that nothing follows."""


def check_move(new: Any, was: Any, steps: Steps[Any] | None) -> None:  # noqa: ANN401
    """Refuse another thing's id and a step that the table lacks. Raises StaleState, ValueError."""
    if new.id != was.id:
        raise ValueError(f"An update may not change the id {was.id!r} to {new.id!r}.")
    if steps is not None:
        check_step(steps, was.state, new.state)


def check_workspace(new: Install, was: Install) -> None:
    """Raises ValueError where an update names another workspace than was read."""
    if (new.platform, new.enterprise, new.team) != (was.platform, was.enterprise, was.team):
        raise ValueError(f"An update may not change the workspace {was.key!r} to {new.key!r}.")


def was_installed_by(person: Person, install: Install) -> bool:
    """Whether this person has put the app into this workspace, or into its whole enterprise."""
    return any(
        (one.platform, one.user) == (install.platform, install.installed_by)
        and (one.team == install.key or (bool(install.enterprise) and _is_of(one.team, install)))
        for one in person.identities
    )


def _is_of(key: str, install: Install) -> bool:
    """Whether a workspace belongs to the enterprise: user ids are the enterprise's there."""
    return ids_of(key)[0] == install.enterprise


def check_same(stored: object, was: object) -> None:
    """Raises StaleState unless version, state and fence are those that the caller has read."""
    for name in ("version", "state", "fence"):
        if getattr(stored, name, None) != getattr(was, name, None):
            raise stale(stored)


def stale(stored: object) -> StaleState:
    """The error for a thing that changed since it was read, saying what it is now."""
    state = getattr(stored, "state", None) or getattr(stored, "status", None)
    now = f" It is {state.value.replace('_', ' ')} now." if state is not None else ""
    return StaleState(f"It was changed meanwhile.{now}", fix="Look at it again, then decide.")


def grown(new: V, was: Any) -> V:  # noqa: ANN401
    """The value as it is stored: one version further than the one it replaces."""
    return replace(new, version=was.version + 1)  # type: ignore[type-var]


def missing(kind: str, key: str) -> NotFound:
    """The error for a thing that is not there."""
    return NotFound(f"There is no {kind} {key!r}.", fix="Check the id; `find` lists what is there.")


def taken(kind: str, key: str) -> Conflict:
    """The error for adding what is there already."""
    return Conflict(f"The {kind} {key!r} is there already.")


def review_open() -> Conflict:
    """The error for a second open review of an asset."""
    return Conflict(
        "This picture has an open review already.", fix="Vote there, or wait for its decision."
    )


def posted(target: ChannelRef) -> Conflict:
    """The error for a second publication of a review in a channel."""
    return Conflict(f"This picture has a post for {target} already.", fix="See its record.")


def account_taken(person: Person) -> Conflict:
    """The error for a person whose id or one of whose accounts is known already."""
    return Conflict(
        f"{person.name} or one of these accounts is known already.",
        fix="Link the account to the member whose it is.",
    )


def lease_lost(job: Job) -> LeaseLost:
    """The error for a worker whose job is no longer its own."""
    return LeaseLost(f"Job {job.id} is no longer this worker's: its lease has passed on.")


def chained(event: str) -> StaleState:
    """The error for chaining an event a second time."""
    return StaleState(f"The event {event} is chained already.")


def head_moved() -> StaleState:
    """The error for continuing a chain that another has continued meanwhile."""
    return StaleState("The ledger's chain has grown meanwhile; read its head again.")


def check_votes(review: Review) -> None:
    """One person, one vote. Raises Conflict."""
    people = [vote.person for vote in review.votes]
    if len(set(people)) != len(people):
        raise Conflict("This person has voted on it already.")


def check_lora_move(new: LoraVersion, was: LoraVersion) -> None:
    """Refuse other weights under the same entry and a step that the table lacks."""
    if (new.brand, new.id, new.sha256) != (was.brand, was.id, was.sha256):
        raise ValueError(f"An update may not turn {was.id} into another LoRA.")
    check_step(LORA_STEPS, was.status, new.status)


def due(message: Outgoing) -> datetime:
    """From when on an outgoing message may be sent."""
    return message.not_before or message.created_at


def superseded(message: Outgoing) -> Outgoing:
    """The message that a later one about the same thing makes needless."""
    return replace(message, state=OutboxState.SUPERSEDED)


def place_of(target: ChannelRef) -> tuple[str, str, str]:
    """What makes two targets the same place. A shared Slack channel has one id in all teams, but
    a user's id means somebody else in each: a direct line is `@USER/TEAM` where a team is told."""
    apart = target.team and target.channel.startswith("@")
    channel = f"{target.channel}/{target.team}" if apart else target.channel
    return target.platform, channel, target.thread
