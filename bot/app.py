"""The composition root: the only file that names concrete adapters and wires them."""

import asyncio
import logging
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from fastapi import FastAPI
from starlette.types import ASGIApp

from bot.brand_files import load_brands
from bot.chat.local_chat.chat import LocalChat
from bot.chat.local_chat.intake import LocalIntake
from bot.chats import (
    DISCORD,
    SLACK,
    discord_parts,
    heard_in_discord,
    heard_in_slack,
    slack_parts,
)
from bot.clock import SystemClock
from bot.core.access import issue
from bot.core.anchors import AnchorPlaces
from bot.core.crew import RenderingCrew
from bot.core.dispatch import Dispatch
from bot.core.errors import HousestyleError
from bot.core.house import House
from bot.core.ids import new_id
from bot.core.ledger import Event
from bot.core.people import ANY_BRAND, Identity, KeyKind, Person, Role
from bot.core.ports import Chat, Renderer, Transaction
from bot.core.publishing import Publisher
from bot.core.sending import Sender
from bot.core.sequencing import Sequencer
from bot.providers import sign_in_providers
from bot.scheduler import ticking
from bot.settings import Settings
from bot.stopping import Stopping
from bot.studio import PoolStudio
from bot.telemetry import Telemetry
from bot.web.metrics import Metrics
from bot.web.portal import build_portal
from bot.web.probe_server import build_probes
from bot.web.server import PortalServer
from generation.client import RendererClient
from generation.supervisor import GenerationProcess, GenerationUnstartable, ProcessOptions
from generation.tracing import tracing_to
from storage.anchor_file import FileAnchors
from storage.blobs import FolderBlobs
from storage.database import open_store
from storage.inbox import JournalInbox
from storage.memory_blobs import MemorySignals

if TYPE_CHECKING:
    from bot.chat.discord_chat.wiring import DiscordParts
    from bot.chat.slack_chat.wiring import SlackParts

log = logging.getLogger(__name__)

SWITCH_S = 0.0005
"""How soon a thread of the database gets its turn beside a busy event loop."""
DELIVERIES_END_S = 5.0
"""How long deliveries that are being worked off may take to end; the others stay in the inbox."""
OWNER_LINK_LIFE = timedelta(hours=24)
OWNER_ROLES = tuple((ANY_BRAND, role) for role in Role)
LOCAL = "local"
OWNER = "owner"


@asynccontextmanager
async def open_house(settings: Settings, *, generation: bool = True) -> AsyncIterator[House]:
    """Everything wired and the brands loaded; nothing runs yet but the generation service.

    `generation` False leaves the service out (for commands that only read).
    """
    clock, signals = SystemClock(), MemorySignals()
    async with AsyncExitStack() as stack:
        # The child starts on another core while the records are opened here.
        watch = _telemetry(settings)
        stack.push_async_callback(asyncio.to_thread, watch.close)
        renderer, started = await _renderer(settings, stack, watch, start=generation)
        store = await open_store(settings.database_url)
        stack.push_async_callback(store.close)
        blobs = FolderBlobs(settings.blobs)
        studio = PoolStudio()
        stack.callback(studio.close)
        inbox = await JournalInbox.open(settings.data_dir / "inbox")
        stack.push_async_callback(inbox.close)
        local = LocalChat(
            timeline=store.timeline, signals=signals, store=store, blobs=blobs, clock=clock
        )
        house = House(
            store=store,
            blobs=blobs,
            renderer=renderer,
            studio=studio,
            signals=signals,
            clock=clock,
            inbox=inbox,
            timeline=store.timeline,
            chats={LOCAL: local},
            demo=settings.demo,
            base_url=settings.base_url,
            tariff=settings.tariff,
            anchors=_anchors(settings),
            watch=watch,
            uploads=settings.uploads,
        )
        house = replace(house, door=Dispatch(house))
        await load_brands(settings.brands_dir, store, blobs, clock)
        if started is not None:
            await started
        yield house


def _telemetry(settings: Settings) -> Telemetry:
    return Telemetry(tracing_to(settings.otel.endpoint, service="housestyle"))


def _anchors(settings: Settings) -> AnchorPlaces:
    path, channel = settings.audit.anchor_file, settings.audit.anchor_channel
    return AnchorPlaces(book=FileAnchors(path) if path else None, channel=channel)


