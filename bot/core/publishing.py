"""Due publication -> post -> receipt. What is sent is hashed again and must be what was approved.

Right before the post the lease is renewed, and the record notes that an attempt begins: a process
that has lost its lease posts nothing, and one that dies before this point has posted nothing. One
that dies after it, or whose answer is lost, leaves an ambiguous publication (see repairing.py).
One that was frozen in between, and posted after others had taken over, asks for a look itself.
"""

import logging
from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.assets import Asset, Rendition
from bot.core.caller import Caller
from bot.core.cards import alt_text, channel_word, reply_card
from bot.core.commands import Settle
from bot.core.connected import CONNECT, claimed, is_ours
from bot.core.errors import (
    ChatAmbiguous,
    ChatUnavailable,
    Conflict,
    HousestyleError,
    LeaseLost,
    StaleState,
    Unapproved,
    Unavailable,
)
from bot.core.house import House
from bot.core.lives import AssetState, PublicationState, ReviewState
from bot.core.messages import Audience, Card, MessageRef
from bot.core.places import is_at, settled
from bot.core.planning_slots import check_slot
from bot.core.policy import MANAGERS, audience_of, may_handle
from bot.core.ports import Chat
from bot.core.publications import Publication
from bot.core.receipts import ask_for_a_look, record
from bot.core.repairing import check_up, look_later
from bot.core.reviews import Answer, Review
from bot.core.waking import Loop, renewed
from bot.core.watching import timed
from brand.kit import BrandKit
from brand.spec import sha256_hex

log = logging.getLogger(__name__)

MAX_WAIT = timedelta(minutes=5)
STOPPED = "The sending process stopped in the middle."


