"""The adapter put together: what is sent, which every process has, and what is taken in."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

from starlette.types import ASGIApp

from bot.chat.slack_chat.home.publisher import HomePublisher
from bot.chat.slack_chat.incoming.bolt import build_bolt
from bot.chat.slack_chat.incoming.heard import Heard
from bot.chat.slack_chat.incoming.http import SlackHttp
from bot.chat.slack_chat.incoming.intake import SlackIntake
from bot.chat.slack_chat.incoming.sockets import Sockets
from bot.chat.slack_chat.installing.installing import Installing
from bot.chat.slack_chat.installing.leaving import Leaving
from bot.chat.slack_chat.installing.rotating import Rotator
from bot.chat.slack_chat.installing.vault import Vault
from bot.chat.slack_chat.modals.forms import Forms
from bot.chat.slack_chat.options import Mode, SlackOptions
from bot.chat.slack_chat.outgoing.bringing import Bringing
from bot.chat.slack_chat.outgoing.calling import Caller
from bot.chat.slack_chat.outgoing.chat import SlackChat
from bot.chat.slack_chat.outgoing.files import Shelf
from bot.chat.slack_chat.outgoing.webs import SlackWebs
from bot.chat.slack_chat.places import PLATFORM, is_direct
from bot.chat.slack_chat.understanding.understanding import Understanding
from bot.core.connections import Connection, Connections
from bot.core.drafts import Rooms
from bot.core.house import House
from bot.core.painting import Pace, Painter
from bot.core.ports import BlobStore, Clock, Door, Store
from bot.core.watching import Unwatched, Watch

Run: TypeAlias = Callable[[asyncio.Event], Coroutine[Any, Any, None]]
"""Runs until the event is set."""

PACE = Pace(platform=PLATFORM, name="Slack", share_s=1.5)
"""Slack lets an app make fifty changes a minute in a workspace, of which some are left for what
people wait for."""
DELIVERIES_END_S = 5.0
"""How long deliveries that are being worked off may take to end; the others stay in the inbox."""


@dataclass(frozen=True, kw_only=True)
class SlackParts:
    """What speaks to Slack."""

    options: SlackOptions
    chat: SlackChat
    """For `House.chats`."""
    webs: SlackWebs
    shelf: Shelf
    installing: Installing | None = None
    """The pages of an installation; None where one workspace's token is in the settings."""
    leaving: Leaving | None = None
    """What a workspace's leaving does, where workspaces install the app."""

    def painter(self, house: House) -> Painter:
        """For the process that renders."""
        return Painter(house, self.shelf, PACE)


@asynccontextmanager
async def open_slack(
    options: SlackOptions,
    *,
    store: Store,
    blobs: BlobStore,
    clock: Clock,
    watch: Watch | None = None,
) -> AsyncIterator[SlackParts]:
    """What speaks to Slack, ready and silent. Raises Mistake for a token key that is none."""
    watch = watch or Unwatched()
    async with AsyncExitStack() as stack:
        rotator, installing, leaving = None, None, None
        if options.distributed:
            vault = Vault(options.token_keys)
            calls = await stack.enter_async_context(Caller(options, watch=watch))
            rotator = Rotator(options, store=store, vault=vault, clock=clock, calls=calls)
            stack.push_async_callback(rotator.finish)
            installing = Installing(options, store=store, vault=vault, clock=clock, calls=calls)
            leaving = Leaving(store=store, clock=clock, vault=vault, calls=calls, tokens=rotator)
        webs = await stack.enter_async_context(
            SlackWebs(options, store=store, clock=clock, tokens=rotator, watch=watch)
        )
        shelf = Shelf(store=store, blobs=blobs, clock=clock, webs=webs)
        stack.push_async_callback(shelf.finish)
        rooms = Rooms(store, clock, is_direct=is_direct)
        chat = SlackChat(
            webs=webs,
            shelf=shelf,
            blobs=blobs,
            clock=clock,
            rooms=rooms,
            portal=options.base_url,
        )
        yield SlackParts(
            options=options,
            chat=chat,
            webs=webs,
            shelf=shelf,
            installing=installing,
            leaving=leaving,
        )


@asynccontextmanager
async def listening(
    parts: SlackParts, house: House, door: Door, *, stop: asyncio.Event | None = None
) -> AsyncIterator[ASGIApp | None]:
    """Take in what people do in Slack, until `stop` or the block's end: sockets are kept open, or
    what is yielded answers Slack's addresses (None where Slack has nothing to call).

    At the end what came in is acknowledged first, then what is in hand may end.
    """
    options, webs = parts.options, parts.webs
    forms = Forms(house, webs)
    home = HomePublisher(house, webs, parts.shelf)
    understanding = Understanding(
        house,
        door,
        webs=webs,
        options=options,
        forms=forms,
        bringing=Bringing(house, webs),
        home=home.opened,
        left=parts.leaving.left if parts.leaving else _nothing_to_take,
    )
    intake = SlackIntake(house, forms=forms, work=understanding.work, live=forms.live)
    bolt = build_bolt(options, intake.taken)
    by_http = options.mode is Mode.HTTP
    loops = (
        [home.run] if by_http else [home.run, _kept_open(Sockets(bolt, options), house.connections)]
    )
    async with forms.refreshing(), intake.sweeping():
        try:
            async with _running(stop or asyncio.Event(), loops):
                if by_http or parts.installing is not None:
                    yield SlackHttp(bolt, options, house.clock, installing=parts.installing)
                else:
                    yield None
        finally:  # else deliveries would go on over a store that closes
            await intake.finish(DELIVERIES_END_S)


async def _nothing_to_take(heard: Heard) -> None:
    """The settings' token is the operator's to take away."""


def _kept_open(sockets: Sockets, told: Connections) -> Run:
    def condition() -> Connection:
        return Connection(name="Slack", is_open=bool(sockets.open))

    async def run(stop: asyncio.Event) -> None:
        with told.asking(PLATFORM, condition):
            async with sockets.running():
                await stop.wait()

    return run


@asynccontextmanager
async def _running(stop: asyncio.Event, loops: Sequence[Run]) -> AsyncIterator[None]:
    """Run these beside the block, until `stop` or its end. One that dies stops the process, so
    that it is seen."""
    tasks = [asyncio.create_task(run(stop)) for run in loops]
    for task in tasks:
        task.add_done_callback(lambda _: stop.set())
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*tasks)