async def _renderer(
    settings: Settings, stack: AsyncExitStack, watch: Telemetry, *, start: bool
) -> tuple[Renderer, Awaitable[None] | None]:
    """The service that runs apart, if one is named, else a child process of our own, which is
    ready for use once the second value was awaited."""
    chosen = settings.generation
    started: Awaitable[None] | None = None
    if chosen.url:
        client = RendererClient(url=chosen.url, token=chosen.token, trail=watch.headers)
    elif chosen.socket or not start:
        socket_path = chosen.socket or settings.data_dir / "generation.sock"
        client = RendererClient(socket=socket_path, trail=watch.headers)
    else:
        process = GenerationProcess(
            ProcessOptions(
                state_dir=settings.data_dir / "generation",
                **chosen.process(),
                otel_endpoint=settings.otel.endpoint,
            )
        )
        starting = asyncio.create_task(_start(process))
        stack.push_async_callback(process.stop)
        stack.callback(starting.cancel)
        started = starting
        client = RendererClient(socket=process.socket, trail=watch.headers)
    stack.push_async_callback(client.aclose)
    return client, started


async def _start(process: GenerationProcess) -> None:
    try:
        await process.start()
    except GenerationUnstartable as exc:
        raise HousestyleError(
            f"The generation service can't start: {exc}",
            fix="`housestyle doctor` says what is missing.",
        ) from exc


class Runs(Protocol):
    """A part of the product that works until it is told to stop."""

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set."""
        ...


@dataclass(frozen=True, kw_only=True)
class Roles:
    """Which parts of the product run in this process."""

    bot: bool = False
    web: bool = False
    worker: bool = False
    scheduler: bool = False
    sequencer: bool = False

    @classmethod
    def named(cls, names: Sequence[str]) -> "Roles":
        """`all`, or any of bot, web, worker, scheduler, sequencer."""
        every = "all" in names
        return cls(**{name: every or name in names for name in cls.__dataclass_fields__})


@dataclass(frozen=True, kw_only=True)
class Remote:
    """The chats elsewhere that this process speaks to."""

    slack: "SlackParts | None" = None
    discord: "DiscordParts | None" = None

    def parts(self) -> "list[SlackParts | DiscordParts]":
        """Those that there are."""
        return [parts for parts in (self.slack, self.discord) if parts is not None]

    def chats(self) -> dict[str, Chat]:
        """What sends to them, by platform."""
        named = {SLACK: self.slack, DISCORD: self.discord}
        return {name: parts.chat for name, parts in named.items() if parts is not None}


async def serve(settings: Settings, house: House, roles: Roles, stop: asyncio.Event) -> None:
    """Run the chosen parts until `stop` is set or a signal says so; what runs then may end within
    the settings' `stop_seconds`."""
    stopping = Stopping(stop, limit_s=settings.stop_seconds)
    stopping.listen()
    # The database's threads take the interpreter's lock several times for each statement; at the
    # default of 5 ms a busy event loop would make each transaction wait for a tenth of a second.
    sys.setswitchinterval(SWITCH_S)
    node = new_id()[:8]
    async with AsyncExitStack() as stack:
        tasks: list[asyncio.Task[None]] = []
        remote = Remote(
            slack=await stack.enter_async_context(slack_parts(settings, house)),
            discord=await stack.enter_async_context(discord_parts(settings, house)),
        )
        house = replace(house, chats={**house.chats, **remote.chats()})
        house = replace(house, door=Dispatch(house))
        loops: list[Runs] = []
        if roles.worker:
            loops.append(RenderingCrew(house, f"worker-{node}", jobs=settings.worker_jobs))
            loops.append(Publisher(house, f"publisher-{node}"))
            loops += [parts.painter(house) for parts in remote.parts()]
        loops += [Sender(house, f"sender-{node}-{n}") for n in range(_senders(roles, remote))]
        tasks += [asyncio.create_task(loop.run(stop), name=type(loop).__name__) for loop in loops]
        if roles.sequencer:
            sequencer = Sequencer(house, f"sequencer-{node}")
            tasks.append(asyncio.create_task(sequencer.run(stop), name="Sequencer"))
        if roles.scheduler:
            await stack.enter_async_context(ticking(house))
        if roles.web or roles.bot:
            listening = remote if roles.bot else Remote()
            await stack.enter_async_context(_web(settings, house, stopping, listening))
        if settings.metrics.port:
            await stack.enter_async_context(_probes(settings, house, stop))
        await stopping.until_ended(tasks)


