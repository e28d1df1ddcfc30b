"""What people type: the options of a command as the line that one would type in any chat.

The grammar reads that line, so that a flag among the words, an option and a mistake in either mean
the same everywhere. An attached picture is fetched once the rest of the line is understood.
"""

from dataclasses import dataclass

from bot.chat.discord_chat.forms.bringing import Bringing
from bot.chat.discord_chat.forms.reading import is_for_picture, line_of, message_of
from bot.chat.discord_chat.heard import Did, Heard
from bot.chat.discord_chat.places import PLATFORM
from bot.chat.discord_chat.surfaces import BRAND, COMMANDS
from bot.chat.discord_chat.understanding.standing import place_of
from bot.chat.discord_chat.understanding.words import typed_text
from bot.core.commands import Command, Help, Imagine
from bot.core.errors import Mistake
from bot.core.grammar import NotACommand, parse
from bot.core.grammar_text import quoted
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
)

ANY_LINE = "housestyle"
"""The command whose option is a whole line."""


@dataclass(frozen=True, kw_only=True)
class Understood:
    """A line as a command, and where it was said."""

    command: Command
    standing: Standing


class Talking:
    """Makes commands of lines."""

    def __init__(self, house: House, bringing: Bringing) -> None:
        self._house = house
        self._bringing = bringing

    async def understood(self, heard: Heard) -> Understood:
        """The line as a command, with the picture that came with it. Raises Mistake, NotAllowed,
        NotFound, what bringing a picture raises, Unavailable."""
        text = line_said(heard)
        who = await speaker(self._house, PLATFORM, heard.user)
        standing = standing_of_line(text, place_of(heard), who, room_name=heard.channel_name)
        own = standing.kit.channels if standing.kit in who.own else ()
        text = typed_text(text, own)
        command = said_outside(text, standing, who)
        if command is None:
            command = _of_brand(heard) or await self._inside(heard, text, standing, who)
        return Understood(command=settled_brand(command, standing, who), standing=standing)

    async def _inside(self, heard: Heard, text: str, standing: Standing, who: Speaker) -> Command:
        words = vocabulary_at(standing, who)
        wrong: Mistake | None = None
        command: Command | NotACommand | None = None
        try:
            command = parse(text, vocabulary=words)
        except Mistake as exc:
            wrong = exc  # perhaps a picture that it lacks comes with it
        if wrong is not None or isinstance(command, Imagine):
            picture = await self._picture(heard, who, standing)
            if picture:
                return meant(parse(text, vocabulary=words, attached=picture))
        if wrong is not None:
            raise wrong
        return meant(command)

    async def _picture(self, heard: Heard, who: Speaker, standing: Standing) -> str:
        """The picture that came along; one of ours is named in the line itself."""
        comes_along = bool(heard.files) or bool(message_of(heard))
        if who.person is None or not comes_along or not is_for_picture(heard):
            return ""
        return await self._bringing.picture(heard, who.person, brand=standing.kit.id)


def line_said(heard: Heard) -> str:
    """The command as one line. Raises Mistake for what is not ours."""
    if is_for_picture(heard):
        return line_of(heard)
    known = COMMANDS.get(heard.command) if heard.did is Did.COMMAND else None
    if known is None:
        raise Mistake("This command isn't one of ours.", fix="`/help` lists what there is.")
    values = " ".join(_said(name, value) for name, value in heard.options if value.strip())
    if heard.command == ANY_LINE:
        return f"/{values.lstrip('/')}"
    return f"{known.line} {values}".strip()


def _said(name: str, value: str) -> str:
    if name != BRAND:
        return value.strip()
    return f"--brand {quoted(value.strip()) if ' ' in value.strip() else value.strip()}"


def _of_brand(heard: Heard) -> Command | None:
    """`/brand` asks for the help of a brand, which no line names."""
    if heard.did is not Did.COMMAND or heard.command != BRAND:
        return None
    return Help(topic="templates", brand=heard.option(BRAND).strip())
