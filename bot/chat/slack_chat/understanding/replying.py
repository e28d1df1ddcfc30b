"""Answers to one person: ephemeral in a channel, plain in their direct messages.

An answer's id is made of the delivery's key, so that a delivery that comes twice, or is worked
off again after a crash, is answered once.
"""

import hashlib
import logging
from dataclasses import replace

from bot.chat.slack_chat.incoming.heard import Heard
from bot.chat.slack_chat.places import PLATFORM
from bot.chat.slack_chat.understanding.standing import OWN, place_of
from bot.core.answering import TELL_THEMSELVES, sent_to_you
from bot.core.commands import Command
from bot.core.dispatch import REPEATED
from bot.core.errors import Conflict
from bot.core.house import House
from bot.core.ids import encode_id
from bot.core.messages import Card, ChannelRef
from bot.core.policy import direct_line
from bot.core.ports import Outgoing, Signal
from bot.core.receiving import aside

log = logging.getLogger(__name__)

REPEATED_AFTER_S = 5.0
"""So long whoever does the same delivery at the same time has for the real answer."""
_NOTE = "note"


def reply_id(key: str, part: str = "") -> str:
    """The id of the answer to a delivery; of its further messages with their `part`."""
    name = f"{PLATFORM}:{key}:{part}" if part else f"{PLATFORM}:{key}"
    return encode_id(int.from_bytes(hashlib.sha256(name.encode()).digest()[:16], "big"))


class Replying:
    """Puts answers into the outbox."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def say(self, heard: Heard, card: Card) -> None:
        """Answer this person where they said it. Raises Unavailable."""
        place, line = place_of(heard), direct_line(PLATFORM, heard.user, heard.team)
        key = reply_id(heard.key)
        if place.channel == line.channel:
            await self._add(key, place, card)
        elif card.pictures:  # a note for one person can't hold a file
            await self._add(key, line, card)
            note = sent_to_you(card, own=OWN)
            await self._add(reply_id(heard.key, _NOTE), place, note, only_for=heard.user)
        else:
            await self._add(key, place, card, only_for=heard.user)

    async def say_repeated(self, heard: Heard, command: Command, card: Card) -> None:
        """A second time delivered: whoever does it the first time answers, unless they died."""
        if isinstance(command, TELL_THEMSELVES):
            return  # the card came with the change itself
        async with aside():
            await self._house.clock.sleep(REPEATED_AFTER_S)
        await self.say(heard, replace(card, state=REPEATED))

    async def _add(self, key: str, target: ChannelRef, card: Card, *, only_for: str = "") -> None:
        message = Outgoing(
            id=key,
            target=target,
            card=card,
            created_at=self._house.clock.now(),
            only_for=only_for,
        )
        try:
            async with self._house.store.write() as tx:
                await tx.outbox.add(message)
        except Conflict:
            log.info("%s was answered before", key)
            return
        self._house.signals.publish(Signal(topic="outbox", kind="added", data={}))
