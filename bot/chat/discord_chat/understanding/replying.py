"""Answers to one person: where they did it for their eyes alone, else in their direct messages."""

import hashlib
from dataclasses import replace

from bot.chat.discord_chat.heard import Did, Heard
from bot.chat.discord_chat.places import PLATFORM
from bot.chat.discord_chat.understanding.standing import own_places, place_of
from bot.core.answers import answer_id, answer_once
from bot.core.cards import reply_card
from bot.core.dispatch import REPEATED
from bot.core.house import House
from bot.core.messages import Audience, Card
from bot.core.receiving import aside

REPEATED_AFTER_S = 5.0
"""So long whoever does the same delivery at the same time has for the real answer."""


class Replying:
    """Puts answers into the outbox."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def say(self, heard: Heard, card: Card) -> None:
        """Answer an interaction: its acknowledgement becomes the answer. Raises Unavailable."""
        await answer_once(
            self._house,
            answer_id(PLATFORM, heard.key),
            place_of(heard),
            card,
            only_for=heard.user,
            reply_to=heard.token,
        )

    async def say_repeated(self, heard: Heard, card: Card) -> None:
        """A second time delivered: whoever does it the first time answers, unless they died."""
        async with aside():
            await self._house.clock.sleep(REPEATED_AFTER_S)
        await self.say(heard, replace(card, state=REPEATED))

    async def tell(self, heard: Heard, card: Card) -> None:
        """Tell somebody what became of an emoji, by direct message (where those are closed, a
        line in the channel says so): of the same emoji on the same message the same words once,
        however often Discord tells of it. Raises Unavailable."""
        said = "|".join(
            (card.title, *card.lines, *(f"{fact.label}={fact.value}" for fact in card.fields))
        )
        digest = hashlib.sha256(said.encode()).hexdigest()
        emoji = heard.emoji_id or heard.emoji
        state = "off" if heard.did is Did.UNREACTED else "on"
        key = f"{heard.message}:{heard.user}:{emoji}:{state}:{digest}"
        name = answer_id(PLATFORM, key)
        await answer_once(self._house, name, place_of(heard), card, only_for=heard.user)


def stands_here(card: Card, audience: Audience, portal: str) -> Card:
    """Says shortly that the card itself is there: an acknowledgement has to become something."""
    said = card.status.partition(". ")[0].rstrip(".") or card.stamp or "Done"
    where = "in this channel" if audience is Audience.WORKING else f"in {own_places(portal)}"
    return reply_card(said, f"The card is {where}.")
