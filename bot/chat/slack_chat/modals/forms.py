"""Forms: everything about modals that the rest of the adapter asks for."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from bot.chat.slack_chat.incoming.heard import Heard, Kind
from bot.chat.slack_chat.modals.asking import ANSWER, answer_in, question_of
from bot.chat.slack_chat.modals.judging import judge, judge_words
from bot.chat.slack_chat.modals.keeping import Keeping, given_back, line_of
from bot.chat.slack_chat.modals.opening import Opener
from bot.chat.slack_chat.modals.picking import brand_options, template_options
from bot.chat.slack_chat.modals.reading import Origin, loaded_object, said_of, state_of
from bot.chat.slack_chat.modals.wish import imagine_of, wish_of
from bot.chat.slack_chat.places import PLATFORM
from bot.chat.slack_chat.surfaces import PICK_BRAND, VIEW_ASK, VIEW_IMAGINE
from bot.chat.slack_chat.web import Webs
from bot.core.board import KitBoard
from bot.core.commands import Imagine
from bot.core.errors import Mistake
from bot.core.house import House
from bot.core.messages import Card
from brand.kit import BrandKit


class Forms:
    """Opens forms, answers for them from memory, and reads what was sent off in them."""

    def __init__(self, house: House, webs: Webs) -> None:
        self._board = KitBoard(house, PLATFORM)
        self._keeping = Keeping(house.clock)
        self._opener = Opener(house, webs, self._board, self._keeping)

    async def refresh(self) -> None:
        """Read the kits and members anew. Raises Unavailable."""
        await self._board.refresh()

    @asynccontextmanager
    async def refreshing(self) -> AsyncIterator[None]:
        """Kits and members are in memory, and kept fresh, while the block runs. Must be entered
        before anything is taken in."""
        async with self._board.refreshing():
            yield

    # ------------------------------------------------------------------------ before the ack

    def errors(self, view: dict[str, Any]) -> dict[str, str]:
        """Block id -> what is wrong there, of a form that was sent off; empty where all is well."""
        if view.get("callback_id") == VIEW_IMAGINE:
            return judge(view, self._board.kits)
        if view.get("callback_id") != VIEW_ASK:
            return {}
        question = question_of(_metadata(view))
        words = judge_words(question, answer_in(state_of(view)), self._board.kit(question.brand))
        return {ANSWER: words} if words else {}

    def options(self, action_id: str, typed: str, view: dict[str, Any]) -> dict[str, Any]:
        """The answer to a load of a picker's options."""
        wish = wish_of(_metadata(view), state_of(view))
        kits = self._board.kits_of(wish.team, wish.user)
        if action_id == PICK_BRAND:
            return brand_options(kits, typed)
        kit = next((kit for kit in kits if kit.id == wish.brand), None)
        return template_options(kit, typed) if kit else {"options": []}

    # ------------------------------------------------------------------------ after the ack

    async def live(self, heard: Heard) -> None:
        """Open a form, or change an open one. Raises Unavailable."""
        if heard.kind is Kind.SWITCH:
            await self._opener.switch(heard)
        else:
            await self._opener.open(heard)

    def command_of(self, heard: Heard) -> Imagine:
        """The command of the form for a picture; its reference picture is left to be brought.
        Raises Mistake."""
        wish = wish_of(heard.metadata, loaded_object(heard.state))
        kit = self._board.kit(wish.brand)
        if kit is None:
            raise Mistake(
                "This brand isn't here any more. Nothing was queued.",
                fix="Type `/imagine` again.",
                field="brand",
            )
        return imagine_of(wish, kit)

    def given_back(self, heard: Heard, card: Card) -> Card:
        """The refusal of a form for a picture, with all that was typed into it."""
        wish = wish_of(heard.metadata, loaded_object(heard.state))
        self._keeping.keep(heard.key, replace(wish, team=heard.team, user=heard.user))
        kit = self._board.kit(wish.brand)
        try:
            line = line_of(imagine_of(wish, kit), kit) if kit else ""
        except Mistake:
            line = ""  # the form alone can show it
        return given_back(card, heard.key, line)

    def origin_of(self, heard: Heard) -> Origin:
        """Where a form that was sent off had been asked for."""
        return Origin.of(said_of(heard.metadata).texts("o"))

    def answer_of(self, heard: Heard) -> tuple[str, str, Origin]:
        """(the button's action, what was answered, where its card stands)."""
        question = question_of(heard.metadata)
        return question.action, answer_in(loaded_object(heard.state)), question.origin

    def kit(self, brand: str) -> BrandKit | None:
        """A brand as it is in memory."""
        return self._board.kit(brand)


def _metadata(view: dict[str, Any]) -> str:
    metadata = view.get("private_metadata")
    return metadata if isinstance(metadata, str) else ""
