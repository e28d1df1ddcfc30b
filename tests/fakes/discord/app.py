"""A strict Discord on loopback: REST, CDN and gateway, for unmodified clients.

    async with FakeDiscord() as discord:
        options = DiscordOptions(token=discord.token, api_base_url=discord.api_url,
                                 gateway_url=discord.gateway_url, …)
        discord.world                       # everything it knows (state.py)
        discord.troubles.add("POST /channels/*/messages", "429", retry_after=0.2)
        assert discord.violations == []     # what no app may ever do

`FakeDiscord(now=…)` gives it a clock, `rates=0` takes its limits off.
"""

from collections.abc import Callable
from types import TracebackType
from typing import Self

from aiohttp import web

from tests.fakes.discord.state import App, Message, World
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

    def messages(self, channel: str) -> list[Message]:
        """What everybody sees in a channel, oldest first."""
        return self.world.channels[channel].live()
