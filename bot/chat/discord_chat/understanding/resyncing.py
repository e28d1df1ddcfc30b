"""After events were missed: the emoji on the cards of all open reviews are read anew. So are those
of one review whose card a moderator has cleared of them: Discord doesn't tell then whose they were.

What stands counts as if it were put there now. A vote that was an emoji is taken back where that
emoji is gone; one by button stays. What can't be read takes nothing away.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bot.chat.discord_chat.heard import Did, Heard
from bot.chat.discord_chat.options import DiscordOptions
from bot.chat.discord_chat.places import PLATFORM
from bot.chat.discord_chat.rest import ChannelFacts, DiscordRefused, Rest
from bot.chat.discord_chat.understanding.emoji import Meaning, meanings, with_emoji
from bot.chat.discord_chat.understanding.voting import VOTES, Voting
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


@dataclass(frozen=True, kw_only=True)
class _Read:
    """A card with the votes that stand on it."""

    card: Heard
    """As if somebody had reacted on it."""
    votes: tuple[tuple[Heard, Meaning], ...]

    @property
    def approving(self) -> set[str]:
        """The users whose approval stands there."""
        return {on_it.user for on_it, meaning in self.votes if meaning is Meaning.APPROVE}


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
        """Bring the votes on all open reviews in line, or on the one whose card a message is.
        Raises ChatUnavailable, Unavailable."""
        for question in await self._open(heard.message):
            read: dict[str, _Read] = {}
            for card in question.cards:
                found = await self._read(heard, card)
                if found is not None:
                    read[card.message] = found
            # Who changed their mind has a vote that is gone and another that stands.
            await self._taken_away(question.review, read)
            for found in read.values():
                for on_it, meaning in found.votes:
                    await self._vote(on_it, question.review, meaning)

    async def _open(self, message: str) -> list[_Question]:
        async with self._house.store.read() as tx:
            reviews = await tx.reviews.open()
            found = [_Question(review=review, cards=await _cards(tx, review)) for review in reviews]
        return [one for one in found if not message or message in {c.message for c in one.cards}]

    async def _read(self, heard: Heard, card: MessageRef) -> _Read | None:
        """What stands on this card; None where it can't be read."""
        votes: list[tuple[Heard, Meaning]] = []
        try:
            on_card = _on(heard, card, await self._rest.channel(card.channel))
            if not self._options.allows(on_card.guild):
                return None
            for emoji in await self._rest.emoji_on(card.channel, card.message):
                on_it = with_emoji(on_card, emoji)
                meant = meanings(on_it, self._options) & VOTES
                if not meant:
                    continue
                meaning = Meaning.APPROVE if Meaning.APPROVE in meant else Meaning.REJECT
                for user in await self._rest.reactors(card.channel, card.message, emoji):
                    key = f"{heard.key}:{card.message}:{user}:{meaning.value}"
                    votes.append((replace(on_it, user=user, key=key), meaning))
        except DiscordRefused as exc:
            _unread(exc)
            return None
        return _Read(card=on_card, votes=tuple(votes))

    async def _vote(self, on_it: Heard, review: Review, meaning: Meaning) -> None:
        if await self._has_voted(on_it.user, review.id):
            return
        try:
            await self._voting.given(await self._voting.with_roles(on_it), review.id, meaning)
        except NotFound:
            log.info("A review is gone while its reactions are read")
        except DiscordRefused as exc:
            _unread(exc)

    async def _has_voted(self, user: str, review: str) -> bool:
        async with self._house.store.read() as tx:
            person = await tx.people.by_identity(PLATFORM, user, "")
            votes = (await tx.reviews.get(review)).votes
        return person is not None and any(vote.person == person.id for vote in votes)

    async def _taken_away(self, review: Review, read: Mapping[str, _Read]) -> None:
        async with self._house.store.read() as tx:
            found = await tx.reviews.get(review.id)
            by = await voted_by_reaction(tx, found) if found.is_waiting else {}
            people = [await tx.people.get(person) for person in by]
        for person in people:
            users, on_it = _users(person), read.get(by[person.id])
            if on_it is None or not users or on_it.approving & set(users):
                continue
            key = f"{on_it.card.key}:{on_it.card.message}:{users[0]}:gone"
            gone = replace(on_it.card, did=Did.UNREACTED, user=users[0], key=key)
            try:
                await self._voting.gone(gone, review.id)
            except DiscordRefused as exc:
                _unread(exc)


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


def _on(heard: Heard, card: MessageRef, facts: ChannelFacts) -> Heard:
    """An emoji on a card, as if we had been told of it."""
    return Heard(
        did=Did.REACTED,
        key=heard.key,
        guild=facts.guild,
        channel=facts.parent or card.channel,
        thread=card.channel if facts.parent else "",
        message=card.message,
        of_us=True,
        at=heard.at,
    )


def _unread(exc: DiscordRefused) -> None:
    log.warning("The reactions on a review can't be read: %s %s", exc.message, exc.fix)


def _users(person: Person) -> Sequence[str]:
    """Their accounts in Discord."""
    return [one.user for one in person.identities if one.platform == PLATFORM]
