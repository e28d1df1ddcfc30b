"""What people type: `/imagine …`, `@Housestyle …`, a line in the direct messages.

All three are the same line. The slash may stand before any other command too (`/imagine /people`,
`@Housestyle /send ID`), and what is no command is what the picture should show.
"""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.chat.slack_chat.incoming.heard import Heard, Kind
from bot.chat.slack_chat.outgoing.bringing import Bringing
from bot.chat.slack_chat.places import PLATFORM
from bot.chat.slack_chat.understanding.meant import (
    EXAMPLE,
    in_passing,
    is_talk,
    passing_card,
    talk_card,
)
from bot.chat.slack_chat.understanding.standing import Standing, standing_of
from bot.chat.slack_chat.understanding.words import addressed_text, typed_text
from bot.core.commands import Command, Find, Help, Imagine, LinkAccount, Queue, Usage
from bot.core.errors import ChatUnavailable, Mistake, NotFound, Unavailable
from bot.core.grammar import NotACommand, parse
from bot.core.house import House
from bot.core.messages import Card
from bot.core.people import Person
from bot.core.policy import has_part, may_request, may_request_somewhere
from bot.core.vocabulary import Vocabulary
from brand.kit import BrandKit

log = logging.getLogger(__name__)

IMAGINE = "/imagine"
_NAMED_BRAND = re.compile(r"--brand[ =]\s*(\S+)")


@dataclass(frozen=True, kw_only=True)
class Understood:
    """A line as a command, and where it was said."""

    command: Command
    standing: Standing


class Talking:
    """Makes commands of typed lines."""

    def __init__(self, house: House, bringing: Bringing) -> None:
        self._house = house
        self._bringing = bringing

    async def understood(self, heard: Heard) -> Understood | Card:
        """The line as a command, with the picture that came with it, or the answer to one that
        asks for nothing. Raises Mistake, NotFound, what bringing a picture raises, Unavailable."""
        if in_passing(heard):
            return passing_card()
        async with self._house.store.read() as tx:
            kits = await tx.kits.all()
            person = await tx.people.by_identity(PLATFORM, heard.user, heard.team)
        if not kits:
            raise NotFound("No brand kit is loaded.", fix="Ask an admin to put one in.")
        text = _text(heard, kits)
        standing = _standing(heard, kits, person, text)
        command = await self._command(heard, text, standing, kits, person)
        if isinstance(command, Card):
            return command
        if isinstance(command, Imagine | Queue | Find | Usage) and not command.brand:
            settled = standing.is_brands or len(_open_to(kits, person)) == 1
            command = replace(command, brand=standing.kit.id if settled else "")
        return Understood(command=command, standing=standing)

    async def _command(
        self,
        heard: Heard,
        text: str,
        standing: Standing,
        kits: Sequence[BrandKit],
        person: Person | None,
    ) -> Command | Card:
        if person is None or not person.active:
            return _of_stranger(text)
        own = [kit for kit in kits if has_part(kit, person)]
        brands = tuple(kit.id for kit in own)
        if standing.kit not in own:
            return _of_outsider(text, standing, kits, person, brands)
        words = Vocabulary.of(standing.kit, brands=brands)
        line = _line(text)
        wrong: Mistake | None = None
        command: Command | NotACommand | None = None
        try:
            command = parse(line, vocabulary=words)
        except Mistake as exc:
            wrong = exc  # perhaps a picture that it lacks comes with it
        if isinstance(command, Imagine) and is_talk(heard, text, command.brief):
            return talk_card(text)
        if wrong is not None or isinstance(command, Imagine):
            picture = await self._picture(heard, person, standing)
            if picture:
                return _said(parse(line, vocabulary=words, attached=picture))
        if wrong is not None:
            raise wrong
        return _said(command)

    async def _picture(self, heard: Heard, person: Person, standing: Standing) -> str:
        if heard.kind is Kind.COMMAND:
            return ""  # Slack lets no file come with one
        try:
            return await self._bringing.picture(heard, person, brand=standing.kit.id)
        except ChatUnavailable as exc:
            raise Unavailable(exc.message) from exc


def _said(command: Command | NotACommand | None) -> Command:
    if command is None or isinstance(command, NotACommand):
        raise Mistake("There is nothing in it that I could do.", fix=f"Try `{EXAMPLE}`.")
    return command


def _text(heard: Heard, kits: Sequence[BrandKit]) -> str:
    channels = {
        item.channel_id: item.name
        for kit in kits
        for item in kit.channels
        if item.platform == PLATFORM
    }
    read = addressed_text if heard.kind is Kind.MENTION else typed_text
    return read(heard.text, channels=channels, bot_user=heard.bot_user)


def _standing(heard: Heard, kits: Sequence[BrandKit], person: Person | None, text: str) -> Standing:
    """With the brand that the line names, else the channel's, else the first that is open to
    them."""
    said = _NAMED_BRAND.search(text)
    own = [kit for kit in kits if person is not None and has_part(kit, person)]
    named = [kit for kit in own if said and said[1].casefold() in _names(kit)]
    if named:
        return standing_of(heard, named)
    first = next(iter((*_open_to(kits, person), *own, *kits)))
    return standing_of(heard, kits, chosen=first.id)


def _names(kit: BrandKit) -> tuple[str, str]:
    return kit.id.casefold(), kit.name.casefold()


def _open_to(kits: Sequence[BrandKit], person: Person | None) -> list[BrandKit]:
    """The brands of which this person may ask for pictures."""
    if person is None:
        return []
    return [kit for kit in kits if kit.review.allows_request(person.id, person.roles_in(kit.id))]


def _of_outsider(
    text: str,
    standing: Standing,
    kits: Sequence[BrandKit],
    person: Person,
    brands: tuple[str, ...],
) -> Command:
    """What a member says who has no part in the brand in force. What is no picture of it goes on;
    what else is wrong with a line is told in no words of the brand. Raises NotAllowed."""
    try:
        words = Vocabulary(brand=standing.kit.name, brands=brands)
        command = _said(parse(_line(text), vocabulary=words))
        guessed = not brands and isinstance(command, Queue | Find | Usage) and bool(command.brand)
        if not guessed and not isinstance(command, Imagine):
            return command
    except Mistake:
        log.info("A line of somebody without a part in the brand is not understood")
    if standing.is_brands:
        may_request(standing.kit, person)
    may_request_somewhere(kits, person)
    return Help()


def _line(text: str) -> str:
    return text if text.startswith("/") else f"{IMAGINE} {text}".strip()


def _of_stranger(text: str) -> Command:
    """`link CODE`, with or without a slash, is the one thing that they may say, and that those may
    who have left. All else is refused at the door alike: what a brand allows is told to its
    members."""
    try:
        command = parse(f"/{text.lstrip('/')}", vocabulary=Vocabulary(brand=""))
    except Mistake:
        return Help()
    return command if isinstance(command, LinkAccount) else Help()
