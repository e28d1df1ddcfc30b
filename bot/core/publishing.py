"""Due publication -> post -> receipt. What is sent is hashed again and must be what was approved.

After an ambiguous outcome the channel is looked up once; what stays unclear is settled by a
person. A crash between sending and recording leaves `sending` with a lease that runs out: it
becomes ambiguous and is looked up too, so nothing is posted twice.
"""

import logging
from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.actions import action
from bot.core.assets import Asset, Rendition
from bot.core.caller import Caller
from bot.core.cards import alt_text, reply_card
from bot.core.commands import Settle
from bot.core.errors import (
    ChatAmbiguous,
    ChatError,
    ChatUnavailable,
    Conflict,
    HousestyleError,
    StaleState,
    Unapproved,
)
from bot.core.house import House
from bot.core.ledger import Event
from bot.core.lives import AssetState, PublicationState, ReviewState
from bot.core.messages import Audience, Button, Card, MessageRef
from bot.core.policy import MANAGERS, audience_of, may_handle
from bot.core.ports import Signal
from bot.core.publications import Publication
from bot.core.reviews import Answer, Review
from bot.core.telling import line_to, say, tell_job, tell_review
from bot.core.waking import Loop
from brand.kit import BrandKit
from brand.spec import sha256_hex

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=15)
MAX_WAIT = timedelta(minutes=5)


class Publisher(Loop):
    """Sends due publications, one at a time."""

    topic = "publications"
    poll_s = 5.0

    async def run_one(self) -> bool:
        """Send one due publication or settle one that hangs; False if there is none."""
        house, now = self._house, self._house.clock.now()
        async with house.store.write() as tx:
            hanging = await tx.publications.expired(now)
            due = await tx.publications.claim(self._name, now=now, lease=LEASE)
        for publication in hanging:
            await self._unclear(publication, "The sending process stopped in the middle.")
        if due is None:
            return bool(hanging)
        await self._send(due)
        return True

    async def _send(self, publication: Publication) -> None:
        house = self._house
        try:
            data, mime, alt = await self._approved_bytes(publication)
            chat = house.chats.get(publication.target.platform)
            if chat is None:
                raise Unapproved(f"{publication.target.platform} is not connected.")
            ref = await chat.post(publication, data, mime, alt)
        except ChatAmbiguous as exc:
            await self._unclear(publication, exc.message)
        except ChatUnavailable as exc:
            wait = min(timedelta(seconds=exc.retry_after_s), MAX_WAIT)
            await self._move(publication, PublicationState.PENDING, error=exc.message, due_in=wait)
        except HousestyleError as exc:
            log.warning("Publication refused: %s", exc.message, extra={"id": publication.id})
            fix = f" {exc.fix}" if exc.fix else ""
            await self._move(publication, PublicationState.FAILED, error=exc.message + fix)
        else:
            await self._move(publication, PublicationState.SENT, receipt=ref)

    async def _approved_bytes(self, publication: Publication) -> tuple[bytes, str, str]:
        """The bytes to send, their MIME type and alt text. Raises Unapproved."""
        async with self._house.store.read() as tx:
            asset = await tx.assets.get(publication.asset)
            review = await tx.reviews.get(publication.review)
            kit = await tx.kits.current(publication.brand)
        rendition = check_approval(publication, asset, review, kit)
        data = await self._house.blobs.get(publication.file_hash)
        if sha256_hex(data) != publication.file_hash:
            raise Unapproved("The file changed after it was approved.", fix="Render it again.")
        if await self._house.studio.pixel_hash(data) != rendition.pixel_hash:
            raise Unapproved("The pixels are not the approved ones.", fix="Render it again.")
        return data, rendition.mime, alt_text(asset, kit)

    async def _unclear(self, publication: Publication, why: str) -> None:
        unclear = await self._move(publication, PublicationState.AMBIGUOUS, error=why)
        if unclear is None:
            return
        try:
            chat = self._house.chats[publication.target.platform]
            found = await chat.look_up(publication.id, publication.target)
        except (ChatError, KeyError):
            log.exception("Look-up failed", extra={"id": publication.id})
            found = None
        if found is not None:
            await self._move(unclear, PublicationState.SENT, receipt=found)
        else:
            await self._ask_person(unclear)

    async def _ask_person(self, publication: Publication) -> None:
        house = self._house
        async with house.store.write() as tx:
            line = await line_to(tx, publication.requested_by, publication.target.platform)
            if line is not None:
                await say(tx, _settle_card(publication), line, house.clock.now())
        _wake(house)

    async def _move(
        self,
        publication: Publication,
        to: PublicationState,
        *,
        error: str = "",
        receipt: MessageRef | None = None,
        due_in: timedelta = timedelta(),
    ) -> Publication | None:
        try:
            return await record(
                self._house, publication, to, error=error, receipt=receipt, due_in=due_in
            )
        except StaleState:
            log.info("Publication had moved on", extra={"id": publication.id})
            return None


