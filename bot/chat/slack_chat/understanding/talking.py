"""What people type: `/imagine …`, `@Housestyle …`, a line in the direct messages.

All three are the same line. The slash may stand before any other command too (`/imagine /people`,
`@Housestyle /send ID`), and what is no command is what the picture should show.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.chat.slack_chat.incoming.heard import Heard, Kind
from bot.chat.slack_chat.outgoing.bringing import Bringing
from bot.chat.slack_chat.places import PLATFORM
from bot.chat.slack_chat.understanding.meant import in_passing, is_talk, passing_card, talk_card
from bot.chat.slack_chat.understanding.standing import place_of
from bot.chat.slack_chat.understanding.words import addressed_text, channel_name, typed_text
from bot.core.commands import Command, Imagine
from bot.core.errors import ChatUnavailable, Mistake, Unavailable
from bot.core.grammar import NotACommand, parse
from bot.core.house import House
from bot.core.lines import (
    Speaker,
    Standing,
    meant,
    said_outside,
    settled_brand,
    speaker,
    standing_of_line,
    vocabulary_at,
    with_slash,
)
from bot.core.messages import Card
from brand.kit import BrandKit


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
        who = await speaker(self._house, PLATFORM, heard.user, heard.team)
        text = _text(heard, who.kits)
        room_name = channel_name(heard.channel_name)
        standing = standing_of_line(text, place_of(heard), who, room_name=room_name)
        command = said_outside(text, standing, who) or await self._inside(
            heard, text, standing, who
        )
        if isinstance(command, Card):
            return command
        return Understood(command=settled_brand(command, standing, who), standing=standing)

    async def _inside(
        self, heard: Heard, text: str, standing: Standing, who: Speaker
    ) -> Command | Card:
        words = vocabulary_at(standing, who)
        line = with_slash(text)
        wrong: Mistake | None = None
        command: Command | NotACommand | None = None
        try:
            command = parse(line, vocabulary=words)
        except Mistake as exc:
            wrong = exc  # perhaps a picture that it lacks comes with it
        if isinstance(command, Imagine) and is_talk(heard, text, command.brief):
            return talk_card(text)
        if wrong is not None or isinstance(command, Imagine):
            picture = await self._picture(heard, who, standing)
            if picture:
                return meant(parse(line, vocabulary=words, attached=picture))
        if wrong is not None:
            raise wrong
        return meant(command)

    async def _picture(self, heard: Heard, who: Speaker, standing: Standing) -> str:
        if heard.kind is Kind.COMMAND or who.person is None:
            return ""  # Slack lets no file come with a command
        try:
            return await self._bringing.picture(heard, who.person, brand=standing.kit.id)
        except ChatUnavailable as exc:
            raise Unavailable(exc.message) from exc


def _text(heard: Heard, kits: Sequence[BrandKit]) -> str:
    channels = {
        item.channel_id: item.name
        for kit in kits
        for item in kit.channels
        if item.platform == PLATFORM
    }
    read = addressed_text if heard.kind is Kind.MENTION else typed_text
    return read(heard.text, channels=channels, bot_user=heard.bot_user)
