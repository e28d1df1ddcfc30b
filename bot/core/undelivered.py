"""A card that a channel refuses: its people hear why on their direct lines, and see it there.

Where it is a person's own line that takes nothing, the channel they asked in has one line for them
that gives nothing away.
"""

from dataclasses import replace
from datetime import datetime

from bot.core.cards import reply_card
from bot.core.errors import ChatError, NotFound
from bot.core.messages import Card, ChannelRef
from bot.core.planning_telling import WEEK, managers
from bot.core.ports import Outgoing, Transaction
from bot.core.retelling import retold
from bot.core.telling import line_to, name_of, say

INSTEAD = "I go on here instead."


async def tell_instead(
    tx: Transaction, refused: Outgoing, why: ChatError, now: datetime, *, portal: str = ""
) -> None:
    """Queue what the card is about for the direct line of who asked for it, with the reason, and
    a review also for its approvers, who would see it nowhere; a week's digest, for which nobody
    asked, for the brand's managers. The reason is said once per thing and place; the card follows
    there each time it would have changed in the channel."""
    target, subject = refused.target, refused.card.subject
    if not subject or refused.only_for:
        return
    if target.channel.startswith("@"):
        await _say_where(tx, refused, why, now, portal)
        return
    about = f"refused:{subject}@{target}/{target.thread}"
    for person, hears_why in await _concerned(tx, subject):
        line = await line_to(tx, person, target.platform, target.team)
        if line is None or not await _told(tx, refused.card, line, now):
            continue
        if hears_why and await tx.outbox.message_of(about, line) is None:
            await say(tx, _reason(why, about), line, now)


async def _say_where(
    tx: Transaction, refused: Outgoing, why: ChatError, now: datetime, portal: str
) -> None:
    """Once for each job, in the channel where it was asked for: drafts may not be shown there, but
    whoever waits for one must hear where it is."""
    kind, _, key = refused.card.subject.partition(":")
    if kind != "job":
        return
    try:
        job = await tx.jobs.get(key)
    except NotFound:
        return  # it was erased meanwhile
    asked_in = job.origin
    if asked_in is None or asked_in.channel.startswith("@"):
        return
    about = f"refused:{refused.card.subject}@{refused.target}"
    if await tx.outbox.newest(about, asked_in):
        return
    name = await name_of(tx, job.requester)
    gallery = f"the portal: {portal}/gallery" if portal else "the portal's gallery"
    where = f"What {name} asked for is in {gallery}"
    card = reply_card(f"I can't write to {name} alone", where, fix=why.fix)
    await say(tx, replace(card, subject=about, private=False), asked_in, now)


async def _told(tx: Transaction, card: Card, line: ChannelRef, now: datetime) -> bool:
    if card.subject.startswith(WEEK):
        await say(tx, card, line, now)
        return True
    return await retold(tx, card.subject, line, now)


def _reason(why: ChatError, about: str) -> Card:
    card = reply_card(why.title, why.message, INSTEAD, fix=why.fix)
    return replace(card, subject=about)


async def _concerned(tx: Transaction, subject: str) -> list[tuple[str, bool]]:
    """Ids of the people who have to see it, and whether they hear why it comes to them."""
    kind, _, key = subject.partition(":")
    try:
        if kind == "job":
            return [((await tx.jobs.get(key)).requester, True)]
        if kind == "publication":
            return [((await tx.publications.get(key)).requested_by, True)]
        if kind == "review":
            review = await tx.reviews.get(key)
            policy = (await tx.kits.current(review.brand)).review
            people = [p for p in await tx.people.all() if p.id != review.requester]
            may = [p for p in people if policy.allows_approval(p.id, p.roles_in(review.brand))]
            return [(review.requester, True), *((person.id, False) for person in may)]
        if subject.startswith(WEEK):
            kit = await tx.kits.current(key.partition(":")[0])
            return [(person.id, True) for person in await managers(tx, kit)]
    except NotFound:
        return []  # it was erased meanwhile
    return []