def check_approval(
    publication: Publication, asset: Asset, review: Review, kit: BrandKit
) -> Rendition:
    """The rendition that may go out. Raises Unapproved unless exactly it was approved."""
    if asset.state is not AssetState.APPROVED:
        raise Unapproved(f"The picture is {asset.state.value}, not approved.")
    if review.state is not ReviewState.DECIDED or review.outcome is not Answer.APPROVE:
        raise Unapproved("There is no approval for this picture.")
    if review.asset != asset.id or review.pixel_hash != asset.pixel_hash:
        raise Unapproved("The approval is for other pixels.", fix="Send it to approval again.")
    match = [r for r in asset.renditions if r.id == publication.rendition]
    if (
        not match
        or match[0].file_hash != publication.file_hash
        or publication.file_hash not in review.rendition_hashes
    ):
        raise Unapproved("This file was not among those approved.")
    if publication.target != review.target:
        raise Unapproved("It was approved for another channel.")
    if audience_of(kit, publication.target) is not Audience.PUBLIC or not any(
        channel.platform == publication.target.platform
        and channel.channel_id == publication.target.channel
        for channel in kit.publish_channels
    ):
        raise Unapproved(f"{kit.name} doesn't publish to #{publication.target.channel} any more.")
    return match[0]


async def record(
    house: House,
    publication: Publication,
    to: PublicationState,
    *,
    error: str = "",
    receipt: MessageRef | None = None,
    due_in: timedelta = timedelta(),
    actor: str = "system",
) -> Publication:
    """Store what became of a publication, with its ledger line and its cards."""
    now = house.clock.now()
    async with house.store.write() as tx:
        new = replace(
            publication,
            state=to,
            error=error,
            receipt=receipt or publication.receipt,
            sent_at=now if to is PublicationState.SENT else publication.sent_at,
            attempts=publication.attempts + (to is PublicationState.PENDING),
            due_at=now + due_in if to is PublicationState.PENDING else publication.due_at,
            lease_until=None,
            worker="",
        )
        stored = await tx.publications.update(new, was=publication)
        await tx.ledger.append(_event(stored, actor, now))
        asset = await tx.assets.get(stored.asset)
        review = await tx.reviews.get(stored.review)
        kit = await tx.kits.current(stored.brand)
        if to is not PublicationState.PENDING:
            await tell_review(tx, review, asset, kit, now)
            await tell_job(tx, await tx.jobs.get(asset.job), kit, now)
        if to is PublicationState.FAILED:
            line = await line_to(tx, stored.requested_by, stored.target.platform)
            if line is not None:
                said = reply_card(f"Not posted to #{stored.target.channel}", stored.error)
                await say(tx, said, line, now)
    _wake(house)
    return stored


async def settle(house: House, caller: Caller, command: Settle) -> Card:
    """A person says whether an ambiguous post arrived. Sends it again if it did not."""
    async with house.store.read() as tx:
        publication = await tx.publications.get(command.publication)
        kit = await tx.kits.current(publication.brand)
    if not caller.person.roles_in(kit.id) & MANAGERS:
        may_handle(kit, caller.person, publication.requested_by)
    if publication.state is not PublicationState.AMBIGUOUS:
        raise Conflict(f"This post is {publication.state.value} already.")
    person = caller.person.id
    where = f"#{publication.target.channel}"
    if command.sent:
        await record(house, publication, PublicationState.SENT, actor=person)
        return reply_card("Settled", f"Noted: the picture stands in {where}.")
    sending = await record(house, publication, PublicationState.SENDING, actor=person)
    await record(house, sending, PublicationState.PENDING, actor=person)
    return reply_card("Sending again", f"The picture goes to {where} now.")


def _settle_card(publication: Publication) -> Card:
    where = f"#{publication.target.channel}"
    return Card(
        kind="reply",
        subject=f"publication:{publication.id}",
        title=f"Did the picture reach {where}?",
        lines=(f"{publication.error} I looked once and did not find it.",),
        fix=f"Look into {where}, then tell me.",
        buttons=(
            Button(label="It is there", action=action("settle", publication.id, "sent")),
            Button(label="Send it again", action=action("settle", publication.id, "again")),
        ),
        private=True,
    )


def _event(publication: Publication, actor: str, now: datetime) -> Event:
    return Event(
        action=f"publication.{publication.state.value}",
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
        },
    )


def _wake(house: House) -> None:
    house.signals.publish(Signal(topic="outbox", kind="added", data={}))
    house.signals.publish(Signal(topic="publications", kind="changed", data={}))