class Publisher(Loop):
    """Sends due publications, one at a time, and looks after those that hang or are doubtful."""

    topic = "publications"
    poll_s = 5.0

    async def run_one(self) -> bool:
        """Settle what hangs or is doubtful, else send one that is due; False if there is none."""
        return await self._look_after() or await self._send_next()

    async def _look_after(self) -> bool:
        house, now = self._house, self._house.clock.now()
        async with house.store.read() as tx:
            expired = await tx.publications.expired(now)
            hanging = [p for p in expired if self._is_ours(p, p.lease_until)]
            in_doubt = await tx.publications.doubtful(now)
            doubtful = [p for p in in_doubt if self._is_ours(p, p.check_at)]
        for publication in hanging:
            if publication.check_at is None:  # no attempt had begun
                await self._move(publication, PublicationState.PENDING, error=STOPPED)
            else:
                await self._unclear(publication, STOPPED)
        for publication in doubtful[:1]:
            await check_up(house, publication)
        return bool(hanging or doubtful)

    def _is_ours(self, publication: Publication, due: datetime | None) -> bool:
        return is_ours(self._house, publication.target.platform, due)

    async def _send_next(self) -> bool:
        house, now = self._house, self._house.clock.now()
        async with house.store.write() as tx:
            due = await claimed(house, tx.publications.claim, self._name, now)
        if due is None:
            return False
        try:
            await self._send(due)
        except LeaseLost:
            log.info("Publication was taken over", extra={"id": due.id})
        return True

    async def _send(self, claimed: Publication) -> None:
        house = self._house
        try:
            data, mime, alt = await self._approved_bytes(claimed)
            chat = house.chats.get(claimed.target.platform)
            if chat is None:
                raise Unapproved(f"{claimed.target.platform} is not connected.", fix=CONNECT)
            if (standing := await self._standing(chat, claimed)) is not None:
                await self._sent(claimed, claimed, standing)
                return
            attempt = await self._begin(claimed)
        except ChatUnavailable as exc:
            await self._wait(claimed, claimed, exc)
        except (Unavailable, LeaseLost):
            raise
        except HousestyleError as exc:
            await self._refused(claimed, claimed, exc)
        else:
            await self._attempt(claimed, attempt, chat, (data, mime, alt))

    async def _attempt(
        self, claimed: Publication, attempt: Publication, chat: Chat, post: tuple[bytes, str, str]
    ) -> None:
        """Post it. `claimed` says what was doubtful before this attempt."""
        try:
            async with renewed(self._house, lambda: self._renew(attempt)):
                with timed(self._house.watch, "publish", "send", platform=chat.platform):
                    ref = await chat.post(attempt, *post)
        except ChatAmbiguous as exc:
            await self._doubted(attempt, exc.message)
        except ChatUnavailable as exc:
            await self._wait(claimed, attempt, exc)
        except HousestyleError as exc:
            await self._refused(claimed, attempt, exc)
        except Exception:
            # A post that trips over a bug of ours may have arrived; the others go on.
            log.exception("Posting tripped over a bug", extra={"id": attempt.id})
            await self._doubted(attempt, "Something broke on our side.")
        else:
            await self._sent(claimed, attempt, ref)

    async def _standing(self, chat: Chat, claimed: Publication) -> MessageRef | None:
        """Where an earlier attempt stands, if there was a doubtful one: look before a retry."""
        if claimed.check_at is None or claimed.tried_at is None:
            return None
        copies = await chat.look_up(claimed.id, claimed.target, since=claimed.tried_at)
        return copies[0] if copies else None

    async def _begin(self, claimed: Publication) -> Publication:
        """Note that an attempt begins, with a fresh lease. Raises LeaseLost."""
        house = self._house
        now = house.clock.now()
        until = now + house.lease
        begun = replace(
            claimed, lease_until=until, tried_at=claimed.tried_at or now, check_at=until
        )
        try:
            async with house.store.write() as tx:
                begun = await tx.publications.update(begun, was=claimed)
        except StaleState as exc:
            raise LeaseLost("Another process has taken the post over.") from exc
        if house.clock.now() >= until:  # frozen during the commit
            raise LeaseLost("The lease ran out before the post.")
        return begun

    async def _renew(self, attempt: Publication) -> None:
        house = self._house
        async with house.store.write() as tx:
            stored = await tx.publications.get(attempt.id)
            if (stored.state, stored.fence) != (attempt.state, attempt.fence):
                raise LeaseLost("Another process has taken the post over.")
            longer = replace(stored, lease_until=house.clock.now() + house.lease)
            await tx.publications.update(longer, was=stored)

    async def _approved_bytes(self, publication: Publication) -> tuple[bytes, str, str]:
        """The bytes to send, their MIME type and alt text. Raises Unapproved."""
        async with self._house.store.read() as tx:
            asset = await tx.assets.get(publication.asset)
            review = await tx.reviews.get(publication.review)
            kit = await tx.kits.current(publication.brand)
            await check_slot(tx, publication, self._house.clock.now())
        rendition = check_approval(publication, asset, review, kit)
        data = await self._house.blobs.get(publication.file_hash)
        if sha256_hex(data) != publication.file_hash:
            raise Unapproved("The file changed after it was approved.", fix="Render it again.")
        if await self._house.studio.pixel_hash(data) != rendition.pixel_hash:
            raise Unapproved("The pixels are not the approved ones.", fix="Render it again.")
        return data, rendition.mime, alt_text(asset, kit)

    async def _sent(self, claimed: Publication, attempt: Publication, ref: MessageRef) -> None:
        """Note the receipt. If others have taken over meanwhile, there may be a second copy."""
        again = claimed.check_at is not None
        check_at = look_later(self._house) if again else None
        sent = PublicationState.SENT
        if await self._move(attempt, sent, receipt=ref, check_at=check_at) is None:
            await ask_for_a_look(self._house, attempt.id)

    async def _wait(self, claimed: Publication, attempt: Publication, exc: ChatUnavailable) -> None:
        """Try again then; for one's turn at a rate as late as the platform says."""
        asked = timedelta(seconds=exc.retry_after_s)
        wait = asked if exc.queued else min(asked, MAX_WAIT)
        pending, check_at = PublicationState.PENDING, claimed.check_at
        await self._move(attempt, pending, error=exc.message, due_in=wait, check_at=check_at)

    async def _refused(
        self, claimed: Publication, attempt: Publication, exc: HousestyleError
    ) -> None:
        log.warning("Publication refused: %s", exc.message, extra={"id": claimed.id})
        error = f"{exc.message} {exc.fix}".strip()
        failed, check_at = PublicationState.FAILED, claimed.check_at
        await self._move(attempt, failed, error=error, check_at=check_at)

    async def _doubted(self, attempt: Publication, why: str) -> None:
        """The attempt of this process may have arrived, even if others have taken over since."""
        if not await self._unclear(attempt, why):
            await ask_for_a_look(self._house, attempt.id)

    async def _unclear(self, publication: Publication, why: str) -> bool:
        """Look it up. If this process ends before it has, the next one does. False if it had
        moved on."""
        now = self._house.clock.now()
        unclear = await self._move(publication, PublicationState.AMBIGUOUS, error=why, check_at=now)
        if unclear is not None:
            await check_up(self._house, unclear)
        return unclear is not None

    async def _move(
        self,
        publication: Publication,
        to: PublicationState,
        *,
        error: str = "",
        receipt: MessageRef | None = None,
        due_in: timedelta = timedelta(),
        check_at: datetime | None = None,
    ) -> Publication | None:
        try:
            return await record(
                self._house,
                publication,
                to,
                error=error,
                receipt=receipt,
                due_in=due_in,
                check_at=check_at,
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
    meant = review.target and settled(kit.channels, review.target)
    if publication.target not in (review.target, meant):
        raise Unapproved("It was approved for another channel.")
    if audience_of(kit, publication.target) is not Audience.PUBLIC or not any(
        is_at(channel, publication.target) for channel in kit.publish_channels
    ):
        raise Unapproved(f"{kit.name} doesn't publish to #{publication.target.channel} any more.")
    return match[0]


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
    where = channel_word(kit, publication.target)
    now = house.clock.now()
    if command.sent:
        await record(house, publication, PublicationState.SENT, check_at=now, actor=person)
        return reply_card("Settled", f"Noted: the picture stands in {where}.")
    again = await record(house, publication, PublicationState.SENDING, check_at=now, actor=person)
    await record(house, again, PublicationState.PENDING, check_at=now, actor=person)
    return reply_card("Sending again", f"The picture goes to {where} now.")
