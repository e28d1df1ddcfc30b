"""One HTTP session for all calls of Slack's Web API, through slack_sdk's client.

Nothing is read from the environment (no proxy, no token), nothing is repeated (a repeated post
stands twice), no redirect is followed (a token or a post would travel on), no cookie is kept
(workspaces share the session), and what is sent is logged at no level.
"""

import logging
from collections import OrderedDict
from types import TracebackType
from typing import Any, Self

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.chat.slack_chat.methods import RULES, Method
from bot.chat.slack_chat.options import SlackOptions
from bot.chat.slack_chat.outgoing.failing import GARBLED, LOST, meaning
from bot.core.errors import ChatAmbiguous, ChatUnavailable
from bot.core.watching import Watch

TOTAL_S = 10.0
"""For one call of a method, with its answer."""
CONNECT_S = 5.0
"""Of that for a connection; who gets none has sent nothing."""
CONNECTIONS = 50
CLIENTS = 256
"""Clients kept, one per token."""

_SILENT = logging.getLogger(f"{__name__}.slack_sdk")
"""slack_sdk writes requests with all their words to its log at DEBUG."""


class Redirected(aiohttp.ClientError):
    """The server wanted the call to go elsewhere."""


class Caller:
    """Calls methods with a given token. A context manager: it owns the session."""

    def __init__(self, options: SlackOptions, *, watch: Watch) -> None:
        self._base_url = options.api_base_url
        self._watch = watch
        self._clients: OrderedDict[tuple[str, str], AsyncWebClient] = OrderedDict()
        self._session: aiohttp.ClientSession | None = None
        _SILENT.setLevel(logging.WARNING)

    async def __aenter__(self) -> Self:
        """Open the session."""
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=TOTAL_S, connect=CONNECT_S),
            connector=aiohttp.TCPConnector(limit=CONNECTIONS),
            cookie_jar=aiohttp.DummyCookieJar(),
            middlewares=(_no_redirect,),
            trust_env=False,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connections."""
        self._clients.clear()
        if self._session is not None:
            await self._session.close()

    @property
    def session(self) -> aiohttp.ClientSession:
        """For files, which don't go through a method. Raises ChatUnavailable once it is closed."""
        if self._session is None or self._session.closed:
            raise ChatUnavailable("The house is closing.", retry_after_s=1.0)
        return self._session

    async def call(
        self,
        method: Method,
        token: str,
        arguments: dict[str, Any],
        *,
        place: str = "",
        posts: bool | None = None,
        team: str = "",
    ) -> dict[str, Any]:
        """One call, once; Slack's answer. `team` names the workspace where the token is for many.
        Raises SlackRefused, ChatUnavailable, ChatAmbiguous (only where it posts)."""
        ask = getattr(self._client(token, team), method.value.replace(".", "_"))
        posting = RULES[method].posts if posts is None else posts
        try:
            with self._watch.span("slack", method=method.value):
                answer = await ask(**arguments)
        except (SlackApiError, *LOST, *GARBLED) as exc:
            meant = meaning(exc, method, posts=posting, place=place)
            if meant is None:
                raise
            raise meant from exc
        if posting and method is Method.CHAT_POST_MESSAGE and not answer.data.get("ts"):
            raise ChatAmbiguous("Slack has not said where the message stands.")
        return dict(answer.data)

    def _client(self, token: str, team: str) -> AsyncWebClient:
        known = self._clients.pop((token, team), None)
        if known is None:
            known = AsyncWebClient(
                token=token or None,
                base_url=self._base_url,
                session=self.session,
                team_id=team or None,
                logger=_SILENT,
                retry_handlers=[],
            )
            known.proxy = None  # it has taken one from the environment, also for loopback
        self._clients[token, team] = known
        while len(self._clients) > CLIENTS:
            self._clients.popitem(last=False)
        return known


async def _no_redirect(
    request: aiohttp.ClientRequest, ask: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    response = await ask(request)
    if "Location" in response.headers and 300 <= response.status < 400:
        response.close()
        raise Redirected(f"{response.status} to another address")
    return response
