"""Opening forms and changing open ones: from memory and Slack alone, for a `trigger_id` lives for
three seconds. Where something must be read first, a view that says so is opened before."""

import asyncio
import logging
from dataclasses import dataclass, replace

from slack_sdk.models.views import View

from bot.chat.slack_chat.incoming.heard import Heard
from bot.chat.slack_chat.methods import Method
from bot.chat.slack_chat.modals.asking import (
    ASKS,
    REASON,
    Question,
    ask_view,
    loading_view,
    refusal_view,
)
from bot.chat.slack_chat.modals.changing import Changes, Changing
from bot.chat.slack_chat.modals.imagine import imagine_view
from bot.chat.slack_chat.modals.keeping import NOT_HERE, Keeping, wants_again, without_file
from bot.chat.slack_chat.modals.late import tell_failed, tell_late
from bot.chat.slack_chat.modals.prefilling import allowed, words_now
from bot.chat.slack_chat.modals.reading import Origin, Reference, loaded_object
from bot.chat.slack_chat.modals.wish import Wish, unchosen, wish_of
from bot.chat.slack_chat.outgoing.bringing import Bringing, files_of
from bot.chat.slack_chat.places import PLATFORM
from bot.chat.slack_chat.rendering.limits import checked_view
from bot.chat.slack_chat.surfaces import OPEN_PREFIX, REFERENCE_SHORTCUT
from bot.chat.slack_chat.web import SlackRefused, Webs
from bot.core.board import KitBoard
from bot.core.errors import ChatError, ChatUnavailable, HousestyleError, Unavailable
from bot.core.house import House
from bot.core.ids import is_id
from bot.core.messages import ChannelRef
from brand.kit import BrandKit

log = logging.getLogger(__name__)

