"""Votes by emoji: what stands on a review's card counts, not what we were told of it.

Two replicas hear the same event, a connection loses some, and the order is nobody's promise. So
an event only makes us look, and what is looked up is brought about: a standing ✅ is a vote, and
one that is gone takes it back as long as others still have to vote, unless another ✅ or 👍 of the
same person stands there; then their ❌ counts, if one stands. A decision stands.
"""

import logging
from dataclasses import replace

from bot.chat.discord_chat.heard import Did, Heard
from bot.chat.discord_chat.options import DiscordOptions
from bot.chat.discord_chat.places import PLATFORM
from bot.chat.discord_chat.rest import DiscordRefused, Rest
from bot.chat.discord_chat.understanding.emoji import Meaning, as_asked, meanings, with_emoji
from bot.chat.discord_chat.understanding.replying import Replying
from bot.chat.discord_chat.understanding.standing import actor_of
from bot.core.commands import Approve, Command, Reject, TakeBack
from bot.core.dispatch import REPEATED
from bot.core.house import House
from bot.core.messages import Card
from bot.core.ports import Door
from bot.core.reviewing import voted_by_reaction
from bot.core.reviews import Answer

log = logging.getLogger(__name__)

NOTHING_THERE = frozenset({10003, 10008})
"""Discord's errors of a channel or message that is gone."""
VOTES = frozenset({Meaning.APPROVE, Meaning.REJECT})


class Voting:
    """Brings votes in line with the emoji that stand."""

    def __init__(
        self,
        house: House,
        door: Door,
        *,
        rest: Rest,
        options: DiscordOptions,
        replying: Replying,
    ) -> None:
        self._house = house
        self._door = door
        self._rest = rest
        self._options = options
        self._replying = replying

    async def stands(self, heard: Heard) -> bool | None:
        """Whether this person's emoji stands now; None where its message is gone. Where Discord
        doesn't let us look, the event has to do. Raises ChatUnavailable."""
        try:
            return await self._rest.has_reacted(
                heard.room, heard.message, as_asked(heard), heard.user
            )
        except DiscordRefused as exc:
            if exc.error in NOTHING_THERE:
                return None
            log.warning("Discord shows no reactions there: %s", exc.message)
            return heard.did is Did.REACTED

    async def settle(self, heard: Heard, review: str, meaning: Meaning, *, stands: bool) -> None:
        """Let the vote be what stands. Raises ChatUnavailable, DiscordRefused, NotFound,
        Unavailable."""
        if stands:
            told = heard if heard.did is Did.REACTED else await self.with_roles(heard)
            await self.given(told, review, meaning)
        elif meaning is Meaning.APPROVE:
            await self.gone(heard, review)

    async def gone(self, heard: Heard, review: str) -> None:
        """An emoji that approved may be gone: the vote that it was is taken back, if none that
        approves stands there now and it is not too late; a ❌ of theirs that stands counts then.
        A vote by button stays. Raises as `settle`."""
        if not await self._is_its_vote(heard, review):
            return
        left = await self._left(heard)
        if left is None or Meaning.APPROVE in left:
            return
        await self._taken_back(heard, review)
        # An emoji that came since then was no new vote: it counts now.
        left = await self._left(heard)
        if left:
            told = await self.with_roles(replace(heard, did=Did.REACTED, key=f"{heard.key}:left"))
            approves = Meaning.APPROVE in left
            await self.given(told, review, Meaning.APPROVE if approves else Meaning.REJECT)

    async def with_roles(self, heard: Heard) -> Heard:
        """With the person's roles, which Discord tells only of an emoji that is put there. Raises
        ChatUnavailable, DiscordRefused."""
        if not heard.guild:
            return heard
        return replace(heard, roles=tuple(await self._rest.member_roles(heard.guild, heard.user)))

    async def given(self, heard: Heard, review: str, meaning: Meaning) -> None:
        """Vote, unless this person has voted on it."""
        if await self._answer(heard, review) is not None:
            return
        vote: Command = Reject(review=review)
        if meaning is Meaning.APPROVE:
            vote = Approve(review=review, reaction=heard.message)
        card = await self._door.dispatch(vote, actor_of(heard))
        if card.kind == "error" and card.state != REPEATED:
            await self._refused(heard, review, card)

    async def _taken_back(self, heard: Heard, review: str) -> None:
        card = await self._door.dispatch(TakeBack(review=review), actor_of(heard))
        if card.kind == "error" and card.state not in (REPEATED, "conflict", "stale_state"):
            await self._replying.tell(heard, card)

    async def _left(self, heard: Heard) -> set[Meaning] | None:
        """What this person's emoji on the message say by now; None where the message is gone.
        Where Discord doesn't let us look, none does."""
        left: set[Meaning] = set()
        try:
            for emoji in await self._rest.emoji_on(heard.room, heard.message):
                meant = meanings(with_emoji(heard, emoji), self._options) & VOTES
                if meant and await self._rest.has_reacted(
                    heard.room, heard.message, emoji, heard.user
                ):
                    left |= meant
        except DiscordRefused as exc:
            if exc.error in NOTHING_THERE:
                return None
            log.warning("Discord shows no reactions there: %s", exc.message)
        return left

    async def _refused(self, heard: Heard, review: str, card: Card) -> None:
        """Told, but to whom their own vote was what came first."""
        if await self._answer(heard, review) is None:
            await self._replying.tell(replace(heard, did=Did.REACTED), card)

    async def _answer(self, heard: Heard, review: str) -> Answer | None:
        """What this person has answered so far."""
        async with self._house.store.read() as tx:
            person = await tx.people.by_identity(PLATFORM, heard.user, "")
            found = await tx.reviews.get(review)
        votes = found.votes if person is not None else ()
        mine = [vote for vote in votes if person is not None and vote.person == person.id]
        return mine[0].answer if mine else None

    async def _is_its_vote(self, heard: Heard, review: str) -> bool:
        """Whether this person's vote on an open review is the emoji on this very message."""
        async with self._house.store.read() as tx:
            person = await tx.people.by_identity(PLATFORM, heard.user, "")
            found = await tx.reviews.get(review)
            by = await voted_by_reaction(tx, found) if found.is_waiting else {}
        return person is not None and by.get(person.id) == heard.message
