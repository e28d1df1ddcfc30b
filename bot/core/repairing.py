"""Doubtful publications: looked up once, then settled, repaired, or put to a person.

Nobody knows whether a post stands there after a crash in the middle, a lost answer, or a freeze
longer than the lease, after which two processes may both have posted it. Each of these leaves
`check_at` in the record. Whoever gets to it first looks the copies up: an ambiguous post that is
found is sent, one that is not is put to a person; of a post that stands more than once, all
copies but the receipt's are deleted. A crash on the way leaves `check_at` for the next one.
"""

import logging
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bot.core.actions import action
from bot.core.cards import channel_word, reply_card
from bot.core.errors import ChatError, ChatUnavailable, StaleState
from bot.core.house import House
from bot.core.lives import PublicationState
from bot.core.messages import Button, Card, MessageRef
from bot.core.ports import Chat
from bot.core.publications import Publication
from bot.core.receipts import event_of, question_about, record, wake
from bot.core.telling import line_to, say
from brand.kit import BrandKit

log = logging.getLogger(__name__)

FIRST_LOOK = 2  # leases: what was on its way then has arrived
LATER_LOOKS = 3  # each after this many times the age of the post
LAST_LOOK = timedelta(hours=1)
"""A frozen process that wakes up later than this still asks for a look itself."""


def look_later(house: House) -> datetime:
    """When a post is looked at whose earlier attempt may still arrive."""
    return house.clock.now() + FIRST_LOOK * house.lease


async def check_up(house: House, publication: Publication) -> None:
    """Look once at all copies of a publication whose `check_at` has come, and put it right."""
    try:
        mine = await _amended(house, publication, check_at=house.clock.now() + house.lease)
    except StaleState:
        return  # somebody else is at it
    chat = house.chats.get(mine.target.platform)
    try:
        copies = await _copies(chat, mine)
        if mine.state is PublicationState.AMBIGUOUS:
            settled = await _settle(house, mine, copies)
            if settled is None:
                return
            mine = settled
        await _repair(house, chat, mine, copies)
    except StaleState:
        log.info("Publication had moved on", extra={"id": publication.id})
    except ChatUnavailable as exc:
        wait = timedelta(seconds=exc.retry_after_s)
        log.warning("Nobody can look now: %s", exc.message, extra={"id": publication.id})
        await _put_off(house, mine, wait)


async def _copies(chat: Chat | None, publication: Publication) -> list[MessageRef]:
    """What stands there. Raises ChatUnavailable; a look that is not allowed finds nothing."""
    if chat is None:
        return []
    since = publication.tried_at or publication.created_at
    try:
        return list(await chat.look_up(publication.id, publication.target, since=since))
    except ChatUnavailable:
        raise
    except ChatError:
        log.exception("Look-up failed", extra={"id": publication.id})
        return []


async def _settle(
    house: House, publication: Publication, copies: list[MessageRef]
) -> Publication | None:
    """An ambiguous one is sent if it stands there; else a person is asked, and None is back."""
    if copies:
        return await record(
            house,
            publication,
            PublicationState.SENT,
            receipt=copies[0],
            check_at=look_later(house),
        )
    async with house.store.write() as tx:
        await tx.publications.update(replace(publication, check_at=None), was=publication)
        target = publication.target
        line = await line_to(tx, publication.requested_by, target.platform, target.team)
        if line is not None:
            kit = await tx.kits.current(publication.brand)
            await say(tx, question_card(publication, kit), line, house.clock.now())
    wake(house)
    return None


async def _repair(
    house: House, chat: Chat | None, publication: Publication, copies: list[MessageRef]
) -> None:
    """Delete every copy but the one that the record names."""
    kept = _kept(publication, copies)
    extra = [copy for copy in copies if kept is None or copy.message != kept.message]
    if chat is None or not extra:
        await _amended(house, publication, receipt=kept, check_at=_next_look(house, publication))
        return
    named = {"kept": kept.message if kept else "", "copies": [copy.message for copy in extra]}
    log.warning("A post stands %s times", len(copies), extra={"id": publication.id})
    publication = await _amended(house, publication, receipt=kept, event="doubled", more=named)
    standing = [copy for copy in extra if not await _deleted(chat, copy)]
    await _amended(
        house,
        publication,
        check_at=_next_look(house, publication),
        event="copies_stand" if standing else "repaired",
        more={**named, "standing": [copy.message for copy in standing]},
    )
    if standing:
        await _tell_of(house, publication, standing)


def _kept(publication: Publication, copies: list[MessageRef]) -> MessageRef | None:
    """The copy that stays: the receipt's; if that one is gone, the oldest; of a post that was
    never sent or was deleted, none."""
    if publication.state is not PublicationState.SENT:
        return None
    receipt = publication.receipt
    named = [copy for copy in copies if receipt is not None and copy.message == receipt.message]
    return next(iter(named or copies), receipt)


def _next_look(house: House, publication: Publication) -> datetime | None:
    """Later and later, and after an hour not any more."""
    began = publication.sent_at or publication.tried_at
    now = house.clock.now()
    if began is None or now - began > LAST_LOOK:
        return None
    return max(look_later(house), now + LATER_LOOKS * (now - began))


async def _deleted(chat: Chat, copy: MessageRef) -> bool:
    """False if the platform refuses for good. Raises ChatUnavailable."""
    try:
        await chat.delete(copy)
    except ChatUnavailable:
        raise
    except ChatError:
        log.exception("A copy can't be deleted", extra={"copy": copy.message})
        return False
    return True


async def _amended(
    house: House,
    publication: Publication,
    *,
    event: str = "",
    more: dict[str, Any] | None = None,
    **changes: Any,
) -> Publication:
    """Change what is noted about a publication that stays in its state. Raises StaleState."""
    async with house.store.write() as tx:
        new = await tx.publications.update(replace(publication, **changes), was=publication)
        if event:
            line = event_of(new, f"publication.{event}", house.clock.now(), more=more)
            await tx.ledger.append(line)
    return new


async def _put_off(house: House, publication: Publication, wait: timedelta) -> None:
    now = house.clock.now()
    async with house.store.write() as tx:
        stored = await tx.publications.get(publication.id)
        later = replace(stored, check_at=now + max(wait, house.lease))
        try:
            await tx.publications.update(later, was=stored)
        except StaleState:
            log.info("Publication had moved on", extra={"id": publication.id})


async def _tell_of(house: House, publication: Publication, standing: list[MessageRef]) -> None:
    where = f"#{publication.target.channel}"
    card = reply_card(
        f"The picture stands more than once in {where}",
        f"I may not delete {len(standing)} of the copies.",
        fix=f"Look into {where} and delete all but one.",
    )
    async with house.store.write() as tx:
        target = publication.target
        line = await line_to(tx, publication.requested_by, target.platform, target.team)
        if line is not None:
            await say(tx, card, line, house.clock.now())
    wake(house)


def question_card(publication: Publication, kit: BrandKit) -> Card:
    """Asks a person whether a doubtful post arrived."""
    where = channel_word(kit, publication.target)
    return Card(
        kind="reply",
        subject=question_about(publication),
        title=f"Did the picture reach {where}?",
        lines=(f"{publication.error} I looked once and did not find it.",),
        fix=f"Look into {where}, then tell me.",
        buttons=(
            Button(label="It is there", action=action("settle", publication.id, "sent")),
            Button(label="Send it again", action=action("settle", publication.id, "again")),
        ),
        private=True,
    )
