"""The adapter put together: what is sent, which every process has, and what is taken in."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bot.chat.discord_chat.commands import until_told
from bot.chat.discord_chat.forms.bringing import Bringing
from bot.chat.discord_chat.forms.forms import Forms
from bot.chat.discord_chat.incoming.client import IDENTIFY_EVERY_S
from bot.chat.discord_chat.incoming.gateway import FIRST_PAUSE_S, Gateway, State, Stopped
from bot.chat.discord_chat.incoming.intake import DiscordIntake
from bot.chat.discord_chat.options import DiscordOptions
from bot.chat.discord_chat.outgoing.chat import DiscordChat
from bot.chat.discord_chat.outgoing.previews import PACE, Previews
from bot.chat.discord_chat.outgoing.rest import DiscordRest
from bot.chat.discord_chat.places import PLATFORM
from bot.chat.discord_chat.understanding.understanding import Understanding
from bot.core.connections import Connection
from bot.core.drafts import Rooms
from bot.core.errors import ChatError
from bot.core.house import House
from bot.core.painting import Painter
from bot.core.ports import BlobStore, Clock, Door, Store
from bot.core.watching import Unwatched, Watch

log = logging.getLogger(__name__)

DELIVERIES_END_S = 5.0
"""How long deliveries that are being worked off may take to end; the others stay in the inbox."""


@dataclass(frozen=True, kw_only=True)
class DiscordParts:
    """What speaks to Discord."""

    options: DiscordOptions
    chat: DiscordChat
    """For `House.chats`."""
    rest: DiscordRest

    def painter(self, house: House) -> Painter:
        """For the process that renders."""
        return Painter(house, Previews(house.blobs), PACE)


@asynccontextmanager
async def open_discord(
    options: DiscordOptions,
    *,
    store: Store,
    blobs: BlobStore,
    clock: Clock,
    watch: Watch | None = None,
) -> AsyncIterator[DiscordParts]:
    """What speaks to Discord, ready and silent."""
    async with DiscordRest(options, watch=watch or Unwatched()) as rest:
        rooms = Rooms(store, clock)
        chat = DiscordChat(
            rest=rest, blobs=blobs, clock=clock, rooms=rooms, store=store, options=options
        )
        yield DiscordParts(options=options, chat=chat, rest=rest)


@asynccontextmanager
async def listening(
    parts: DiscordParts,
    house: House,
    door: Door,
    *,
    stop: asyncio.Event | None = None,
    identify_every_s: float = IDENTIFY_EVERY_S,
    first_pause_s: float = FIRST_PAUSE_S,
) -> AsyncIterator[Gateway]:
    """Take in what people do in Discord, until `stop` or the block's end.

    At the end what came in is acknowledged first, then what is in hand may end.
    """
    options, rest = parts.options, parts.rest
    forms = Forms(house)
    understanding = Understanding(
        house, door, rest=rest, options=options, bringing=Bringing(house, rest)
    )
    intake = DiscordIntake(house, forms=forms, work=understanding.work, options=options)
    gateway = Gateway(
        options,
        intake,
        clock=house.clock,
        identify_every_s=identify_every_s,
        first_pause_s=first_pause_s,
    )
    stop = stop or asyncio.Event()
    async with forms.refreshing(), intake.sweeping():
        registering = asyncio.create_task(until_told(rest, house.store, house.clock, options))
        registering.add_done_callback(_told)
        connected = asyncio.create_task(_connected(gateway, stop))
        connected.add_done_callback(lambda task: _ended(task, stop))
        try:
            with house.connections.asking(PLATFORM, lambda: _condition(gateway, registering)):
                yield gateway
        finally:  # else deliveries would go on over a store that closes
            stop.set()
            registering.cancel()
            await asyncio.gather(registering, connected, return_exceptions=True)
            await intake.finish(DELIVERIES_END_S)


def _condition(gateway: Gateway, registering: asyncio.Task[ChatError | None]) -> Connection:
    reason, fix = gateway.reason, gateway.fix
    is_open = gateway.state is State.CONNECTED
    if is_open and registering.done() and not registering.cancelled():
        reason, fix = _untold(registering)
    return Connection(name="Discord", is_open=is_open, reason=reason, fix=fix)


def _untold(registering: asyncio.Task[ChatError | None]) -> tuple[str, str]:
    """Why people may miss their commands, and what helps; empty if they have them."""
    if registering.exception() is not None:
        return "its commands could not be set.", "Look into the log, and report this as a fault."
    refused = registering.result()
    if refused is None:
        return "", ""
    return f"its commands could not be set: {refused.message}", refused.fix


async def _connected(gateway: Gateway, stop: asyncio.Event) -> None:
    """Where Discord will have us no more, the other parts of the product go on without it."""
    try:
        await gateway.run(stop)
    except Stopped as exc:
        log.error("%s %s", exc.message, exc.fix, extra={"action": "discord.stopped"})


def _ended(task: asyncio.Task[None], stop: asyncio.Event) -> None:
    """A bug of ours in the connection stops the process, so that it is seen."""
    if not task.cancelled() and task.exception() is not None:
        log.error("The connection to Discord broke", exc_info=task.exception())
        stop.set()


def _told(task: asyncio.Task[ChatError | None]) -> None:
    """People would miss their commands, and nobody else would say so."""
    if not task.cancelled() and task.exception() is not None:
        log.error("Telling Discord the commands tripped over a bug", exc_info=task.exception())