def _senders(roles: Roles, remote: Remote) -> int:
    """How many messages this process sends at once. Where a platform may make a message wait for
    its turn, others pass it; and where people are listened to, their answers need no other
    process."""
    wanted = [parts.options.senders for parts in remote.parts()]
    if wanted and (roles.worker or roles.bot):
        return max(wanted)
    return 1 if roles.worker else 0


@asynccontextmanager
async def _web(
    settings: Settings, house: House, stopping: Stopping, heard: Remote
) -> AsyncIterator[None]:
    """The portal, and what listens to the chats elsewhere, until told to stop: then nothing is
    taken in any more, and what was taken in is worked off while the other parts end."""
    desk = LocalIntake(house, Dispatch(house))
    async with desk.sweeping():
        app = build_portal(
            house,
            desk,
            disk=settings.data_dir,
            providers=sign_in_providers(settings),
            metrics=_metrics(settings, house),
        )
        stop = stopping.stop
        async with (
            heard_in_discord(heard.discord, house, stop),
            heard_in_slack(heard.slack, house, app, stop) as outer,
            _served(app, settings.host, settings.port, stop, outer=outer),
        ):
            yield
        await desk.finish(DELIVERIES_END_S)


@asynccontextmanager
async def _probes(settings: Settings, house: House, stop: asyncio.Event) -> AsyncIterator[None]:
    chosen = settings.metrics
    metrics = replace(_metrics(settings, house), open=not chosen.token)
    app = build_probes(house, metrics, disk=settings.data_dir)
    async with _served(app, chosen.host, chosen.port, stop):
        yield


def _metrics(settings: Settings, house: House) -> Metrics:
    async def own() -> bytes:
        return await house.watch.exposition(house) if isinstance(house.watch, Telemetry) else b""

    async def generation() -> bytes:
        client = house.renderer
        return await client.metrics() if isinstance(client, RendererClient) else b""

    return Metrics(own=own, generation=generation, token=settings.metrics.token)


@asynccontextmanager
async def _served(
    app: FastAPI, host: str, port: int, stop: asyncio.Event, *, outer: ASGIApp | None = None
) -> AsyncIterator[None]:
    """The application served until `stop`, with `outer` around it."""
    server = _Server(app, host=host, port=port, outer=outer)
    listening = listen(host, port)
    task = asyncio.create_task(server.serve(sockets=[listening]))

    async def stop_serving() -> None:
        await stop.wait()
        server.stop()

    stopper = asyncio.create_task(stop_serving())
    try:
        yield
    finally:
        stop.set()
        await stopper
        await task


class _Server(PortalServer):
    """The portal's server without its own signal handlers: `serve` above has them for all parts."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them alone."""
        yield


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises HousestyleError where the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as exc:
        raise HousestyleError(
            f"Nothing can listen on {host} port {port}: {exc.strerror}.",
            fix=f"Stop what uses it, or choose another: `--port {port + 1}`.",
        ) from exc


async def owner_of(tx: Transaction, now: datetime) -> Person:
    """The owner of this installation, who is made a member at the first start."""
    owner = await tx.people.by_identity(LOCAL, OWNER)
    if owner is None:
        owner = Person(
            id=new_id(),
            name="Owner",
            created_at=now,
            roles=OWNER_ROLES,
            identities=(Identity(platform=LOCAL, user=OWNER),),
        )
        await tx.people.add(owner)
        roles = [f"{role.value}@{where}" for where, role in owner.roles]
        event = Event(
            action="member.made_owner",
            subject=f"person:{owner.id}",
            at=now,
            actor="system",
            facts={"roles": roles},
        )
        await tx.ledger.append(event)
    return owner


async def owner_link(house: House) -> str:
    """A one-time link for the owner."""
    async with house.store.write() as tx:
        owner = await owner_of(tx, house.clock.now())
        secret = await issue(tx, house.clock, owner.id, KeyKind.LINK, OWNER_LINK_LIFE)
    return f"{house.base_url}/enter?key={secret}"
