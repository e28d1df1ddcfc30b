"""The outbox's way out: each message once, in order per subject, by its own id."""

import logging
from dataclasses import replace
from datetime import timedelta

from bot.core.errors import ChatAmbiguous, ChatError, ChatUnavailable, StaleState
from bot.core.lives import OutboxState
from bot.core.messages import MessageRef
from bot.core.ports import Outgoing
from bot.core.waking import Loop

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=15)
MAX_WAIT = timedelta(minutes=5)
MAX_ATTEMPTS = 20


class Sender(Loop):
    """Delivers outgoing messages, one at a time."""

    topic = "outbox"
    poll_s = 2.0

    async def run_one(self) -> bool:
        """Send one due message or settle one that hangs; False if there is none."""
        house, now = self._house, self._house.clock.now()
        async with house.store.write() as tx:
            hanging = await tx.outbox.expired(now)
            message = await tx.outbox.claim(self._name, now=now, lease=LEASE)
        for lost in hanging:
            await self._unclear(lost, "The sending process stopped in the middle.")
        if message is None:
            return bool(hanging)
        await self._send(message)
        return True

    async def _send(self, message: Outgoing) -> None:
        chat = self._house.chats.get(message.target.platform)
        if chat is None:
            await self._move(
                message, OutboxState.FAILED, error=f"{message.target.platform} is not connected"
            )
            return
        try:
            ref = await chat.send(message)
        except ChatAmbiguous as exc:
            await self._unclear(message, exc.message)
        except ChatUnavailable as exc:
            await self._later(message, exc)
        except ChatError as exc:
            log.warning("Message refused: %s", exc.message, extra={"id": message.id})
            await self._move(message, OutboxState.FAILED, error=exc.message)
        else:
            await self._move(message, OutboxState.SENT, sent=ref)

    async def _later(self, message: Outgoing, exc: ChatUnavailable) -> None:
        if message.attempts + 1 >= MAX_ATTEMPTS:
            await self._move(message, OutboxState.FAILED, error=exc.message)
            return
        wait = min(timedelta(seconds=exc.retry_after_s), MAX_WAIT)
        again = replace(
            message, attempts=message.attempts + 1, not_before=self._house.clock.now() + wait
        )
        await self._move(again, OutboxState.PENDING, was=message, error=exc.message)

    async def _unclear(self, message: Outgoing, why: str) -> None:
        """One look; a card that is not there is sent again: it is a state, not a post."""
        unclear = await self._move(message, OutboxState.AMBIGUOUS, error=why)
        if unclear is None:
            return
        try:
            chat = self._house.chats[message.target.platform]
            found = await chat.look_up(message.id, message.target)
        except (ChatError, KeyError):
            log.exception("Look-up failed", extra={"id": message.id})
            return
        if found is not None:
            await self._move(unclear, OutboxState.SENT, sent=found)
            return
        sending = await self._move(unclear, OutboxState.SENDING)
        if sending is not None:
            await self._move(sending, OutboxState.PENDING)

    async def _move(
        self,
        message: Outgoing,
        to: OutboxState,
        *,
        was: Outgoing | None = None,
        error: str = "",
        sent: MessageRef | None = None,
    ) -> Outgoing | None:
        new = replace(
            message, state=to, error=error, sent=sent or message.sent, lease_until=None, worker=""
        )
        try:
            async with self._house.store.write() as tx:
                return await tx.outbox.update(new, was=was or message)
        except StaleState:
            log.info("Message had moved on", extra={"id": message.id})
            return None
