"""LocalIntake: the incoming side. Written down first, then understood, then marked done.

A delivery is one thing a person did: said a line, pressed a button, reacted. It stands in the
fsynced inbox before anything else happens, and `replay` works off what a crash left there; both
ways every step counts once, because messages, replies and commands carry the delivery's id.

Whoever delivers is answered within a moment even where much is to be done: deliveries are worked
off a few at a time, and what takes longer than the moment is told by the timeline once it is done.
"""

from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

from bot.chat.local_chat.chat import AUTHOR, PLATFORM, tell
from bot.chat.local_chat.marking import marked_card
from bot.core.actions import command_for_reaction, parse_action
from bot.core.answering import elsewhere, is_shared, kit_in_force
from bot.core.cards import error_card, reply_card
from bot.core.commands import Find, Help, Imagine, Queue, Usage
from bot.core.errors import HousestyleError, Mistake, NotFound, Unavailable
from bot.core.grammar import Attached, NotACommand, parse
from bot.core.house import House
from bot.core.ids import new_id
from bot.core.messages import Actor, Audience, Card, ChannelRef
from bot.core.ports import Delivery, Door, TimelineMessage
from bot.core.receiving import Receiving
from bot.core.rooms import Room, rooms_of
from bot.core.vocabulary import Vocabulary
from brand.kit import BrandKit

ANSWER_WITHIN_S = 0.1
"""How long a typed line waits for its answer before the page is shown without it."""
PRESSED_WITHIN_S = 10.0
"""The same for a button, whose answer a page may not hear of in another way."""
APPROVING = "white_check_mark"
REJECTING = "x"
EMOJI = (APPROVING, REJECTING)


@dataclass(frozen=True, kw_only=True)
class Said:
    """One delivery's content, as it stands in the inbox. `kind` is text, action or reaction."""

    kind: str
    user: str
    name: str
    person: str
    channel: str
    text: str = ""
    """The typed line; of an action, what the person was asked for."""
    action: str = ""
    reference: str = ""
    """SHA-256 of an attached picture."""
    mask: str = ""
    control: str = ""
    like: str = ""
    """The same of a mask, a picture that leads, one that serves as a prompt."""
    brand: str = ""
    """The brand in force where the channel does not say."""
    message: str = ""
    emoji: str = ""
    on: bool = True
    aside: str = ""
    """Where the answer goes if not into the channel: a page's own corner of the timeline."""

    @property
    def attached(self) -> Attached:
        """The pictures that came with it."""
        return Attached(
            reference=self.reference, mask=self.mask, control=self.control, like=self.like
        )

    def actor(self, delivery: str) -> Actor:
        """Who says it, and from where."""
        return Actor(
            platform=PLATFORM,
            user=self.user,
            name=self.name,
            person=self.person,
            channel=ChannelRef(platform=PLATFORM, channel=self.channel),
            delivery=delivery,
        )


