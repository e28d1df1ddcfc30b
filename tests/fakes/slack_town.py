"""A house whose people are in a Slack: members with Slack identities, a kit with Slack channels.

    town = await make_slack_town(store=store)
    async with FakeSlack() as slack, running(slack, town, mode=Mode.HTTP) as house:
        mia = slack.person("U0MIA")
        await mia.command("/imagine", "a red mug", channel="C0DRAFTS")
        card = await slack.message("C0DRAFTS", lambda m: "Done" in m.text)

`running` is the real thing: Slack's adapter put together as in production, uvicorn in front of it
for HTTP, sockets else, the loops that render, publish and send; only the pictures are drawn by a
FakeRenderer. It can be entered twice on one town: two replicas.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace

import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp

from bot.chat.slack_chat.incoming.http import SlackDoor
from bot.chat.slack_chat.manifest import manifest
from bot.chat.slack_chat.options import Mode, SlackOptions
from bot.core.house import House
from bot.core.messages import ChannelRef
from bot.core.people import Identity, Role
from bot.core.ports import Inbox
from brand.kit import BrandKit, Channel
from storage.database import OpenStore
from storage.memory import MemoryStore
from tests.fakes.chat_town import PUBLIC_URL, TEMPLATES, ChatTown, at_work
from tests.fakes.renderer import FakeRenderer
from tests.fakes.slack.app import FakeSlack
from tests.fakes.town import KIT
from tests.fakes.waiting import until

TEAM = "T1"
DRAFTS = ChannelRef(platform="slack", channel="C0DRAFTS", team=TEAM)
SOCIAL = ChannelRef(platform="slack", channel="C0SOCIAL", team=TEAM)
MEMBERS = {
    "mia": ("U0MIA", Role.REQUESTER),
    "ana": ("U0ANA", Role.REQUESTER, Role.APPROVER),
    "ben": ("U0BEN", Role.APPROVER),
    "ida": ("U0IDA", Role.ADMIN),
}
SlackTown = ChatTown


def slack_kit(team: str = "", *, kit: BrandKit = KIT) -> BrandKit:
    """Acme's kit with Slack channels: #drafts is working, #social public, the others unknown.

    Without a team, as where one workspace is connected, a channel is known by its id alone."""
    return replace(
        kit,
        templates=TEMPLATES,
        channels=(
            Channel(name="#social", audience="public", platform="slack", id="C0SOCIAL", team=team),
            Channel(name="#drafts", audience="working", platform="slack", id="C0DRAFTS", team=team),
        ),
    )


async def make_slack_town(
    kit: BrandKit | None = None, *, store: OpenStore | None = None, team: str = TEAM
) -> SlackTown:
    """Mia asks, Ana and Ben approve, Ida is an admin, each known by their Slack user. On memory
    unless given a store."""
    town = SlackTown(store=store or MemoryStore(), kit=kit or slack_kit())
    members = MEMBERS.items()
    await town.settle({name: (account(user, team), roles) for name, (user, *roles) in members})
    return town


def account(user: str, team: str = TEAM) -> Identity:
    """Somebody's, in a workspace."""
    return Identity(platform="slack", user=user, team=team)


def options_for(slack: FakeSlack, mode: Mode, **changed: object) -> SlackOptions:
    """The options of one workspace with a token, pointed at the fake."""
    http = mode is Mode.HTTP
    options = SlackOptions(
        mode=mode,
        base_url=PUBLIC_URL,
        api_base_url=slack.api_url,
        authorize_url=slack.authorize_url,
        bot_token=slack.bot_token,
        app_token="" if http else slack.app_token,
        signing_secret=slack.world.signing_secret if http else "",
    )
    return replace(options, **changed)  # type: ignore[arg-type]


@dataclass(kw_only=True)
class Running:
    """One replica at work."""

    slack: FakeSlack
    town: SlackTown
    house: House
    options: SlackOptions
    url: str = ""
    """Where it listens for HTTP; empty for sockets."""

    @property
    def renderer(self) -> FakeRenderer:
        """Who draws."""
        return self.town.renderer


@asynccontextmanager
async def running(
    slack: FakeSlack,
    town: SlackTown,
    *,
    mode: Mode = Mode.HTTP,
    options: SlackOptions | None = None,
    inbox: Inbox | None = None,
    work: bool = True,
) -> AsyncIterator[Running]:
    """A replica on this town. `work=False`: it takes in, and renders and sends nothing."""
    from bot.chat.slack_chat.wiring import listening, open_slack

    options = options or options_for(slack, mode)
    async with AsyncExitStack() as stack:
        parts = await stack.enter_async_context(
            open_slack(options, store=town.store, blobs=town.blobs, clock=town.clock)
        )
        house, door = town.house(parts.chat, inbox=inbox)
        replica = Running(slack=slack, town=town, house=house, options=options)
        if work:
            painter = parts.painter(house)
            await stack.enter_async_context(at_work(house, painter, senders=options.senders))
        others = len(slack.sockets.open)
        asgi = await stack.enter_async_context(listening(parts, house, door))
        if asgi is not None:
            replica.url = await stack.enter_async_context(_served(asgi))
        app = manifest(PUBLIC_URL, mode=options.mode, distributed=options.distributed)
        slack.configure(app, at=replica.url)
        if options.mode is Mode.SOCKET:
            await until(lambda: len(slack.sockets.open) >= others + options.sockets)
        yield replica


class _Server(uvicorn.Server):
    """Signals are the test's own."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them alone."""
        yield


@asynccontextmanager
async def _served(slack: ASGIApp) -> AsyncIterator[str]:
    """A real server on loopback: Slack's door in front of a portal that has one page."""
    door = SlackDoor(PlainTextResponse("the portal"), slack=slack)
    listener = socket.create_server(("127.0.0.1", 0))
    server = _Server(uvicorn.Config(door, log_config=None, access_log=False, lifespan="off"))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
