"""DiscordIntake: what people do in Discord is on this node's disk before Discord hears "received".

Every interaction and reaction ends here. Up to the acknowledgement it reads memory and writes the
inbox, nothing else: no database, no other call to Discord. The work begins when the
acknowledgement was answered, or failed; it is done in either case, and `Heard.acked` says whether
there is a place for the answer where it was asked (docs.discord.com: an answer is edited into the
acknowledgement). What waits is in lanes that don't wait for each other: a line of words must not
wait for pictures that others bring, and nobody for a hundred reactions.

Three things are answered from memory and leave no trace in the inbox, because nothing of them
could be lost: what fits while somebody types, a form that is opened, and a click that does nothing.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any, Protocol, TypeAlias

from bot.chat.discord_chat.heard import Did, Heard, from_payload, to_payload
from bot.chat.discord_chat.incoming.acks import Acking
from bot.chat.discord_chat.incoming.hearing import (
    Asked,
    chosen_in,
    focused_in,
    heard_of,
    reaction_of,
    resync,
)
from bot.chat.discord_chat.incoming.shape import can_be_answered, is_clearing, is_reaction, is_sound
from bot.chat.discord_chat.options import DiscordOptions
from bot.chat.discord_chat.places import FILES_PLATFORM, PLATFORM, REACTIONS_PLATFORM
from bot.chat.discord_chat.surfaces import ASK_PREFIX, USE_AS_REFERENCE
from bot.core.errors import Unavailable
from bot.core.house import House
from bot.core.payloads import Body, text_in
from bot.core.ports import Delivery
from bot.core.receiving import Lanes, Receiving
from bot.core.watching import following

log = logging.getLogger(__name__)

Work: TypeAlias = Callable[[Heard], Awaitable[None]]

ANSWERED = f"{PLATFORM}.answered"
"""Labels how long it takes until Discord has the acknowledgement: the inbox and the way there."""
AT_ONCE = 8
FILES_AT_ONCE = 4
REACTIONS_AT_ONCE = 4
"""Deliveries of each lane that are worked off at the same time."""
NOT_TAKEN = (
    "Housestyle can't take this in just now, so nothing was queued. "
    "Please try again in a minute; if it stays so, tell whoever looks after Housestyle."
)
TRIPPED = "Something went wrong here, and nothing was queued. Please try again. Reference: {}"
ELSEWHERE = (
    "Housestyle doesn't work in this server. Whoever looks after Housestyle can allow it: "
    "`discord.guilds` lists the servers."
)
NOT_OURS = "Housestyle doesn't know this any more, so nothing was done. Please ask anew."


class AtAck(Protocol):
    """What is answered with the acknowledgement itself. From memory: none may wait or fail."""

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
        """What fits the option that is being typed: (what people read, value), 25 at most."""
        ...

    def form(self, custom_id: str, heard: Heard) -> dict[str, Any] | None:
        """The form that a button `ask:WHAT:ACTION` opens; None if there is nothing to ask."""
        ...

    def form_for(self, heard: Heard) -> dict[str, Any] | None:
        """The form that a command opens before it can be done; None if it needs none."""
        ...


class DiscordIntake:
    """Takes in what people do in Discord. `work` does it."""

    def __init__(self, house: House, *, forms: AtAck, work: Work, options: DiscordOptions) -> None:
        self._house = house
        self._forms = forms
        self._work = work
        self._options = options
        self._acked: dict[str, asyncio.Future[bool]] = {}
        """Of deliveries whose work is not done, by key: whether Discord took the
        acknowledgement, as soon as that is known."""
        self._lane = Receiving(house, PLATFORM, self._worker, at_once=AT_ONCE)
        self._files = Receiving(house, FILES_PLATFORM, self._worker, at_once=FILES_AT_ONCE)
        self._reactions = Receiving(
            house, REACTIONS_PLATFORM, self._worker, at_once=REACTIONS_AT_ONCE
        )
        self._lanes = Lanes(self._lane, self._files, self._reactions)

    async def taken(self, interaction: Body, acks: Acking, *, own: str = "") -> None:
        """Take in an interaction and acknowledge it; `own` is the app's user. Never raises: where
        it can't be taken, the person is told at once, and nothing is done."""
        began = time.perf_counter()
        with following() as reference:
            if not can_be_answered(interaction):
                log.warning("An interaction has no id", extra={"action": "discord.odd"})
                return
            about = {"type": str(interaction.get("type"))}
            try:
                await self._taken(interaction, acks, own)
                self._house.watch.time("ack", time.perf_counter() - began, platform=ANSWERED)
            except Unavailable:
                log.exception(
                    "An interaction of Discord could not be written down",
                    extra={"action": "discord.not_taken"} | about,
                )
                await _apologise(interaction, acks, NOT_TAKEN)
            except Exception:
                log.exception(
                    "An interaction of Discord tripped over a bug",
                    extra={"action": "discord.tripped"} | about,
                )
                await _apologise(interaction, acks, TRIPPED.format(reference))

    async def reacted(self, event: Body, *, own: str, added: bool) -> None:
        """Take in a reaction that was put or taken away; `own` is the app's user. Raises
        Unavailable where it can't be written down: then the reactions must be read anew."""
        if not is_reaction(event):
            log.warning("A reaction has an odd shape", extra={"action": "discord.odd"})
            return
        if not self._options.allows(text_in(event, "guild_id")):
            return
        heard = reaction_of(event, self._options, own=own, added=added)
        if heard is not None:
            await self._noted(replace(heard, at=self._now()))

    async def cleared(self, event: Body) -> None:
        """All emoji of a message, or all of one kind, were taken off it: what stands there is read
        anew. Raises as `reacted`."""
        if is_clearing(event) and self._options.allows(text_in(event, "guild_id")):
            await self._noted(replace(resync(text_in(event, "message_id")), at=self._now()))

    async def missed(self) -> None:
        """Events were missed: the reactions that stand are read anew. Raises Unavailable."""
        await self._noted(replace(resync(), at=self._now()))

    def sweeping(self) -> AbstractAsyncContextManager[None]:
        """See Lanes."""
        return self._lanes.sweeping()

    async def finish(self, limit_s: float) -> None:
        """See Lanes."""
        await self._lanes.finish(limit_s)

    async def _taken(self, interaction: Body, acks: Acking, own: str) -> None:
        if not is_sound(interaction):
            log.warning("An interaction has an odd shape", extra={"action": "discord.odd"})
            await _apologise(interaction, acks, NOT_OURS)
            return
        heard = heard_of(interaction, own=own, at=self._now())
        if interaction["type"] == Asked.AUTOCOMPLETE:
            await acks.choices(interaction, self._choices(interaction, heard))
        elif not self._options.allows(text_in(interaction, "guild_id")):
            await acks.says(interaction, ELSEWHERE)
        elif heard is None:
            is_click = interaction["type"] == Asked.COMPONENT
            await (acks.nothing(interaction) if is_click else acks.says(interaction, NOT_OURS))
        else:
            await self._heard(heard, interaction, acks)

    async def _heard(self, heard: Heard, interaction: Body, acks: Acking) -> None:
        form = self._form(heard, interaction)
        if form is None:
            await self._put(heard, lambda: acks.later(interaction))
        elif heard.did is Did.MENU:
            # What the menu points at is fetched while the form is open: its address expires.
            # A form is no place for an answer, so this is not acknowledged in that sense.
            await self._put(heard, lambda: _aside(acks.form(interaction, form)))
        else:
            await acks.form(interaction, form)

    def _form(self, heard: Heard, interaction: Body) -> dict[str, Any] | None:
        if heard.did in (Did.COMMAND, Did.MENU):
            return self._forms.form_for(heard)
        chosen = chosen_in(interaction)
        if heard.did is Did.ACTION and chosen.startswith(ASK_PREFIX):
            return self._forms.form(chosen, heard)
        return None

    def _choices(self, interaction: Body, heard: Heard | None) -> list[tuple[str, str]]:
        if heard is None or not self._options.allows(heard.guild):
            return []
        focused, typed = focused_in(interaction)
        return self._forms.choices(
            heard.user,
            heard.roles,
            heard.guild,
            heard.channel,
            heard.command,
            focused,
            typed,
            dict(heard.options),
        )

    async def _put(self, heard: Heard, acknowledge: Callable[[], Awaitable[bool]]) -> None:
        """Write it down, acknowledge it, have it worked off: in this order."""
        lane = self._lane_of(heard)
        # A sweep may find it between the first two: its work waits for the acknowledgement too.
        acked = self._acked[heard.key] = asyncio.get_running_loop().create_future()
        try:
            delivery = await lane.put(heard.key, to_payload(heard))
        except BaseException:
            self._acked.pop(heard.key, None)
            acked.cancel()
            raise
        taken = False
        try:
            taken = await acknowledge()
        finally:
            acked.set_result(taken)
            lane.later(delivery)

    async def _noted(self, heard: Heard) -> None:
        """Nobody waits for its acknowledgement."""
        lane = self._reactions
        lane.later(await lane.put(heard.key, to_payload(heard)))

    async def _worker(self, delivery: Delivery) -> None:
        heard = from_payload(delivery.payload)
        acked = self._acked.get(heard.key)
        if acked is not None:
            taken = await asyncio.shield(acked)
            heard = replace(heard, acked=taken)
        await self._work(heard)
        self._acked.pop(heard.key, None)

    def _lane_of(self, heard: Heard) -> Receiving[None]:
        brings = bool(heard.files) and (
            heard.did in (Did.COMMAND, Did.SUBMIT) or heard.command == USE_AS_REFERENCE
        )
        return self._files if brings else self._lane

    def _now(self) -> float:
        return self._house.clock.now().timestamp()


async def _apologise(interaction: Body, acks: Acking, words: str) -> None:
    """No words can be said where choices are waited for."""
    if interaction.get("type") == Asked.AUTOCOMPLETE:
        await acks.choices(interaction, [])
    else:
        await acks.says(interaction, words)


async def _aside(answering: Awaitable[bool]) -> bool:
    await answering
    return False
