"""Forms: what Discord is answered at once, from memory alone."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from bot.chat.discord_chat.forms.asking import ask_form
from bot.chat.discord_chat.forms.choices import choices_for, kit_in_force
from bot.chat.discord_chat.forms.imagining import (
    NEW_ID,
    NOTHING_FOUND,
    lacks_values,
    new_form,
    template_form,
    typed_in,
)
from bot.chat.discord_chat.forms.latest import LatestWords
from bot.chat.discord_chat.heard import Did, Heard
from bot.chat.discord_chat.places import PLATFORM
from bot.chat.discord_chat.surfaces import (
    ASK_PREFIX,
    ASKS,
    BRAND,
    FORM_PREFIX,
    IMAGINE,
    PROMPT,
    TEMPLATE,
    USE_AS_REFERENCE,
)
from bot.core.actions import REFERENCE
from bot.core.board import KitBoard
from bot.core.errors import NotAllowed
from bot.core.house import House
from bot.core.ids import is_id
from bot.core.messages import Actor, ChannelRef
from bot.core.policy import has_part, may_handle
from bot.core.restricting import check_rules
from bot.core.vocabulary import Vocabulary
from brand.kit import BrandKit
from brand.kit_access import REQUEST


class Forms:
    """Choices and forms. What is allowed for good is decided at the door."""

    def __init__(self, house: House) -> None:
        self._board = KitBoard(house, PLATFORM)
        self._latest = LatestWords(house)

    async def refresh(self) -> None:
        """Read the kits and members anew. Raises Unavailable."""
        await self._board.refresh()

    @asynccontextmanager
    async def refreshing(self) -> AsyncIterator[None]:
        """All is in memory, and kept fresh, while the block runs. Must be entered before anything
        is taken in."""
        async with self._board.refreshing(), self._latest.following():
            yield

    # ------------------------------------------------------------------------ while they type

    def choices(
        self,
        user: str,
        roles: tuple[str, ...],
        guild: str,
        channel: str,
        command: str,
        focused: str,
        typed: str,
        options: Mapping[str, str],
    ) -> list[tuple[str, str]]:
        """(name, value) of what fits: at most 25, those that this account may use; none for
        somebody unknown."""
        place = ChannelRef(platform=PLATFORM, channel=channel)
        actor = _speaker(user, roles, guild, place)
        kits = self._askable(actor) if command == IMAGINE else self._part_in(user)
        if not kits:
            return []
        here = self._board.first_of(kits, place)
        return choices_for(focused, typed, kits, kit_in_force(kits, options, here))

    # ------------------------------------------------------------------------------- forms

    def form(self, custom_id: str, heard: Heard) -> dict[str, Any] | None:
        """The form of a button `ask:WHAT:ACTION`; None where there is nothing to ask."""
        what, _, action = custom_id.removeprefix(ASK_PREFIX).partition(":")
        if not custom_id.startswith(ASK_PREFIX) or what not in ASKS or not action:
            return None
        if what == REFERENCE:
            return self._from_ours(action, heard)
        said = self._words(action, heard) if what == "words" else ""
        return ask_form(what, action, said=said)

    def form_for(self, heard: Heard) -> dict[str, Any] | None:
        """The form that a command opens before it does anything; None where it needs none, and
        for somebody who is to be told why they can't ask for pictures."""
        kits = self._kits(heard.user)
        if not kits:
            return None
        if heard.did is Did.MENU and heard.command == USE_AS_REFERENCE:
            return self._from_message(kits, heard)
        if heard.did is Did.COMMAND and heard.command == IMAGINE and not heard.files:
            return self._for_imagine(kits, heard)
        return None

    def _for_imagine(self, kits: tuple[BrandKit, ...], heard: Heard) -> dict[str, Any] | None:
        """An attached picture can't travel through a form, so with one there is none."""
        options = {name: value for name, value in heard.options if value.strip()}
        kit = kit_in_force(kits, options, self._here(kits, heard))
        typed, given = typed_in(options.get(PROMPT, ""), kit)
        name = options.get(TEMPLATE, "") or typed
        if not name:
            return None if options.get(PROMPT) else new_form(kit, options)
        template = Vocabulary.of(kit).template(name)
        if template is None or not lacks_values(template, given):
            return None
        return template_form(kit, template, options, given)

    def _from_message(self, kits: tuple[BrandKit, ...], heard: Heard) -> dict[str, Any]:
        kit, has = self._here(kits, heard), bool(heard.files)
        return new_form(
            kit,
            {},
            custom_id=f"{NEW_ID}:{heard.message}" if has else NEW_ID,
            has_picture=has,
            about="It starts from the picture you chose." if has else NOTHING_FOUND,
        )

    def _from_ours(self, action: str, heard: Heard) -> dict[str, Any] | None:
        asset = action.partition(":")[2]
        kits = self._kits(heard.user)
        if not kits or not is_id(asset):
            return None
        known = self._latest.of(asset)
        kit = next((kit for kit in kits if known and kit.id == known.brand), None)
        kit = kit or self._here(kits, heard)
        options = {BRAND: kit.id} if len(kits) > 1 else {}
        return new_form(
            kit,
            options,
            custom_id=f"{FORM_PREFIX}{REFERENCE}:{action}",
            has_picture=True,
            about="It starts from the picture you chose.",
        )

    def _words(self, action: str, heard: Heard) -> str:
        """The words of a picture, for those who may go on with it."""
        known = self._latest.of(action.partition(":")[2])
        person = self._board.person("", heard.user)
        kit = self._board.kit(known.brand) if known else None
        if known is None or kit is None or person is None or not self._may_ask(kit, heard.user):
            return ""
        try:
            may_handle(kit, person, known.requester)
        except NotAllowed:
            return ""
        return known.words

    # ------------------------------------------------------------------------------ memory

    def _kits(self, user: str) -> tuple[BrandKit, ...]:
        return self._board.kits_of("", user)

    def _askable(self, actor: Actor) -> tuple[BrandKit, ...]:
        """Those for which they may ask here, by the kits' [[access]] too."""
        return tuple(kit for kit in self._kits(actor.user) if _lets_ask(kit, actor))

    def _may_ask(self, kit: BrandKit, user: str) -> bool:
        return kit.id in [one.id for one in self._kits(user)]

    def _part_in(self, user: str) -> tuple[BrandKit, ...]:
        """The brands that are theirs to read."""
        person = self._board.person("", user)
        return tuple(kit for kit in self._board.kits if person and has_part(kit, person))

    def _here(self, kits: tuple[BrandKit, ...], heard: Heard) -> BrandKit:
        place = ChannelRef(platform=PLATFORM, channel=heard.channel)
        return self._board.first_of(kits, place)


def _speaker(user: str, roles: tuple[str, ...], guild: str, place: ChannelRef) -> Actor:
    return Actor(
        platform=PLATFORM,
        user=user,
        name="",
        channel=place,
        groups=frozenset(f"{PLATFORM}:{role}" for role in roles),
        place=f"{PLATFORM}:{guild}" if guild else "",
    )


def _lets_ask(kit: BrandKit, actor: Actor) -> bool:
    try:
        check_rules(kit, actor, REQUEST)
    except NotAllowed:
        return False
    return True
