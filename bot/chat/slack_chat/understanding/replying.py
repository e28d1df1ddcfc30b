"""Answers to one person: ephemeral in a channel, plain in their direct messages."""

from dataclasses import replace

from bot.chat.slack_chat.incoming.heard import Heard
from bot.chat.slack_chat.places import PLATFORM
from bot.chat.slack_chat.understanding.standing import OWN, place_of
from bot.core.answering import TELL_THEMSELVES, sent_to_you
from bot.core.answers import answer_id, answer_once
from bot.core.commands import Command
from bot.core.dispatch import REPEATED
from bot.core.house import House
from bot.core.messages import Card
from bot.core.policy import direct_line
from bot.core.receiving import aside

REPEATED_AFTER_S = 5.0
"""So long whoever does the same delivery at the same time has for the real answer."""
_NOTE = "note"


class Replying:
    """Puts answers into the outbox."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def say(self, heard: Heard, card: Card) -> None:
        """Answer this person where they said it. Raises Unavailable."""
        place, line = place_of(heard), direct_line(PLATFORM, heard.user, heard.team)
        key = answer_id(PLATFORM, heard.key)
        if place.channel == line.channel:
            await answer_once(self._house, key, place, card)
        elif card.pictures:  # a note for one person can't hold a file
            await answer_once(self._house, key, line, card)
            note = sent_to_you(card, own=OWN)
            await answer_once(
                self._house, answer_id(PLATFORM, heard.key, _NOTE), place, note, only_for=heard.user
            )
        else:
            await answer_once(self._house, key, place, card, only_for=heard.user)

    async def say_repeated(self, heard: Heard, command: Command, card: Card) -> None:
        """A second time delivered: whoever does it the first time answers, unless they died."""
        if isinstance(command, TELL_THEMSELVES):
            return  # the card came with the change itself
        async with aside():
            await self._house.clock.sleep(REPEATED_AFTER_S)
        await self.say(heard, replace(card, state=REPEATED))
