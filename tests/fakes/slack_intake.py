"""A SlackIntake on a house in memory, with a desk that the test drives."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

import uvicorn
from slack_bolt.async_app import AsyncApp
from starlette.types import ASGIApp

from bot.chat.slack_chat.incoming.bolt import build_bolt
from bot.chat.slack_chat.incoming.heard import Heard
from bot.chat.slack_chat.incoming.intake import SlackIntake
from bot.chat.slack_chat.options import Mode, SlackOptions
from bot.core.ports import Delivery, Inbox
from storage.memory_blobs import MemoryInbox
from tests.fakes.town import Town, make_town

SIGNING_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"


@dataclass
class Desk:
    """Does what is heard once its gate is open, and answers with the acknowledgement."""

    heard: list[Heard] = field(default_factory=list)
    live: list[Heard] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    """Closed, work waits; forms never do."""
    slow: Callable[[Heard], bool] = bool
    """What waits there: all."""
    wrong: dict[str, str] = field(default_factory=dict)
    """What is wrong with every form that is sent off."""
    trips: bool = False
    """Whether forms stumble over a bug."""

    async def work(self, heard: Heard) -> None:
        """See SlackIntake."""
        if self.slow(heard):
            await self.gate.wait()
        self.heard.append(heard)

    async def opened(self, heard: Heard) -> None:
        """See SlackIntake."""
        self.live.append(heard)

    def errors(self, view: Mapping[str, Any]) -> dict[str, str]:
        """See AtAck."""
        if self.trips:
            raise ZeroDivisionError
        return self.wrong

    def options(self, action_id: str, typed: str, view: Mapping[str, Any]) -> dict[str, Any]:
        """See AtAck."""
        if self.trips:
            raise ZeroDivisionError
        text = {"type": "plain_text", "text": f"{action_id} {typed}"}
        return {"options": [{"text": text, "value": "acme"}]}


class WatchedInbox(MemoryInbox):
    """Says what was put, holds puts up while `gate` is closed, and fails with `trouble`."""

    def __init__(self) -> None:
        super().__init__()
        self.begun: list[str] = []
        self.put_down: list[Delivery] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.trouble: Exception | None = None

    async def put(self, delivery: Delivery) -> None:
        """See the port."""
        self.begun.append(delivery.id)
        await self.gate.wait()
        if self.trouble is not None:
            raise self.trouble
        await super().put(delivery)
        self.put_down.append(delivery)


@dataclass(frozen=True, kw_only=True)
class Taking:
    """What takes Slack's deliveries in, in this process."""

    town: Town
    desk: Desk
    inbox: WatchedInbox
    options: SlackOptions
    intake: SlackIntake
    bolt: AsyncApp


@asynccontextmanager
async def taking(
    *, api_url: str = "http://127.0.0.1:9/api/", inbox: Inbox | None = None, **chosen: Any
) -> AsyncIterator[Taking]:
    """Take in while the block runs. Nothing listens where the Web API would be."""
    town, desk, watched = await make_town(), Desk(), WatchedInbox()
    house = replace(town.house, inbox=inbox or watched)
    options = SlackOptions(
        **{
            "mode": Mode.HTTP,
            "base_url": "http://house.test",
            "api_base_url": api_url,
            "signing_secret": SIGNING_SECRET,
        }
        | chosen
    )
    intake = SlackIntake(house, forms=desk, work=desk.work, live=desk.opened)
    desk.gate.set()
    try:
        yield Taking(
            town=town,
            desk=desk,
            inbox=watched,
            options=options,
            intake=intake,
            bolt=build_bolt(options, intake.taken),
        )
    finally:
        desk.gate.set()
        await intake.finish(5)


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[str]:
    """Serve over real HTTP on a free port; its address."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(
            uvicorn.Config(app, log_config=None, access_log=False, lifespan="off")
        )
        server.capture_signals = nullcontext  # type: ignore[method-assign]
        task = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            await task
