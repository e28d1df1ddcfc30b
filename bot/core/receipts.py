"""What became of a publication, stored with its ledger line and its cards in one transaction."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bot.core.cards import channel_word, post_words, reply_card
from bot.core.errors import StaleState
from bot.core.house import House
from bot.core.ledger import Event
from bot.core.lives import PublicationState
from bot.core.messages import Card, MessageRef
from bot.core.ports import Signal, Transaction
from bot.core.publications import Publication
from bot.core.telling import line_to, say, tell_job, tell_review
from brand.kit import BrandKit


async def record(
    house: House,
    publication: Publication,
    to: PublicationState,
    *,
    error: str = "",
    receipt: MessageRef | None = None,
    due_in: timedelta = timedelta(),
    check_at: datetime | None = None,
    actor: str = "system",
) -> Publication:
    """Store what became of it. Raises StaleState if it is no longer this caller's to say.

    `check_at` is when its copies are looked at; where somebody else asked for a look meanwhile,
    that is at once.
    """
    now = house.clock.now()
    async with house.store.write() as tx:
        # Its lease may have been renewed since: the state and the fence say whose it is.
        stored = await tx.publications.get(publication.id)
        if (stored.state, stored.fence) != (publication.state, publication.fence):
            raise StaleState(f"It is {stored.state.value} already.")
        asked_meanwhile = stored.check_at != publication.check_at
        new = replace(
            stored,
            state=to,
            error=error,
            receipt=receipt or stored.receipt,
            sent_at=now if to is PublicationState.SENT else stored.sent_at,
            attempts=stored.attempts + (to is PublicationState.PENDING),
            due_at=now + due_in if to is PublicationState.PENDING else stored.due_at,
            check_at=now if asked_meanwhile else check_at,
            lease_until=None,
            worker="",
        )
        new = await _moved(tx, new, was=stored, now=now, actor=actor)
    wake(house)
    return new


async def give_up(tx: Transaction, pending: Publication, why: str, now: datetime) -> None:
    """A post that was not begun is not made any more. Raises StaleState."""
    gone = replace(pending, state=PublicationState.FAILED, error=why)
    await _moved(tx, gone, was=pending, now=now, actor="system")


async def _moved(
    tx: Transaction, new: Publication, *, was: Publication, now: datetime, actor: str
) -> Publication:
    """Stored, with its ledger line and its cards."""
    stored = await tx.publications.update(new, was=was)
    await tx.ledger.append(event_of(stored, f"publication.{new.state.value}", now, actor=actor))
    await _tell(tx, stored, was=was.state, now=now)
    return stored


async def _tell(
    tx: Transaction, publication: Publication, *, was: PublicationState, now: datetime
) -> None:
    asset = await tx.assets.get(publication.asset)
    review = await tx.reviews.get(publication.review)
    kit = await tx.kits.current(publication.brand)
    if publication.state is not PublicationState.PENDING:
        await tell_review(tx, review, asset, kit, now)
        await tell_job(tx, await tx.jobs.get(asset.job), kit, now)
    target = publication.target
    line = await line_to(tx, publication.requested_by, target.platform, target.team)
    if publication.state is PublicationState.FAILED:
        where = channel_word(kit, target)
        again = "" if publication.slot else f"Put it right, then type `/share {asset.id}`."
        why = reply_card(f"Not posted to {where}", publication.error, fix=again)
        asker = await line_to(tx, asset.requester, target.platform, target.team)
        for one in dict.fromkeys(found for found in (line, asker) if found):
            await say(tx, why, one, now)
    if line is None:
        return
    subject = question_about(publication)
    if was is PublicationState.AMBIGUOUS and await tx.outbox.message_of(subject, line) is not None:
        await say(tx, settled_card(publication, kit), line, now)


def settled_card(publication: Publication, kit: BrandKit) -> Card:
    """Takes the place of the question about a doubtful post."""
    where = channel_word(kit, publication.target)
    title = {
        PublicationState.SENT: f"The picture stands in {where}",
        PublicationState.PENDING: f"The picture goes to {where} again",
        PublicationState.SENDING: f"The picture goes to {where} again",
    }.get(publication.state, post_words(publication, where))
    return replace(reply_card(title), subject=question_about(publication))


def question_about(publication: Publication) -> str:
    """The subject of the card that asks a person about it."""
    return f"publication:{publication.id}"


async def ask_for_a_look(house: House, publication_id: str) -> None:
    """Have its copies looked at: somebody posted it without knowing whether they still might.

    Whoever sees to it next does so, also if this process ends now.
    """
    while True:
        async with house.store.write() as tx:
            stored = await tx.publications.get(publication_id)
            try:
                await tx.publications.update(
                    replace(stored, check_at=house.clock.now()), was=stored
                )
                break
            except StaleState:  # changed by another process between the two lines
                continue
    wake(house)


def event_of(
    publication: Publication,
    action: str,
    now: datetime,
    *,
    actor: str = "system",
    more: Mapping[str, Any] | None = None,
) -> Event:
    """A ledger line about a publication."""
    return Event(
        action=action,
        subject=f"publication:{publication.id}",
        at=now,
        actor=actor,
        brand=publication.brand,
        facts={
            "asset": publication.asset,
            "review": publication.review,
            "file": publication.file_hash,
            "pixels": publication.pixel_hash,
            "target": str(publication.target),
            "message": publication.receipt.message if publication.receipt else "",
            "error": publication.error,
            **(more or {}),
        },
    )


def wake(house: House) -> None:
    """Tell the loops that there may be something to send."""
    house.signals.publish(Signal(topic="outbox", kind="added", data={}))
    house.signals.publish(Signal(topic="publications", kind="changed", data={}))
