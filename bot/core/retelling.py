"""Bring one standing card up to date, where a click took its buttons away and came to nothing."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from bot.core.errors import NotFound
from bot.core.house import House
from bot.core.lives import PublicationState
from bot.core.messages import Audience, Card, ChannelRef
from bot.core.places import settled
from bot.core.policy import audience_of
from bot.core.ports import Signal, Transaction
from bot.core.receipts import settled_card
from bot.core.repairing import question_card
from bot.core.telling import MOVED, WHY_MOVED, current_job_card, current_review_card, say
from brand.kit import BrandKit


async def retell(house: House, subject: str, to: ChannelRef) -> bool:
    """Queue the current card of a job, review or publication for one place. A card that stands
    where drafts may not stand any more is left with what became of it, and nothing else. False
    where there is no such thing, or its drafts may not stand there and none does."""
    async with house.store.write() as tx:
        told = await retold(tx, subject, to, house.clock.now())
    if told:
        house.signals.publish(Signal(topic="outbox", kind="added", data={}))
    return told


async def retold(tx: Transaction, subject: str, to: ChannelRef, now: datetime) -> bool:
    """`retell` within a transaction."""
    kind, _, key = subject.partition(":")
    current = _CURRENT.get(kind)
    if current is None:
        return False
    try:
        card, kit = await current(tx, key)
    except NotFound:
        return False
    if audience_of(kit, settled(kit.channels, to)) is Audience.PUBLIC:
        if await tx.outbox.message_of(subject, to) is None:
            return False
        card = _bare(card)
    await say(tx, card, to, now)
    return True


async def newest_card(house: House, subject: str, place: ChannelRef) -> str:
    """An id that changes when a card of this subject is queued for that place."""
    async with house.store.read() as tx:
        return await tx.outbox.newest(subject, place)


def _bare(card: Card) -> Card:
    """What was decided, without the picture and its words."""
    return Card(kind="reply", subject=card.subject, title=card.stamp or MOVED, lines=(WHY_MOVED,))


async def _job(tx: Transaction, key: str) -> tuple[Card, BrandKit]:
    job = await tx.jobs.get(key)
    kit = await tx.kits.current(job.brand)
    return await current_job_card(tx, job, kit), kit


async def _review(tx: Transaction, key: str) -> tuple[Card, BrandKit]:
    review = await tx.reviews.get(key)
    kit = await tx.kits.current(review.brand)
    asset = await tx.assets.get(review.asset)
    return await current_review_card(tx, review, asset, kit), kit


async def _publication(tx: Transaction, key: str) -> tuple[Card, BrandKit]:
    """The question whether it arrived, or what became of it."""
    publication = await tx.publications.get(key)
    kit = await tx.kits.current(publication.brand)
    if publication.state is PublicationState.AMBIGUOUS:
        return question_card(publication, kit), kit
    return settled_card(publication, kit), kit


_CURRENT: dict[str, Callable[[Transaction, str], Awaitable[tuple[Card, BrandKit]]]] = {
    "job": _job,
    "review": _review,
    "publication": _publication,
}
