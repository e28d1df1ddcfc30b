"""Calls of Discord's REST API on one login of discord.py, each with its end in our own errors.

It logs in at the first call, and again at the next where that failed. A token that Discord refuses
is not tried again for a while.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

import aiohttp
from discord import HTTPException, LoginFailure, RateLimited

from bot.chat.discord_chat.options import DiscordOptions
from bot.chat.discord_chat.outgoing.client import Client, InvalidRequests
from bot.chat.discord_chat.outgoing.failing import (
    GARBLED,
    LOST,
    TOKEN_OVER,
    UNAUTHORISED,
    in_doubt,
    meaning,
    token_refused,
)
from bot.chat.discord_chat.rest import DiscordRefused
from bot.core.errors import ChatError, ChatUnavailable
from bot.core.watching import Watch

log = logging.getLogger(__name__)

Ask = Callable[[Client], Awaitable[Any]]

REFUSED_S = 300.0
"""So long a token that Discord refused is not tried again."""


class Calls:
    """Makes calls, from `open` to `close`."""

    def __init__(
        self, options: DiscordOptions, *, watch: Watch, named: Callable[[str], str] = str
    ) -> None:
        """`named` says what people call a channel, by its id."""
        self._options = options
        self._named = named
        self._watch = watch
        self._client: Client | None = None
        self._files: aiohttp.ClientSession | None = None
        self._gate = asyncio.Lock()
        self._invalid = InvalidRequests()
        self._refused_until = 0.0
        self._beside: set[asyncio.Task[None]] = set()
        self.user: Mapping[str, Any] = {}
        """The bot's user, once it is logged in."""

    async def open(self) -> None:
        """Ready; nobody has been asked yet."""
        self._files = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), trust_env=False)

    async def close(self) -> None:
        """Leave what goes on beside, and close the connections."""
        files, self._files = self._files, None
        beside = list(self._beside)
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        if files is not None:
            await files.close()
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    @property
    def session(self) -> aiohttp.ClientSession:
        """For files, without any token. Raises ChatUnavailable once it is closed."""
        if self._files is None:
            raise _closing()
        return self._files

    def beside(self, work: Coroutine[Any, Any, None]) -> None:
        """Do it while there is time: it may fail and is left at the end."""
        task = asyncio.create_task(_tried(work))
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)

    async def object(self, what: str, ask: Ask, *, place: str = "") -> dict[str, Any]:
        """A call that answers with an object. Raises as `call`."""
        found = await self.call(what, ask, place=place)
        if not isinstance(found, dict):
            raise in_doubt("Discord's answer can't be read.", posts=False)
        return found

    async def list_of(self, what: str, ask: Ask, *, place: str = "") -> list[dict[str, Any]]:
        """A call that answers with a list. Raises as `call`."""
        found = await self.call(what, ask, place=place)
        if not isinstance(found, list):
            raise in_doubt("Discord's answer can't be read.", posts=False)
        return [one for one in found if isinstance(one, dict)]

    async def call(self, what: str, ask: Ask, *, place: str = "", posts: bool = False) -> Any:  # noqa: ANN401 - JSON
        """One call. Raises DiscordRefused, ChatUnavailable, ChatAmbiguous (only where it posts)."""
        client = await self._logged_in()
        self._check()
        try:
            with self._watch.span("discord", method=what):
                return await ask(client)
        except (HTTPException, RateLimited, *LOST, *GARBLED) as exc:
            raise self._meant(exc, posts=posts, place=place) from exc

    async def _logged_in(self) -> Client:
        async with self._gate:
            if self._files is None:
                raise _closing()
            if self._client is not None:
                return self._client
            self._check()
            client = Client(self._options.api_base_url, self._invalid)
            try:
                self.user = await client.static_login(self._options.token)
            except BaseException as exc:
                await client.close()
                if isinstance(exc, LoginFailure):
                    raise self._bad_token() from exc
                if isinstance(exc, (HTTPException, RateLimited, *LOST, *GARBLED)):
                    raise self._meant(exc) from exc
                raise
            self._client = client
            return client

    def _check(self) -> None:
        """Raises where no call may be made now."""
        if asyncio.get_running_loop().time() < self._refused_until:
            raise token_refused()
        if wait := self._invalid.wait_s():
            raise ChatUnavailable(
                "Discord has said no so often that it would bar us; calls wait.",
                retry_after_s=wait,
                queued=True,
            )

    def _meant(self, exc: Exception, *, posts: bool = False, place: str = "") -> ChatError:
        meant = meaning(exc, posts=posts, place=self._named(place))
        if meant is None:  # what is caught is what `meaning` knows
            raise exc
        if isinstance(meant, DiscordRefused):
            if meant.status == UNAUTHORISED and meant.error != TOKEN_OVER:
                return self._bad_token()
            log.info("Discord said no: %s", exc, extra={"action": "discord.refused"})
        return meant

    def _bad_token(self) -> DiscordRefused:
        self._refused_until = asyncio.get_running_loop().time() + REFUSED_S
        return token_refused()


def _closing() -> ChatUnavailable:
    return ChatUnavailable("The house is closing.", retry_after_s=1.0)


async def _tried(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except ChatError as exc:
        log.info("Something beside the message was left: %s", exc.message)
    except Exception:
        log.exception("Something beside the message broke")
