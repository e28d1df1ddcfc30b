"""A strict Discord on loopback: REST, CDN and gateway, for unmodified clients.

    async with FakeDiscord() as discord:
        options = DiscordOptions(token=discord.token, api_base_url=discord.api_url,
                                 gateway_url=discord.gateway_url, …)
        discord.world                       # everything it knows (state.py)
        discord.troubles.add("POST /channels/*/messages", "429", retry_after=0.2)
        assert discord.violations == []     # what no app may ever do

`FakeDiscord(now=…)` gives it a clock, `rates=0` takes its limits off.
"""

import asyncio
from collections.abc import Callable
from fnmatch import fnmatchcase
from types import TracebackType
from typing import Self

from aiohttp import web

from tests.fakes.discord.cdn import Cdn
from tests.fakes.discord.control import Control
from tests.fakes.discord.gateway import Gateway
from tests.fakes.discord.people import Person
from tests.fakes.discord.rest import Rest
from tests.fakes.discord.state import App, Call, Message, World
from tests.fakes.discord.troubles import Troubles

APP_ID = "1000000000000000001"


class FakeDiscord:
    """The whole of it. Start with `async with`, or `start()` and `stop()`."""

    def __init__(self, *, now: Callable[[], float] | None = None, rates: float = 1.0) -> None:
        app = App(id=APP_ID, name="Housestyle", token="MTAwMDAw.fake.bot-token")
        self.world = World(app=app, rates=rates)
        if now is not None:
            self.world.now = now
        self.world.add_user("housestyle", bot=True, user_id=APP_ID)
        self.troubles = Troubles()
        self.gateway = Gateway(world=self.world)
        self.rest = Rest(self.world, self.troubles)
        self.cdn = Cdn(self.world)
        self._runner: web.AppRunner | None = None
        self._port = 0

    async def __aenter__(self) -> Self:
        """Start on a port of its own."""
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        await self.stop()

    async def start(self, port: int = 0) -> None:
        """Listen on loopback; on the same port as before where it had one."""
        app = web.Application(client_max_size=64 * 1024 * 1024)
        self.rest.mount(app)
        self.gateway.routes(app)
        app.router.add_get("/attachments/{channel}/{attachment}/{name}", self._file)
        app.router.add_post("/_control", Control(self).handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port or self._port)
        await site.start()
        self._port = int(self._runner.addresses[0][1])
        self.world.base = f"http://127.0.0.1:{self._port}"

    async def stop(self) -> None:
        """Close everything; `start` opens it again with all it knew."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _file(self, request: web.Request) -> web.Response:
        trouble = self.troubles.met(f"GET {request.path}")
        if trouble is not None and trouble.kind == "slow":
            await asyncio.sleep(trouble.seconds)
        elif trouble is not None:
            return web.Response(status=trouble.status, text="the CDN fails on purpose")
        return await self.cdn.handle(request)

    @property
    def token(self) -> str:
        """The bot's token."""
        return self.world.app.token

    @property
    def api_url(self) -> str:
        """Where the REST API is, without a slash at the end."""
        return f"{self.world.base}/api/v10"

    @property
    def gateway_url(self) -> str:
        """Where the gateway is, with a slash at the end."""
        return f"ws{self.world.base.removeprefix('http')}/gateway/"

    @property
    def cdn_url(self) -> str:
        """Where files lie."""
        return f"{self.world.base}/attachments"

    @property
    def violations(self) -> list[str]:
        """What the app did that no app may ever do, and what Discord's OpenAPI doesn't know."""
        return self.world.violations

    def person(self, user: str) -> Person:
        """Someone, to do what people do."""
        return Person(self.world, user)

    def forget_nonces(self) -> None:
        """As if the minutes were over within which a nonce is known."""
        self.world.nonces.clear()

    def calls(self, what: str) -> list[Call]:
        """Requests that fit a pattern such as `POST /channels/*/messages`, in order."""
        return [c for c in self.world.calls if fnmatchcase(f"{c.method} {c.path}", what)]

    def messages(self, channel: str) -> list[Message]:
        """What everybody sees in a channel, oldest first."""
        return self.world.channels[channel].live()
