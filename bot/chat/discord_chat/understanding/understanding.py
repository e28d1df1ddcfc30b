"""Understanding: one delivery after another, from what people did to the door and to the answer."""

from collections.abc import Awaitable, Callable

from bot.chat.discord_chat.forms.bringing import Bringing
from bot.chat.discord_chat.forms.reading import is_for_picture, line_of
from bot.chat.discord_chat.heard import Did, Heard
from bot.chat.discord_chat.options import DiscordOptions
from bot.chat.discord_chat.rest import Rest
from bot.chat.discord_chat.surfaces import USE_AS_REFERENCE
from bot.chat.discord_chat.understanding.clicking import Clicking
from bot.chat.discord_chat.understanding.reacting import Reacting
from bot.chat.discord_chat.understanding.replying import Replying, stands_here
from bot.chat.discord_chat.understanding.resyncing import Resyncing
from bot.chat.discord_chat.understanding.standing import (
    actor_of,
    own_places,
    place_of,
    standing_of,
)
from bot.chat.discord_chat.understanding.talking import Talking
from bot.chat.discord_chat.understanding.voting import Voting
from bot.core.actions import REFERENCE
from bot.core.answering import MAKE_A_JOB, answer_here, told
from bot.core.caller import known
from bot.core.commands import Command
from bot.core.dispatch import REPEATED
from bot.core.erring import asked_for, said_error
from bot.core.errors import ChatUnavailable, Mistake, Unavailable
from bot.core.house import House
from bot.core.lines import Standing, loaded_kits
from bot.core.messages import Card
from bot.core.people import Person
from bot.core.policy import may_request_somewhere
from bot.core.ports import Door
from bot.core.retelling import retell

Work = Callable[[Heard], Awaitable[None]]
OVER = ("conflict", "stale_state", REPEATED)
"""State words of refusals after which the card that was clicked may show what is past."""


class Understanding:
    """Works off what was taken in."""

    def __init__(
        self,
        house: House,
        door: Door,
        *,
        rest: Rest,
        options: DiscordOptions,
        bringing: Bringing,
    ) -> None:
        self._house = house
        self._door = door
        self._bringing = bringing
        self._talking = Talking(house, bringing)
        self._clicking = Clicking(house)
        self._replying = Replying(house)
        voting = Voting(house, door, rest=rest, options=options, replying=self._replying)
        self._reacting = Reacting(
            house,
            door,
            rest=rest,
            options=options,
            clicking=self._clicking,
            voting=voting,
            replying=self._replying,
        )
        self._resyncing = Resyncing(house, rest=rest, options=options, voting=voting)
        self._works: dict[Did, Work] = {
            Did.COMMAND: self._talk,
            Did.MENU: self._menu,
            Did.ACTION: self._click,
            Did.SUBMIT: self._submit,
            Did.REACTED: self._reacting.work,
            Did.UNREACTED: self._reacting.work,
            Did.RESYNC: self._resyncing.work,
        }

    async def work(self, heard: Heard) -> None:
        """Work one delivery off; safe to repeat. Raises Unavailable where the house or Discord
        can't do it now: then it is worked off later."""
        try:
            await self._works[heard.did](heard)
        except Unavailable:
            raise
        except ChatUnavailable as exc:
            raise Unavailable(exc.message) from exc
        except Exception as exc:
            if heard.did is Did.RESYNC:
                raise  # nobody asked for anything
            card = said_error(exc)  # which logs what nobody foresaw
            if heard.did in (Did.REACTED, Did.UNREACTED):
                await self._replying.tell(heard, card)
            else:
                await self._replying.say(heard, _given_back(heard, card))

    async def _talk(self, heard: Heard) -> None:
        understood = await self._talking.understood(heard)
        card = await self._door.dispatch(understood.command, actor_of(heard))
        await self._answer(heard, understood.command, card, understood.standing)

    async def _submit(self, heard: Heard) -> None:
        await (self._talk(heard) if is_for_picture(heard) else self._click(heard))

    async def _menu(self, heard: Heard) -> None:
        if heard.command == USE_AS_REFERENCE:
            await self._remember(heard)
        else:
            await self._click(heard)

    async def _remember(self, heard: Heard) -> None:
        """Its form is open meanwhile; where none could be opened, the person is told why."""
        person = await self._asking(heard)
        await self._bringing.remember(heard, person)
        if heard.acked:  # what is in memory for forms may be older than their role
            raise Mistake(
                "The form for it did not open.", fix="Choose *Use as reference* once more."
            )

    async def _asking(self, heard: Heard) -> Person:
        """Who may ask for pictures of some brand. Raises NotAllowed."""
        async with self._house.store.read() as tx:
            caller = await known(tx, actor_of(heard))
        may_request_somewhere(await loaded_kits(self._house), caller.person)
        return caller.person

    async def _click(self, heard: Heard) -> None:
        if heard.action.startswith(f"{REFERENCE}:"):
            await self._asking(heard)  # for anybody else no form opens
        clicked = await self._clicking.understood(heard)
        card = await self._door.dispatch(clicked.command, actor_of(heard))
        standing = standing_of(heard, await loaded_kits(self._house))
        await self._answer(heard, clicked.command, card, standing, clicked.standing)
        if clicked.standing and card.state in OVER:
            await retell(self._house, clicked.standing, place_of(heard))

    async def _answer(
        self, heard: Heard, command: Command, card: Card, standing: Standing, on: str = ""
    ) -> None:
        """`on` is the subject of the card whose button it was. Discord shows that we think until
        something is said."""
        if card.state == REPEATED:
            await self._replying.say_repeated(heard, card)
            return
        answer = answer_here(
            command,
            card,
            audience=standing.audience,
            room_name=standing.name,
            standing=on,
            own=own_places(self._house.base_url),
        )
        if answer is None:
            makes = isinstance(command, MAKE_A_JOB)
            answer = (
                stands_here(card, standing.audience, self._house.base_url)
                if makes
                else told(command, card)
            )
        await self._replying.say(heard, _given_back(heard, answer))


def _given_back(heard: Heard, card: Card) -> Card:
    """A refusal has with it what was typed: Discord has closed the form."""
    if card.kind != "error":
        return card
    if is_for_picture(heard):
        return asked_for(card, line_of(heard))
    return asked_for(card, heard.said, called="What you wrote")
