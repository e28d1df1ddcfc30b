"""Timeline messages as pages show them: the stored card, brought up to date where it moves."""

from dataclasses import dataclass

from bot.core.cards import PAUSED
from bot.core.errors import NotFound
from bot.core.house import House
from bot.core.lives import JobState
from bot.core.messages import Audience, Card
from bot.core.ports import TimelineMessage, Transaction
from bot.core.progressing import with_progress
from bot.core.telling import MOVED, WHY_MOVED, current_job_card
from bot.web.visitor import Visitor

MOVING = frozenset(
    {JobState.QUEUED.value, JobState.RENDERING.value, JobState.CHECKING.value, PAUSED}
)
REACTIONS = (("white_check_mark", "✅", "Approve"), ("x", "❌", "Reject"))


DRAFTED = frozenset({"job", "review"})
"""Kinds of cards that stand where drafts may; a channel may have become public since."""


@dataclass(frozen=True, kw_only=True)
class Reaction:
    """One kind of reaction on a message: how many gave it, and whether the visitor did."""

    emoji: str
    label: str
    count: int
    mine: bool


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A message ready for its template."""

    message: TimelineMessage
    card: Card | None
    job: str = ""
    """The job that the card is about."""
    preview: str = ""
    """Version of the newest preview; empty while there is none."""
    reactions: tuple[Reaction, ...] = ()
    mine: bool = False


async def shown(
    tx: Transaction,
    message: TimelineMessage,
    house: House,
    visitor: Visitor,
    *,
    audience: Audience,
) -> Shown:
    """The message as this visitor sees it now, in a channel that has this audience now."""
    card = message.card
    if card is not None and card.kind in DRAFTED and audience is Audience.PUBLIC:
        card = Card(kind="reply", title=MOVED, lines=(WHY_MOVED,))
    job = card.subject.removeprefix("job:") if card and card.kind == "job" else ""
    preview = ""
    if card is not None and job and card.state in MOVING:
        card = await _current(tx, card, job)
        if card.state in MOVING:
            live = house.live.get(job)
            if live is not None:
                card, preview = with_progress(card, live), preview_version(live.preview)
    return Shown(
        message=message,
        card=card,
        job=job,
        preview=preview,
        reactions=_reactions(message, visitor.user),
        mine=bool(message.user) and message.user == visitor.user,
    )


def preview_version(preview: bytes) -> str:
    """A short name of these bytes, so that a new preview has a new address; empty for none."""
    return f"{len(preview):x}{hash(preview) & 0xFFFFFF:06x}" if preview else ""


async def _current(tx: Transaction, card: Card, job_id: str) -> Card:
    """A card that was stored while the job ran, as things stand: the outbox may be behind."""
    try:
        job = await tx.jobs.get(job_id)
        return await current_job_card(tx, job, await tx.kits.get(job.kit_hash))
    except NotFound:
        return card


def _reactions(message: TimelineMessage, user: str) -> tuple[Reaction, ...]:
    """Those given; on an open review both, so that one tap is enough."""
    is_open = message.card is not None and message.card.kind == "review" and message.card.buttons
    out = []
    for emoji, _, label in REACTIONS:
        given = [who for name, who in message.reactions if name == emoji]
        if given or is_open:
            out.append(Reaction(emoji=emoji, label=label, count=len(given), mine=user in given))
    return tuple(out)
