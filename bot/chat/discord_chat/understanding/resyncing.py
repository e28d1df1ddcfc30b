"""After events were missed: the emoji on the cards of all open reviews are read anew.

What stands counts as if it were put there now. A vote that was an emoji is taken back where that
emoji is gone; one by button stays. What can't be read takes nothing away.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.chat.discord_chat.heard import Did, Heard
from bot.chat.discord_chat.options import DiscordOptions
from bot.chat.discord_chat.places import PLATFORM
from bot.chat.discord_chat.rest import ChannelFacts, DiscordRefused, Rest
from bot.chat.discord_chat.understanding.emoji import Meaning, meanings
from bot.chat.discord_chat.understanding.voting import Voting
from bot.core.errors import NotFound
from bot.core.house import House
from bot.core.messages import MessageRef
from bot.core.people import Person
from bot.core.ports import Transaction
from bot.core.reviewing import voted_by_reaction
from bot.core.reviews import Review
from bot.core.telling import review_places

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class _Question:
    """An open review with its cards in Discord."""

    review: Review
    cards: tuple[MessageRef, ...]


class Resyncing:
    """Reads what stands on open reviews."""

    def __init__(
        self, house: House, *, rest: Rest, options: DiscordOptions, voting: Voting
    ) -> None:
        self._house = house
        self._rest = rest
        self._options = options
        self._voting = voting

    async def work(self, heard: Heard) -> None:
        """Bring the votes on all open reviews in line. Raises ChatUnavailable, Unavailable."""
        for question in await self._open():
            read: dict[str, set[str]] = {}
            for card in question.cards:
                approving = await self._card(heard, question.review, card)
                if approving is not None:
                    read[card.message] = approving
            await self._taken_away(heard, question, read)

    async def _open(self) -> list[_Question]:
        async with self._house.store.read() as tx:
            reviews = await tx.reviews.open()
            return [_Question(review=review, cards=await _cards(tx, review)) for review in reviews]

    async def _card(self, heard: Heard, review: Review, card: MessageRef) -> set[str] | None:
        """Whose approval stands on this card, after all that stands there was voted; None where
        it can't be read."""
        approving: set[str] = set()
        try:
            facts = await self._rest.channel(card.channel)
            for emoji in await self._rest.emoji_on(card.channel, card.message):
                on_it = _on(heard, card, facts, emoji)
                meant = meanings(on_it, self._options) & {Meaning.APPROVE, Meaning.REJECT}
                users = (
                    await self._rest.reactors(card.channel, card.message, emoji) if meant else ()
                )
                meaning = Meaning.APPROVE if Meaning.APPROVE in meant else Meaning.REJECT
                for user in users:
                    await self._vote(replace(on_it, user=user), review, meaning)
                approving |= set(users) if meaning is Meaning.APPROVE else set()
        except DiscordRefused as exc:
            log.warning("The reactions on a review can't be read: %s %s", exc.message, exc.fix)
            return None
        return approving

    async def _vote(self, heard: Heard, review: Review, meaning: Meaning) -> None:
        keyed = replace(heard, key=f"{heard.key}:{heard.message}:{heard.user}:{meaning.value}")
        if await self._has_voted(heard.user, review.id):
            return
        if heard.guild:
            roles = tuple(await self._rest.member_roles(heard.guild, heard.user))
            keyed = replace(keyed, roles=roles)
        try:
            await self._voting.given(keyed, review.id, meaning)
        except NotFound:
            log.info("A review is gone while its reactions are read")

    async def _has_voted(self, user: str, review: str) -> bool:
        async with self._house.store.read() as tx:
            person = await tx.people.by_identity(PLATFORM, user, "")
            votes = (await tx.reviews.get(review)).votes
        return person is not None and any(vote.person == person.id for vote in votes)

    async def _taken_away(
        self, heard: Heard, question: _Question, read: dict[str, set[str]]
    ) -> None:
        async with self._house.store.read() as tx:
            review = await tx.reviews.get(question.review.id)
            by = await voted_by_reaction(tx, review) if review.is_waiting else {}
            people = [await tx.people.get(person) for person in by]
        for person in people:
            message = by[person.id]
            users = _users(person)
            if message not in read or not users or read[message] & set(users):
                continue
            card = next(one for one in question.cards if one.message == message)
            gone = _on(heard, card, None, "")
            key = f"{heard.key}:{message}:{users[0]}:gone"
            await self._voting.taken_away(
                replace(gone, did=Did.UNREACTED, user=users[0], key=key), review.id
            )


async def _cards(tx: Transaction, review: Review) -> tuple[MessageRef, ...]:
    """Where its cards stand in Discord."""
    kit = await tx.kits.current(review.brand)
    subject = f"review:{review.id}"
    found = [
        await tx.outbox.message_of(subject, place)
        for place in await review_places(tx, kit, review.target)
        if place.platform == PLATFORM
    ]
    return tuple(ref for ref in found if ref is not None)


def _on(heard: Heard, card: MessageRef, facts: ChannelFacts | None, emoji: str) -> Heard:
    """An emoji on a card, as if we had been told of it. `emoji` is as `Rest` says it."""
    name, _, emoji_id = emoji.partition(":")
    parent = facts.parent if facts else ""
    return Heard(
        did=Did.REACTED,
        key=heard.key,
        guild=facts.guild if facts else "",
        channel=parent or card.channel,
        thread=card.channel if parent else "",
        message=card.message,
        of_us=True,
        emoji=name,
        emoji_id=emoji_id,
        at=heard.at,
    )


def _users(person: Person) -> Sequence[str]:
    """Their accounts in Discord."""
    return [one.user for one in person.identities if one.platform == PLATFORM]