class LocalIntake:
    """Takes in what people do in the local chat and on the portal's pages."""

    def __init__(
        self, house: House, door: Door, *, answer_within_s: float = ANSWER_WITHIN_S
    ) -> None:
        self._house = house
        self._door = door
        self._answer_within_s = answer_within_s
        self._receiving = Receiving(house, PLATFORM, self._answer)

    async def rooms(self, person: str, user: str) -> tuple[Room, ...]:
        """The channels that this person may read and write in."""
        async with self._house.store.read() as tx:
            return rooms_of(await tx.kits.all(), await tx.people.get(person), PLATFORM, user)

    async def say(
        self,
        actor: Actor,
        text: str,
        *,
        reference: str = "",
        brand: str = "",
        aside: str = "",
        mask: str = "",
        control: str = "",
        like: str = "",
    ) -> TimelineMessage | None:
        """A typed line. The answer for this person; None where the channel answers, nobody does,
        or the answer takes longer: then the timeline brings it."""
        said = _said(
            "text",
            actor,
            text=text,
            reference=reference,
            mask=mask,
            control=control,
            like=like,
            brand=brand,
            aside=aside,
        )
        # A form's answer comes to its page alone; what is typed is answered by its channel too.
        within_s = PRESSED_WITHIN_S if aside else self._answer_within_s
        return await self._take(said, actor.delivery, within_s=within_s)

    async def press(
        self, actor: Actor, action: str, *, said: str = "", aside: str = ""
    ) -> TimelineMessage | None:
        """A pressed button; `said` is what it asked for."""
        return await self._take(
            _said("action", actor, action=action, text=said, aside=aside), actor.delivery
        )

    async def react(
        self, actor: Actor, message: str, emoji: str, *, on: bool
    ) -> TimelineMessage | None:
        """A reaction put on a message or taken away. None where it means nothing."""
        return await self._take(
            _said("reaction", actor, message=message, emoji=emoji, on=on), actor.delivery
        )

    async def replay(self) -> int:
        """Work off what stands in the inbox and nobody is at; how many were done."""
        return await self._receiving.replay()

    def sweeping(self) -> AbstractAsyncContextManager[None]:
        """Replay at once, and now and then while the block runs."""
        return self._receiving.sweeping()

    async def finish(self, limit_s: float) -> None:
        """Let what is being worked off come to its end; what does not stays in the inbox."""
        await self._receiving.finish(limit_s)

    async def _take(
        self, said: Said, delivery_id: str, *, within_s: float = PRESSED_WITHIN_S
    ) -> TimelineMessage | None:
        return await self._receiving.take(delivery_id, asdict(said), within_s=within_s)

    async def _answer(self, delivery: Delivery) -> TimelineMessage | None:
        said = Said(**delivery.payload)
        try:
            card = await _HANDLERS[said.kind](self, said, delivery.id)
        except Unavailable:
            raise  # it is worked off once the house answers
        except HousestyleError as exc:
            if await self._was_erased(said.person):
                return None  # what they said goes with them
            card = error_card(exc)
        return await self._reply(said, delivery.id, card) if card is not None else None

    async def _was_erased(self, person: str) -> bool:
        async with self._house.store.read() as tx:
            return any(one.is_erased for one in await tx.people.all() if one.id == person)

    async def _text(self, said: Said, delivery: str) -> Card | None:
        room = await self._room(said)
        kit, words = await self._vocabulary(said)
        try:
            command = parse(said.text, vocabulary=words, attached=said.attached)
        except Mistake as exc:
            await self._show(said, delivery, only_for=said.user)
            return marked_card(error_card(exc), said.text, exc, partial(_reads, words))
        if isinstance(command, NotACommand):
            return await self._plain(said, delivery, room)
        if isinstance(command, Imagine | Queue | Find | Usage | Help) and not command.brand:
            command = replace(command, brand=kit.id)
        open_here = room.audience is Audience.WORKING and is_shared(command)
        await self._show(said, delivery, only_for="" if open_here else said.user)
        card = await self._door.dispatch(command, said.actor(delivery))
        if card.subject and not open_here and room.audience is not Audience.REQUESTER:
            return elsewhere(card, room.name, room.audience)
        return card

    async def _plain(self, said: Said, delivery: str, room: Room) -> Card | None:
        """Talk among people. Alone with the house it is answered with the nearest command."""
        if said.attached:
            await self._show(said, delivery, only_for=said.user)
            raise Mistake(
                "A picture needs a command to go with it.",
                fix="Write `/imagine` and what to make of it.",
            )
        await self._show(said, delivery)
        if room.audience is not Audience.REQUESTER:
            return None
        return reply_card(
            "Only you read this channel",
            "Did you mean to ask for a picture? Commands start with a slash.",
            hint=f"/imagine {said.text.strip()}"[:200],
        )

    async def _action(self, said: Said, delivery: str) -> Card:
        await self._room(said)
        command = parse_action(said.action, said.text)
        return await self._door.dispatch(command, said.actor(delivery))

    async def _reaction(self, said: Said, delivery: str) -> Card | None:
        message = await self._house.timeline.get(said.message)
        await self._room(replace(said, channel=message.channel))
        if message.only_for not in ("", said.user):
            raise NotFound("That message isn't there.")
        if said.emoji not in EMOJI:
            raise Mistake("Only ✅ and ❌ count here.", allowed=EMOJI)
        changed = await self._house.timeline.react(message.id, said.emoji, said.user, on=said.on)
        tell(self._house.signals, changed)
        command = command_for_reaction(message.card.subject if message.card else "", said.emoji)
        if command is None or not said.on:
            return None
        return await self._door.dispatch(command, said.actor(delivery))

    async def _vocabulary(self, said: Said) -> tuple[BrandKit, Vocabulary]:
        async with self._house.store.read() as tx:
            kits = await tx.kits.all()
        if not kits:
            raise NotFound("No brand kit is loaded.", fix="Ask an admin to put one in.")
        kit = kit_in_force(kits, PLATFORM, said.channel, chosen=said.brand)
        return kit, Vocabulary.of(kit, brands=tuple(kit.id for kit in kits))

    async def _room(self, said: Said) -> Room:
        for room in await self.rooms(said.person, said.user):
            if room.channel == said.channel:
                return room
        raise NotFound(
            f"There is no channel `{said.channel}` for you.",
            fix="The list on the left has yours.",
        )

    async def _show(self, said: Said, delivery: str, *, only_for: str = "") -> None:
        if said.aside:
            return  # a page's form made the line: nobody typed it into a channel
        await self._add(
            TimelineMessage(
                id=new_id(),
                channel=said.channel,
                author=said.name,
                user=said.user,
                at=self._house.clock.now(),
                text=said.text,
                outgoing=f"said:{delivery}",
                blob=said.reference or said.control or said.like or said.mask,
                only_for=only_for,
            )
        )

    async def _reply(self, said: Said, delivery: str, card: Card) -> TimelineMessage | None:
        """A card with a subject comes through the outbox; the rest is for this person alone."""
        if card.subject and not card.private and not said.aside:
            return None
        return await self._add(
            TimelineMessage(
                id=new_id(),
                channel=said.aside or said.channel,
                author=AUTHOR,
                user="",
                at=self._house.clock.now(),
                card=card,
                outgoing=f"reply:{delivery}",
                only_for=said.user,
            )
        )

    async def _add(self, message: TimelineMessage) -> TimelineMessage:
        added = await self._house.timeline.add(message)
        tell(self._house.signals, added)
        return added


_HANDLERS: dict[str, Any] = {
    "text": LocalIntake._text,
    "action": LocalIntake._action,
    "reaction": LocalIntake._reaction,
}


def _said(kind: str, actor: Actor, **fields: Any) -> Said:
    channel = actor.channel.channel if actor.channel else f"@{actor.user}"
    return Said(
        kind=kind,
        user=actor.user,
        name=actor.name,
        person=actor.person,
        channel=channel,
        **fields,
    )


def _reads(words: Vocabulary, text: str) -> bool:
    """Whether a line would be understood."""
    try:
        return bool(parse(text, vocabulary=words))
    except Mistake:
        return False
