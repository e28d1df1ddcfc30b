"""Emoji on messages of ours: votes, the recipe by ✉️, and ❌ on one's own card. In channels: of
emoji in direct messages Discord tells only those apps that ask for them.

Strangers' ✉️ and ❌ are nobody's business; of a vote that does not count its giver is told.
"""

from collections.abc import Set as AbstractSet
from dataclasses import replace

from bot.chat.discord_chat.heard import Did, Heard
from bot.chat.discord_chat.options import DiscordOptions
from bot.chat.discord_chat.places import PLATFORM
from bot.chat.discord_chat.rest import Rest
from bot.chat.discord_chat.understanding.clicking import Clicking
from bot.chat.discord_chat.understanding.emoji import Meaning, meanings
from bot.chat.discord_chat.understanding.replying import Replying
from bot.chat.discord_chat.understanding.standing import actor_of
from bot.chat.discord_chat.understanding.voting import VOTES, Voting
from bot.core.commands import Cancel, Command, DeleteCard, Recipe
from bot.core.dispatch import REPEATED
from bot.core.house import House
from bot.core.lives import JOB_STEPS
from bot.core.messages import Card
from bot.core.ports import Door
from bot.core.receiving import aside
from bot.core.removing import DELETED

FRESH_S = 60.0
"""A message that is no older may be a card whose sending is not written down yet."""
WRITTEN_AFTER_S = 1.0
_DISCORD_EPOCH_MS, _TIME_BITS = 1_420_070_400_000, 22
"""A snowflake begins with its time (docs.discord.com/developers/reference, snowflakes)."""


class Reacting:
    """Works reactions off."""

    def __init__(
        self,
        house: House,
        door: Door,
        *,
        rest: Rest,
        options: DiscordOptions,
        clicking: Clicking,
        voting: Voting,
        replying: Replying,
    ) -> None:
        self._house = house
        self._door = door
        self._rest = rest
        self._options = options
        self._clicking = clicking
        self._voting = voting
        self._replying = replying

    async def work(self, heard: Heard) -> None:
        """Bring about what the emoji means. Raises ChatUnavailable, DiscordRefused, NotFound,
        Unavailable."""
        meant = meanings(heard, self._options)
        if not meant:
            return
        subject = await self._subject(heard)
        kind, _, key = subject.partition(":")
        if kind == "review" and meant & VOTES:
            await self._vote(heard, key, meant)
        elif heard.did is not Did.REACTED or not await self._is_member(heard):
            return
        elif Meaning.RECIPE in meant and kind in ("job", "review", "publication"):
            await self._recipe(heard, key)
        elif Meaning.DELETE in meant and await self._voting.stands(heard):
            await self._delete(heard, kind, key)

    async def _vote(self, heard: Heard, review: str, meant: AbstractSet[Meaning]) -> None:
        stands = await self._voting.stands(heard)
        if stands is None:
            return
        meaning = Meaning.APPROVE if Meaning.APPROVE in meant else Meaning.REJECT
        await self._voting.settle(heard, review, meaning, stands=stands)

    async def _recipe(self, heard: Heard, key: str) -> None:
        card = await self._door.dispatch(Recipe(target=key), actor_of(heard))
        await self._replying.tell(heard, card)

    async def _delete(self, heard: Heard, kind: str, key: str) -> None:
        """What is still being made is cancelled: its card says so, and goes by a second ❌."""
        if kind != "job":
            return
        command: Command = DeleteCard(job=key) if await self._is_over(key) else Cancel(job=key)
        card = await self._once(heard, command)
        if card.state in (DELETED, REPEATED):
            if isinstance(command, DeleteCard):
                await self._rest.delete(heard.room, heard.message)
        elif card.kind == "error" and card.state != "conflict":
            await self._replying.tell(heard, card)

    async def _once(self, heard: Heard, command: Command) -> Card:
        """All who hear of the same ❌ do it once."""
        key = f"reaction:{heard.message}:{heard.user}:{type(command).__name__}"
        return await self._door.dispatch(command, replace(actor_of(heard), delivery=key))

    async def _is_over(self, job: str) -> bool:
        async with self._house.store.read() as tx:
            return not JOB_STEPS[(await tx.jobs.get(job)).state]

    async def _is_member(self, heard: Heard) -> bool:
        async with self._house.store.read() as tx:
            return await tx.people.by_identity(PLATFORM, heard.user, "") is not None

    async def _subject(self, heard: Heard) -> str:
        """Perhaps a card whose sending is not written down yet: people can be that quick."""
        subject = await self._clicking.subject(heard)
        if subject or not _is_fresh(heard):
            return subject
        async with aside():
            await self._house.clock.sleep(WRITTEN_AFTER_S)
        return await self._clicking.subject(heard)


def _is_fresh(heard: Heard) -> bool:
    """Whether somebody reacted right after the message came."""
    if not heard.message.isdecimal():
        return False
    sent = ((int(heard.message) >> _TIME_BITS) + _DISCORD_EPOCH_MS) / 1000
    return heard.at > 0 and heard.at - sent < FRESH_S
