"""A line that somebody says in a chat: where it stands among the brands, and what it may say.

Members say it in the words of the brand in force. Who has no part in that brand, and who is not
known at all, says only what is no secret of it.
"""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.core.answering import kit_in_force
from bot.core.commands import Command, Find, Help, Imagine, LinkAccount, Queue, Usage
from bot.core.errors import Mistake, NotFound
from bot.core.grammar import NotACommand, parse
from bot.core.house import House
from bot.core.messages import Audience, ChannelRef
from bot.core.people import Person
from bot.core.places import is_at
from bot.core.policy import audience_of, has_part, may_request, may_request_somewhere
from bot.core.vocabulary import Vocabulary
from brand.kit import BrandKit

log = logging.getLogger(__name__)

IMAGINE = "/imagine"
EXAMPLE = "/imagine a red mug on a wooden table"
_NAMED_BRAND = re.compile(r"--brand[ =]\s*(\S+)")


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A place among the brands."""

    place: ChannelRef
    kit: BrandKit
    """In force there."""
    is_brands: bool
    """Whether the place is a channel of that kit."""
    audience: Audience
    name: str
    """Of the channel, without its #; empty where nobody knows."""


@dataclass(frozen=True, kw_only=True)
class Speaker:
    """Who says something, among the brands of the house."""

    person: Person | None
    """None for somebody who is not known."""
    kits: Sequence[BrandKit]
    """All kits, of which there is one at least."""

    @property
    def own(self) -> list[BrandKit]:
        """The brands in which they have a part."""
        return [kit for kit in self.kits if self.person is not None and has_part(kit, self.person)]

    @property
    def open(self) -> list[BrandKit]:
        """The brands of which they may ask for pictures."""
        if self.person is None:
            return []
        who = self.person
        return [kit for kit in self.kits if kit.review.allows_request(who.id, who.roles_in(kit.id))]


async def loaded_kits(house: House) -> Sequence[BrandKit]:
    """All kits. Raises NotFound where there is none, and Unavailable."""
    async with house.store.read() as tx:
        kits = await tx.kits.all()
    if not kits:
        raise NotFound("No brand kit is loaded.", fix="Ask an admin to put one in.")
    return kits


async def speaker(house: House, platform: str, user: str, team: str = "") -> Speaker:
    """Who has this account. Raises NotFound where no kit is loaded, and Unavailable."""
    kits = await loaded_kits(house)
    async with house.store.read() as tx:
        person = await tx.people.by_identity(platform, user, team)
    return Speaker(person=person, kits=kits)


def standing_at(
    place: ChannelRef, kits: Sequence[BrandKit], *, chosen: str = "", room_name: str = ""
) -> Standing:
    """The place by the kits, of which there must be one; `chosen` decides where several would
    do. `room_name` is what the platform calls the channel."""
    kit = kit_in_force(kits, place.platform, place.channel, place.team, chosen)
    listed = next((item for item in kit.channels if is_at(item, place)), None)
    return Standing(
        place=place,
        kit=kit,
        is_brands=listed is not None,
        audience=audience_of(kit, place),
        name=listed.name.removeprefix("#") if listed else room_name,
    )


def standing_of_line(
    text: str, place: ChannelRef, speaker: Speaker, *, room_name: str = ""
) -> Standing:
    """With the brand that the line names, else the channel's, else the first that is open to
    them."""
    said = _NAMED_BRAND.search(text)
    own = speaker.own
    name = said[1].strip("\"'").casefold() if said else ""
    named = [kit for kit in own if name in (kit.id.casefold(), kit.name.casefold())]
    if named:
        return standing_at(place, named, room_name=room_name)
    first = next(iter((*speaker.open, *own, *speaker.kits)))
    return standing_at(place, speaker.kits, chosen=first.id, room_name=room_name)


def said_outside(text: str, standing: Standing, speaker: Speaker) -> Command | None:
    """What somebody says who has no part in the brand in force; None for its members. Raises
    NotAllowed."""
    if speaker.person is None or not speaker.person.active:
        return _of_stranger(text)
    if standing.kit in speaker.own:
        return None
    return _of_outsider(text, standing, speaker, speaker.person)


def vocabulary_at(standing: Standing, speaker: Speaker) -> Vocabulary:
    """The words that a member may use there."""
    return Vocabulary.of(standing.kit, brands=tuple(kit.id for kit in speaker.own))


def settled_brand(command: Command, standing: Standing, speaker: Speaker) -> Command:
    """With the brand in force, where the line named none and no other is meant. Help has no flag
    for another, so nobody is asked which one."""
    if isinstance(command, Help) and not command.brand:
        return replace(command, brand=standing.kit.id)
    if isinstance(command, Imagine | Queue | Find | Usage) and not command.brand:
        settled = standing.is_brands or len(speaker.open) == 1
        return replace(command, brand=standing.kit.id if settled else "")
    return command


def meant(command: Command | NotACommand | None) -> Command:
    """What a line says. Raises Mistake where there is nothing in it."""
    if command is None or isinstance(command, NotACommand):
        raise Mistake("There is nothing in it that I could do.", fix=f"Try `{EXAMPLE}`.")
    return command


def with_slash(text: str) -> str:
    """Words without a command are those of a picture."""
    return text if text.startswith("/") else f"{IMAGINE} {text}".strip()


def _of_outsider(text: str, standing: Standing, speaker: Speaker, person: Person) -> Command:
    """A member of the house: what is no picture of the brand goes on; what else is wrong with a
    line is told in no words of the brand."""
    brands = tuple(kit.id for kit in speaker.own)
    try:
        words = Vocabulary(brand=standing.kit.name, brands=brands)
        command = meant(parse(with_slash(text), vocabulary=words))
        guessed = not brands and isinstance(command, Queue | Find | Usage) and bool(command.brand)
        if not guessed and not isinstance(command, Imagine):
            return command
    except Mistake:
        log.info("A line of somebody without a part in the brand is not understood")
    if standing.is_brands:
        may_request(standing.kit, person)
    may_request_somewhere(speaker.kits, person)
    return Help()


def _of_stranger(text: str) -> Command:
    """`link CODE`, with or without a slash, is the one thing that they may say, and that those may
    who have left. All else is refused at the door alike: what a brand allows is told to its
    members."""
    try:
        command = parse(f"/{text.lstrip('/')}", vocabulary=Vocabulary(brand=""))
    except Mistake:
        return Help()
    return command if isinstance(command, LinkAccount) else Help()
