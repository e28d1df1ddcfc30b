"""Understanding: one delivery after another, from what Slack says to the door and to the answer."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from bot.chat.slack_chat.incoming.heard import Heard, Kind
from bot.chat.slack_chat.modals.forms import Forms
from bot.chat.slack_chat.options import SlackOptions
from bot.chat.slack_chat.outgoing.bringing import Bringing
from bot.chat.slack_chat.surfaces import VIEW_IMAGINE
from bot.chat.slack_chat.understanding.clicking import Clicked, Clicking, must_retell
from bot.chat.slack_chat.understanding.repeating import other_version
from bot.chat.slack_chat.understanding.replying import Replying
from bot.chat.slack_chat.understanding.standing import (
    OWN,
    actor_of,
    place_of,
    standing_of,
)
from bot.chat.slack_chat.understanding.stripping import STRIP_WITHIN_S, Strip, Stripping
from bot.chat.slack_chat.understanding.talking import Talking
from bot.chat.slack_chat.web import Webs
from bot.core.answering import answer_here
from bot.core.commands import Command, Imagine
from bot.core.dispatch import REPEATED
from bot.core.erring import said_error
from bot.core.errors import Unavailable
from bot.core.house import House
from bot.core.lines import Standing, loaded_kits
from bot.core.messages import Card
from bot.core.ports import Door
from bot.core.receiving import aside
from bot.core.retelling import newest_card, retell

RETELL_AFTER_S = 1.0
"""A strip whose end nobody knows has landed by then."""

Work = Callable[[Heard], Awaitable[None]]


class Understanding:
    """Works off what was taken in: every kind but those that open and change forms."""

    def __init__(
        self,
        house: House,
        door: Door,
        *,
        webs: Webs,
        options: SlackOptions,
        forms: Forms,
        bringing: Bringing,
        home: Work,
        left: Work,
        strip_within_s: float = STRIP_WITHIN_S,
    ) -> None:
        self._house = house
        self._door = door
        self._stripping = Stripping(house, webs, within_s=strip_within_s)
        self._forms = forms
        self._talking = Talking(house, bringing)
        self._clicking = Clicking(
            house, options=options, forms=forms, bringing=bringing, stripping=self._stripping
        )
        self._replying = Replying(house)
        self._works: dict[Kind, Work] = {
            Kind.COMMAND: self._talk,
            Kind.MENTION: self._talk,
            Kind.TALK: self._talk,
            Kind.ACTION: self._click,
            Kind.REACTION: self._click,
            Kind.SUBMIT: self._click,
            Kind.HOME: home,
            Kind.LEFT: left,
        }

    async def work(self, heard: Heard) -> None:
        """Work one delivery off; safe to repeat. Raises Unavailable where the house can't do it
        now: then it is worked off later."""
        work = self._works.get(heard.kind)
        if work is None:
            raise ValueError(f"{heard.kind.value} is not worked off here")
        heard = self._clicking.where_asked(heard)
        try:
            await work(heard)
        except Unavailable:
            raise
        except Exception as exc:
            card = said_error(exc)  # which logs what nobody foresaw
            if heard.kind in (Kind.HOME, Kind.LEFT):
                raise  # nobody asked for anything
            await self._replying.say(heard, self._refused(heard, card))

    async def _talk(self, heard: Heard) -> None:
        understood = await self._talking.understood(heard)
        if isinstance(understood, Card):
            await self._replying.say(heard, understood)
            return
        card = await self._door.dispatch(understood.command, actor_of(heard))
        await self._answer(heard, understood.command, card, understood.standing)

    async def _click(self, heard: Heard) -> None:
        clicked = await self._clicking.understood(heard)
        if clicked is None:
            return
        heard, command = clicked.heard, clicked.command
        actor = actor_of(heard)
        before = await newest_card(self._house, clicked.standing, place_of(heard))
        strip = await self._stripping.strip(heard, command, actor, clicked.standing)
        card = await self._door.dispatch(command, actor)
        standing = standing_of(heard, await loaded_kits(self._house))
        await self._answer(heard, command, card, standing, clicked.standing)
        await self._set_right(clicked, strip, card, before)
        if heard.view and not heard.channel:  # it was done on the Home tab
            await self._works[Kind.HOME](heard)

    async def _set_right(self, clicked: Clicked, strip: Strip, card: Card, before: str) -> None:
        """`before` is the last card of that subject there before the click counted."""
        refused = card.kind == "error" or card.state == REPEATED
        if not clicked.standing or clicked.heard.kind is Kind.REACTION:
            return
        place = place_of(clicked.heard)
        if must_retell(strip, refused=refused, state=card.state):
            if strip is Strip.UNKNOWN:
                async with aside():
                    await self._house.clock.sleep(RETELL_AFTER_S)
            await retell(self._house, clicked.standing, place)
        elif strip is Strip.GONE and before == await newest_card(
            self._house, clicked.standing, place
        ):
            # The core tells of a thing in its places, and this is none of them any more.
            await retell(self._house, clicked.standing, place)

    async def _answer(
        self, heard: Heard, command: Command, card: Card, standing: Standing, on: str = ""
    ) -> None:
        """`on` is the subject of the card whose button it was."""
        if card.state == REPEATED:
            await self._repeated(heard, command, card)
            return
        answer = answer_here(
            command,
            card,
            audience=standing.audience,
            room_name=standing.name,
            standing=on,
            own=OWN,
        )
        if answer is not None:
            await self._replying.say(heard, self._refused(heard, answer))

    async def _repeated(self, heard: Heard, command: Command, card: Card) -> None:
        if heard.kind is Kind.SUBMIT and isinstance(command, Imagine):
            other = await other_version(self._house, heard, command)
            if other is not None:
                again = replace(heard, key=f"{heard.key}:again")
                await self._replying.say(again, self._forms.given_back(again, other))
                return
        await self._replying.say_repeated(heard, command, card)

    def _refused(self, heard: Heard, card: Card) -> Card:
        """A refusal has with it what was typed into the form that Slack has closed."""
        form = heard.kind is Kind.SUBMIT and heard.command == VIEW_IMAGINE
        return self._forms.given_back(heard, card) if form and card.kind == "error" else card