READ_S = 2.5
"""How long an open view waits for what is to be read."""
GONE = ("not_found", "view_not_found")
"""Slack's words for a view that the person has closed."""
TOO_LATE = ("expired_trigger_id", "invalid_trigger_id", "trigger_expired")
"""Of a trigger whose three seconds are over."""
OPEN_ALREADY = ("exchanged_trigger_id", "trigger_exchanged")
"""Of a trigger that opened its form: the same delivery came to another process, or twice."""
CHANGED = "hash_conflict"
CROSSED = "Two choices crossed. Look at the brand, and choose the template once more."
NO_PICTURE = (
    "That message has no picture that I can take. Add a file below, or close this and use the "
    "shortcut on a message that has one."
)


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A view that stands open."""

    id: str
    hash: str


class Opener:
    """Works off what people want of forms."""

    def __init__(self, house: House, webs: Webs, board: KitBoard, keeping: Keeping) -> None:
        self._house = house
        self._keeping = keeping
        self._webs = webs
        self._board = board
        self._bringing = Bringing(house, webs)
        self._changes = Changes()

    async def open(self, heard: Heard) -> None:
        """Open the form that was asked for, or say that it is too late."""
        try:
            if heard.action and heard.text in ASKS:
                await self._ask(heard)
            else:
                await self._imagine(heard)
        except ChatUnavailable:
            await tell_late(self._house, heard)
        except ChatError as exc:
            said = exc.error if isinstance(exc, SlackRefused) else ""
            if said in OPEN_ALREADY:
                return  # the person has it before them
            if said in TOO_LATE:
                await tell_late(self._house, heard)
                return
            await tell_failed(self._house, heard, exc)
        except Unavailable:
            raise
        except Exception as exc:  # noqa: BLE001 - it is logged with what the person is told
            # Tried again later it would find its trigger void; who waits is told now.
            await tell_failed(self._house, heard, exc)

    async def switch(self, heard: Heard) -> None:
        """Show the inputs of the brand or template that was chosen. What was typed stays."""
        form = self._changes.of(heard)
        if heard.at < form.at:
            return  # something else was chosen since
        form.at = heard.at
        wish = wish_of(heard.metadata, loaded_object(heard.state))
        kits = self._board.kits_of(heard.team, heard.user)
        kit = next((kit for kit in kits if kit.id == wish.brand), None)
        if kit is None:
            return  # it says so once it is sent off
        async with form.turn:
            if heard.at < form.at:
                return
            try:
                await self._changed(heard, form, kit, wish, brands=len(kits))
            except ChatError:  # the form says so once it is sent off
                log.exception(
                    "Slack did not change a form",
                    extra={"action": "slack.form", "delivery": heard.key},
                )

    async def _changed(
        self, heard: Heard, form: Changing, kit: BrandKit, wish: Wish, *, brands: int
    ) -> None:
        """Change it as it was when something was chosen, or as this process left it. Where another
        process has changed it since, nobody here knows which choice was the later one, so both are
        taken back: a form must not show the inputs of what isn't chosen."""
        view = imagine_view(kit, wish, brands=brands)
        for known in dict.fromkeys((heard.view_hash, form.hash)):
            if known and await self._update(heard, Opened(id=heard.view, hash=known), view, form):
                return
        again = imagine_view(kit, unchosen(wish), brands=brands, notes=(CROSSED,), anew=heard.key)
        await self._update(heard, Opened(id=heard.view, hash=""), again, form)

    # ------------------------------------------------------------------- a button's question

    async def _ask(self, heard: Heard) -> None:
        question = Question(
            action=heard.action, asks=heard.text, origin=Origin.by(heard), team=heard.team
        )
        if question.asks == REASON:
            await self._open(heard, ask_view(question))
            return
        opened = await self._open(heard, loading_view("Edit words"))
        await self._update(heard, opened, await self._prefilled(heard, question))

    async def _prefilled(self, heard: Heard, question: Question) -> View:
        try:
            async with asyncio.timeout(READ_S):
                now = await words_now(self._house, heard)
        except (TimeoutError, Unavailable):
            return ask_view(question)
        except HousestyleError as exc:
            return refusal_view(exc)
        return ask_view(replace(question, brand=now.brand), said=now.words)

    # ------------------------------------------------------------------------ a new picture

    async def _imagine(self, heard: Heard) -> None:
        reference = _named(heard)
        known = bool(self._board.kits_of(heard.team, heard.user))
        looks = heard.command == REFERENCE_SHORTCUT and bool(heard.thread) and not reference
        if known and not looks:
            await self._open(heard, self._form(heard, reference))
            return
        opened = await self._open(heard, loading_view())
        await self._update(heard, opened, await self._read(heard, reference, looks=looks))

    async def _read(self, heard: Heard, reference: Reference, *, looks: bool) -> View:
        """The form where something must be looked up for it; else why there is none."""
        try:
            async with asyncio.timeout(READ_S):
                if not self._board.kits_of(heard.team, heard.user):
                    await self._board.refresh()
                    await allowed(self._house, heard)
                if looks and (found := await self._bringing.found(heard)):
                    reference = Reference(files=found)
        except TimeoutError:
            return refusal_view(
                Unavailable("This takes longer than it should.", fix="Type `/imagine` again.")
            )
        except HousestyleError as exc:
            return refusal_view(exc)
        if not self._board.kits_of(heard.team, heard.user):
            return refusal_view(Unavailable("No brand is here.", fix="Type `/imagine` again."))
        return self._form(heard, reference)

    def _form(self, heard: Heard, reference: Reference) -> View:
        kits = self._board.kits_of(heard.team, heard.user)
        if wants_again(heard) and (wish := self._keeping.wish_for(heard)):
            kit = next((kit for kit in kits if kit.id == wish.brand), kits[0])
            again, notes = without_file(wish)
            return imagine_view(kit, again, brands=len(kits), notes=notes)
        place = ChannelRef(platform=PLATFORM, channel=heard.channel, team=heard.team)
        kit = self._board.first_of(kits, place)
        wish = Wish(
            brand=kit.id,
            reference=reference,
            origin=Origin.by(heard),
            team=heard.team,
            user=heard.user,
        )
        lacks = heard.command == REFERENCE_SHORTCUT and not reference
        notes = (NO_PICTURE,) if lacks else (NOT_HERE,) if wants_again(heard) else ()
        return imagine_view(kit, wish, brands=len(kits), notes=notes)

    # -------------------------------------------------------------------------------- Slack

    async def _open(self, heard: Heard, view: View) -> Opened:
        """Raises ChatError where Slack does not open it."""
        web = await self._webs.web(heard.team)
        answer = await web.call(
            Method.VIEWS_OPEN, trigger_id=heard.trigger, view=checked_view(view).to_dict()
        )
        shown = answer.get("view") or {}
        return Opened(id=shown.get("id", ""), hash=shown.get("hash", ""))

    async def _update(
        self, heard: Heard, opened: Opened, view: View, form: Changing | None = None
    ) -> bool:
        """False where the view is another one by now; what was closed needs nothing."""
        web = await self._webs.web(heard.team)
        by_hash = {"hash": opened.hash} if opened.hash else {}
        try:
            answer = await web.call(
                Method.VIEWS_UPDATE, view_id=opened.id, view=checked_view(view).to_dict(), **by_hash
            )
        except SlackRefused as exc:
            if exc.error == CHANGED:
                return False
            if exc.error not in GONE:
                raise
            return True
        if form is not None:
            form.hash = (answer.get("view") or {}).get("hash", "")
        return True


def _named(heard: Heard) -> Reference:
    """The picture that came with the wish for a form."""
    verb, _, asset = heard.action.removeprefix(OPEN_PREFIX).partition(":")
    if verb == "reference" and is_id(asset):
        return Reference(asset=asset)
    return Reference(files=files_of(heard) if heard.command == REFERENCE_SHORTCUT else ())
