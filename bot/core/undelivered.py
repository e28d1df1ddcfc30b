"""A card that a channel refuses: its people hear why on their direct lines, and see it there."""

from dataclasses import replace
from datetime import datetime

from bot.core.cards import reply_card
from bot.core.errors import ChatError, NotFound
from bot.core.messages import Card
from bot.core.ports import Outgoing, Transaction
from bot.core.retelling import retold
from bot.core.telling import line_to, say

INSTEAD = "I go on here instead."


async def tell_instead(tx: Transaction, refused: Outgoing, why: ChatError, now: datetime) -> None:
    """Queue what the card is about for the direct line of who asked for it, with the reason, and
    a review also for its approvers, who would see it nowhere. The reason is said once per thing
    and place; the card follows there each time it would have changed in the channel."""
    target, subject = refused.target, refused.card.subject
    if not subject or refused.only_for or target.channel.startswith("@"):
        return
    asker, others = await _concerned(tx, subject)
    for person in (asker, *others):
        line = await line_to(tx, person, target.platform) if person else None
        if line is None or not await retold(tx, subject, line, now):
            continue
        about = f"refused:{subject}@{target}/{target.thread}"
        if person == asker and await tx.outbox.message_of(about, line) is None:
            await say(tx, _reason(why, about), line, now)


def _reason(why: ChatError, about: str) -> Card:
    card = reply_card(why.title, why.message, INSTEAD, fix=why.fix)
    return replace(card, subject=about)


async def _concerned(tx: Transaction, subject: str) -> tuple[str, list[str]]:
    """Who asked for it, and who else has to see it; ids of people."""
    kind, _, key = subject.partition(":")
    try:
        if kind == "job":
            return (await tx.jobs.get(key)).requester, []
        if kind == "publication":
            return (await tx.publications.get(key)).requested_by, []
        if kind == "review":
            review = await tx.reviews.get(key)
            policy = (await tx.kits.current(review.brand)).review
            people = [p for p in await tx.people.all() if p.id != review.requester]
            may = [p for p in people if policy.allows_approval(p.id, p.roles_in(review.brand))]
            return review.requester, [person.id for person in may]
    except NotFound:
        return "", []  # it was erased meanwhile
    return "", []
