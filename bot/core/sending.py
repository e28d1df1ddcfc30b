"""The outbox's way out: each message once, in order per subject, by its own id.

A card is a state, not a post: changing it in place may be done again without harm. A new one
whose arrival is uncertain is looked up once, and sent again if it is not there. Where a freeze
has put a second copy up, all but the standing one are deleted.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bot.core.connected import CONNECT, claimed, is_ours
from bot.core.errors import (
    ChatAmbiguous,
    ChatError,
    ChatIncomplete,
    ChatRejected,
    ChatUnavailable,
    StaleState,
    Unavailable,
)
from bot.core.lives import OutboxState
from bot.core.messages import MessageRef
from bot.core.patience import DOUBLINGS
from bot.core.ports import Outgoing, Transaction
from bot.core.repairing import look_later
from bot.core.undelivered import tell_instead
from bot.core.waking import Loop, renewed
from bot.core.watching import timed

log = logging.getLogger(__name__)

MAX_WAIT = timedelta(minutes=5)
MAX_ATTEMPTS = 40
"""With the waits of `patience` between them more than two hours: a platform may be away so long."""
AGAIN_S = 1.0
"""Before what was in doubt is sent once more (a new message at once, the first time); twice as
long each time, up to MAX_WAIT."""
STOPPED = "The sending process stopped in the middle."


class Sender(Loop):
    """Delivers outgoing messages, one at a time, and looks after those that hang."""

    topic = "outbox"
    poll_s = 2.0

    async def run_one(self) -> bool:
        """Settle what hangs or is doubtful, else send one; False if there is none."""
        return await self._look_after() or await self._send_next()

    async def _look_after(self) -> bool:
        house, now = self._house, self._house.clock.now()
        async with house.store.read() as tx:
            hanging = [m for m in await tx.outbox.expired(now) if self._is_ours(m, m.lease_until)]
            doubtful = [m for m in await tx.outbox.doubtful(now) if self._is_ours(m, m.check_at)]
        for message in hanging:
            await self._unclear(message, STOPPED, ended=message.lease_until)
        for message in doubtful[:1]:
            await self._check_up(message)
        return bool(hanging or doubtful)

    def _is_ours(self, message: Outgoing, due: datetime | None) -> bool:
        return is_ours(self._house, message.target.platform, due)

    async def _send_next(self) -> bool:
        house, now = self._house, self._house.clock.now()
        async with house.store.write() as tx:
            message = await claimed(house, tx.outbox.claim, self._name, now)
        if message is None:
            return False
        if house.clock.now() < now + house.lease:  # else it was frozen: others may send it now
            await self._send(message)
        return True

    async def _send(self, message: Outgoing) -> None:
        chat = self._house.chats.get(message.target.platform)
        if chat is None:
            why = f"{message.target.platform} is not connected."
            await self._fail(message, ChatRejected(why, fix=CONNECT))
            return
        try:
            async with renewed(self._house, lambda: self._renew(message)):
                with timed(self._house.watch, "send", "send", platform=chat.platform):
                    ref = await chat.send(message)
        except ChatAmbiguous as exc:
            await self._unclear(message, exc.message)
        except ChatUnavailable as exc:
            await self._later(message, exc, exc.retry_after_s, queued=exc.queued)
        except ChatIncomplete as exc:
            await self._come_back(message, exc)
        except ChatError as exc:
            await self._fail(message, exc)
        except Unavailable:
            raise
        except Exception:
            # A card that trips over a bug of ours may stand there; the others go on.
            log.exception("Sending tripped over a bug", extra={"id": message.id})
            await self._unclear(message, "Something broke on our side.")
        else:
            await self._sent(message, ref)

    async def _sent(self, message: Outgoing, ref: MessageRef) -> None:
        """Note where it stands. If others have taken over meanwhile, it may stand twice."""
        check_at = look_later(self._house) if message.check_at is not None else None
        sent = await self._move(message, OutboxState.SENT, sent=ref, check_at=check_at)
        if sent is None and not _is_in_place(message, ref):
            await self._ask_for_a_look(message)

    async def _come_back(self, message: Outgoing, exc: ChatIncomplete) -> None:
        """It stands, with less than it should: the same row changes it when the rest may be there,
        unless a later card has taken its place. It is given up as it is, never as failed."""
        attempts = message.attempts + (not exc.queued)
        if attempts >= MAX_ATTEMPTS:
            await self._sent(message, exc.sent)
            return
        back = await self._move(
            message,
            OutboxState.PENDING,
            error=exc.message,
            check_at=message.check_at,
            attempts=attempts,
            not_before=self._house.clock.now() + timedelta(seconds=exc.retry_after_s),
            sent=exc.sent,
            update=exc.sent,
        )
        if back is None and not _is_in_place(message, exc.sent):
            await self._ask_for_a_look(message)

    async def _fail(self, message: Outgoing, why: ChatError) -> None:
        """It can't be sent: its people hear so elsewhere, from the same transaction on."""
        log.warning("Message refused: %s", why.message, extra={"id": message.id})

        async def tell(tx: Transaction) -> None:
            now, portal = self._house.clock.now(), self._house.base_url
            await tell_instead(tx, message, why, now, portal=portal)

        failed, check_at = OutboxState.FAILED, message.check_at
        await self._move(message, failed, error=why.message, check_at=check_at, also=tell)

    async def _later(
        self, message: Outgoing, why: ChatError, wait_s: float, *, queued: bool = False
    ) -> None:
        """Try again then. Waiting for one's turn at a rate is no failure: it may last as long as
        the platform says, and as often."""
        attempts = message.attempts + (not queued)
        wait = timedelta(seconds=wait_s)
        if attempts >= MAX_ATTEMPTS:
            await self._fail(message, why)
            return
        await self._move(
            message,
            OutboxState.PENDING,
            error=why.message,
            check_at=message.check_at,
            attempts=attempts,
            not_before=self._house.clock.now() + (wait if queued else min(wait, MAX_WAIT)),
        )

    async def _unclear(self, message: Outgoing, why: str, *, ended: datetime | None = None) -> None:
        """Look it up, also a change: where its message was gone, a new one may stand. `ended` is
        when the attempt was over at the latest, if not now."""
        now = self._house.clock.now()
        unclear = await self._move(
            message, OutboxState.AMBIGUOUS, check_at=now, error=why, not_before=ended or now
        )
        if unclear is not None:
            await self._check_up(unclear)
        else:  # others took over while this process was frozen; both may stand there
            await self._ask_for_a_look(message)

    async def _check_up(self, message: Outgoing) -> None:
        """Look once where it stands; send what is missing, delete what is too much."""
        house = self._house
        mine = await self._amended(message, check_at=house.clock.now() + house.lease)
        if mine is None:
            return
        try:
            copies = await self._copies(mine)
            if mine.state is OutboxState.AMBIGUOUS:
                await self._settle(mine, copies)
            else:
                await self._repair(mine, copies)
        except ChatUnavailable as exc:
            wait = max(timedelta(seconds=exc.retry_after_s), house.lease)
            await self._amended(mine, check_at=house.clock.now() + wait)

    async def _copies(self, message: Outgoing) -> list[MessageRef]:
        """What stands there. Raises ChatUnavailable; a look that is not allowed, or trips over a
        bug of ours, finds nothing."""
        chat = self._house.chats.get(message.target.platform)
        if chat is None:
            return []
        try:
            copies = await chat.look_up(
                message.id,
                message.target,
                since=message.created_at,
                until=self._latest(message),
                only_for=message.only_for,
            )
            return list(copies)
        except (ChatUnavailable, Unavailable):
            raise
        except Exception:
            log.exception("Look-up failed", extra={"id": message.id})
            return []

    def _latest(self, message: Outgoing) -> datetime | None:
        """When a doubtful message had arrived at the latest: what was said there since then
        doesn't hide it. Of others copies may have come at any time."""
        if message.state is not OutboxState.AMBIGUOUS or message.not_before is None:
            return None
        return message.not_before + self._house.lease

    async def _settle(self, message: Outgoing, copies: list[MessageRef]) -> None:
        """A message that was to be changed says nothing about whether it was."""
        old = message.update.message if message.update is not None else ""
        new = [copy for copy in copies if copy.message != old]
        if new:
            sent, check_at = OutboxState.SENT, look_later(self._house)
            await self._move(message, sent, sent=new[0], check_at=check_at)
            return
        sending = await self._move(message, OutboxState.SENDING, check_at=message.check_at)
        if sending is not None:
            is_first = message.update is None and not message.attempts
            again = 0.0 if is_first else AGAIN_S * 2.0 ** min(message.attempts, DOUBLINGS)
            await self._later(sending, ChatAmbiguous(message.error), again)

    async def _repair(self, message: Outgoing, copies: list[MessageRef]) -> None:
        """Of a card that was overtaken before it was sent no copy stays."""
        kept = {ref.message for ref in (message.sent, message.update) if ref is not None}
        for copy in copies:
            if copy.message in kept:
                continue
            log.warning("A card stands twice; a copy is deleted", extra={"id": message.id})
            try:
                await self._house.chats[message.target.platform].delete(copy)
            except ChatUnavailable:
                raise
            except ChatError:
                log.exception("A copy can't be deleted", extra={"id": message.id})
        await self._amended(message, check_at=None)

    async def _renew(self, message: Outgoing) -> None:
        house = self._house
        async with house.store.write() as tx:
            stored = await _still(tx, message)
            longer = replace(stored, lease_until=house.clock.now() + house.lease)
            await tx.outbox.update(longer, was=stored)

    async def _ask_for_a_look(self, message: Outgoing) -> None:
        """Others took over while this process was frozen, and sent it too."""
        try:
            async with self._house.store.write() as tx:
                stored = await tx.outbox.get(message.id)
                doubted = replace(stored, check_at=self._house.clock.now())
                await tx.outbox.update(doubted, was=stored)
        except StaleState:
            await self._ask_for_a_look(message)

    async def _amended(self, message: Outgoing, **changes: Any) -> Outgoing | None:
        """Change what is noted about a message that stays in its state; None if it has changed."""
        try:
            async with self._house.store.write() as tx:
                return await tx.outbox.update(replace(message, **changes), was=message)
        except StaleState:
            log.info("Message had moved on", extra={"id": message.id})
            return None

    async def _move(
        self,
        message: Outgoing,
        to: OutboxState,
        *,
        check_at: datetime | None = None,
        also: Callable[[Transaction], Awaitable[None]] | None = None,
        **changes: Any,
    ) -> Outgoing | None:
        """The message in its new state, and what `also` writes with it; None if it is no longer
        this sender's to say."""
        house = self._house
        try:
            async with house.store.write() as tx:
                stored = await _still(tx, message)
                asked_meanwhile = stored.check_at != message.check_at
                new = replace(
                    stored,
                    state=to,
                    check_at=house.clock.now() if asked_meanwhile else check_at,
                    lease_until=None,
                    worker="",
                    **changes,
                )
                moved = await tx.outbox.update(new, was=stored)
                if also is not None:
                    await also(tx)
                return moved
        except StaleState:
            log.info("Message had moved on", extra={"id": message.id})
            return None


def _is_in_place(message: Outgoing, ref: MessageRef) -> bool:
    """Whether that is the message that was to be changed, and no new one in its place."""
    return message.update is not None and message.update.message == ref.message


async def _still(tx: Transaction, message: Outgoing) -> Outgoing:
    """The row as it is now. Raises StaleState if the message has passed on."""
    stored = await tx.outbox.get(message.id)
    if (stored.state, stored.fence) != (message.state, message.fence):
        raise StaleState(f"It is {stored.state.value} already.")
    return stored
