"""What people press: buttons, emoji, the send button of a form. All of it ends as a command.

A click always gets an answer: the card that it stands on changes, or the person is told, also of
a button that is not ours, of a card from before a restart, and of a review that is over.
"""

from dataclasses import dataclass, replace

from bot.chat.slack_chat.incoming.heard import Heard, Kind
from bot.chat.slack_chat.modals.forms import Forms
from bot.chat.slack_chat.modals.reading import Origin
from bot.chat.slack_chat.options import SlackOptions
from bot.chat.slack_chat.outgoing.bringing import Bringing
from bot.chat.slack_chat.places import PLATFORM
from bot.chat.slack_chat.surfaces import VIEW_IMAGINE
from bot.chat.slack_chat.understanding.stripping import Strip, Stripping
from bot.chat.slack_chat.understanding.words import emoji_name
from bot.core.actions import REACTIONS, command_for_reaction, parse_action
from bot.core.commands import Command
from bot.core.errors import ChatUnavailable, Unavailable
from bot.core.house import House
from bot.core.receiving import aside

APPROVING, REJECTING = "white_check_mark", "x"
"""What a configured emoji counts as."""
FRESH_S = 60.0
"""A message that is no older may be a card whose sending is not written down yet."""
WRITTEN_AFTER_S = 1.0


@dataclass(frozen=True, kw_only=True)
class Clicked:
    """A click as a command."""

    command: Command
    heard: Heard
    """With the place where the answer belongs."""
    standing: str = ""
    """The subject of the card that was clicked, where it is known."""


class Clicking:
    """Makes commands of clicks."""

    def __init__(
        self,
        house: House,
        *,
        options: SlackOptions,
        forms: Forms,
        bringing: Bringing,
        stripping: Stripping,
    ) -> None:
        self._house = house
        self._options = options
        self._forms = forms
        self._bringing = bringing
        self._stripping = stripping

    def where_asked(self, heard: Heard) -> Heard:
        """A form as if it had been sent off where it was asked for, its mistakes told there."""
        return _at(heard, self._forms.origin_of(heard)) if heard.kind is Kind.SUBMIT else heard

    async def understood(self, heard: Heard) -> Clicked | None:
        """The command; None for a reaction that means nothing. Raises Mistake, what bringing a
        picture raises, and Unavailable."""
        if heard.kind is Kind.SUBMIT:
            return await self._submitted(heard)
        standing = await self._stripping.standing(heard)
        if heard.kind is Kind.REACTION:
            return await self._reacted(heard, standing)
        command = parse_action(heard.action, heard.text)
        return Clicked(command=command, heard=heard, standing=standing)

    async def _reacted(self, heard: Heard, standing: str) -> Clicked | None:
        meaning = self._meaning(heard.emoji)
        if not standing and meaning in REACTIONS and _is_fresh(heard):
            # Perhaps a card whose sending is not written down yet: people can be that quick.
            async with aside():
                await self._house.clock.sleep(WRITTEN_AFTER_S)
            standing = await self._stripping.standing(heard)
        command = command_for_reaction(standing, meaning)
        return Clicked(command=command, heard=heard, standing=standing) if command else None

    async def _submitted(self, heard: Heard) -> Clicked:
        if heard.command == VIEW_IMAGINE:
            command = await self._with_picture(heard)
            return Clicked(command=command, heard=heard)
        action, said, _ = self._forms.answer_of(heard)
        standing = await self._stripping.standing(heard) if heard.message else ""
        return Clicked(command=parse_action(action, said), heard=heard, standing=standing)

    async def _with_picture(self, heard: Heard) -> Command:
        command = self._forms.command_of(heard)
        async with self._house.store.read() as tx:
            person = await tx.people.by_identity(PLATFORM, heard.user, heard.team)
        if person is None:
            return command  # the door refuses it
        try:
            picture = await self._bringing.picture(heard, person, brand=command.brand)
        except ChatUnavailable as exc:
            raise Unavailable(exc.message) from exc
        if not picture:
            return command
        return replace(command, brief=replace(command.brief, reference=picture))

    def _meaning(self, emoji: str) -> str:
        name = emoji_name(emoji)
        if name in self._options.approve_emoji:
            return APPROVING
        return REJECTING if name in self._options.reject_emoji else name


def _is_fresh(heard: Heard) -> bool:
    """Whether somebody reacted right after the message came; its id is Slack's time of it."""
    try:
        return heard.at > 0 and heard.at - float(heard.message) < FRESH_S
    except ValueError:
        return False


def _at(heard: Heard, origin: Origin) -> Heard:
    """The form as if it had been sent off where it was asked for."""
    return replace(
        heard, channel=origin.channel, message=origin.message, thread=origin.thread, blocks=""
    )


def must_retell(strip: Strip, *, refused: bool, state: str) -> bool:
    """Whether the card that was clicked has to be told anew: its buttons went and nothing came of
    it, nobody knows whether they went, or it shows what is over."""
    if strip is Strip.UNKNOWN:
        return True
    over = state in ("conflict", "stale_state", "repeated")
    return refused and (strip is Strip.GONE or over)
