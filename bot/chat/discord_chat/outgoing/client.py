"""discord.py's HTTP client with what it leaves open closed: its rate limiter and retries are used,
as they know Discord's buckets.

It speaks to the server of the options alone, follows no redirect (a token would travel on), waits
for no answer without an end, and writes no request to a log (addresses have tokens in them). What
Discord counts against an app (answers 401, 403 and 429) is counted here too, so that the house
stops long before Discord bans it.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import aiohttp
from discord.http import HTTPClient, Route
from discord.utils import _to_json

MOST_WAIT_S = 30.0
"""The longest turn that is waited for in place; discord.py knows no shorter one."""
ANSWER = aiohttp.ClientTimeout(total=20.0, connect=5.0)
WITH_FILES = aiohttp.ClientTimeout(total=120.0, connect=5.0)
CONNECTIONS = 50

INVALID = frozenset({401, 403, 429})
INVALID_WITHIN_S = 600.0
MOST_INVALID = 3000
"""Discord bans an address at 10,000 in ten minutes (docs.discord.com, rate limits); several
processes may share it."""

logging.getLogger("discord.http").setLevel(logging.ERROR)


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A file that goes with a message."""

    name: str
    mime: str
    alt: str
    data: bytes = field(repr=False)


class Form:
    """A message with its files, made anew for each attempt: what was sent is used up."""

    def __init__(self, payload: dict[str, Any], files: Sequence[Upload]) -> None:
        self._payload = _to_json(payload)
        self._files = files

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """The parts as discord.py gives them to aiohttp."""
        yield {
            "name": "payload_json",
            "value": self._payload,
            "content_type": "application/json",
        }
        for number, file in enumerate(self._files):
            yield {
                "name": f"files[{number}]",
                "value": BytesIO(file.data),
                "filename": file.name,
                "content_type": file.mime,
            }


class InvalidRequests:
    """How often Discord has said 401, 403 or 429 lately."""

    def __init__(self) -> None:
        self._at: deque[float] = deque(maxlen=MOST_INVALID)

    def count(self, response: aiohttp.ClientResponse) -> None:
        """Take note of an answer; a limit that is shared with others doesn't count."""
        shared = response.headers.get("X-RateLimit-Scope") == "shared"
        if response.status in INVALID and not shared:
            self._at.append(asyncio.get_running_loop().time())

    def wait_s(self) -> float:
        """Seconds until another request may be made; 0 for at once."""
        if len(self._at) < MOST_INVALID:
            return 0.0
        return max(0.0, self._at[0] + INVALID_WITHIN_S - asyncio.get_running_loop().time())


class Client(HTTPClient):
    """One login. It is made and closed within one event loop."""

    def __init__(self, base: str, invalid: InvalidRequests) -> None:
        trace = aiohttp.TraceConfig()
        trace.on_request_end.append(_counting(invalid))
        super().__init__(
            asyncio.get_running_loop(),
            aiohttp.TCPConnector(limit=CONNECTIONS),
            http_trace=trace,
            max_ratelimit_timeout=MOST_WAIT_S,
        )
        self._base = base

    async def request(self, route: Route, **asked: Any) -> Any:  # noqa: ANN401 - JSON
        """As discord.py's, at our server and with an end."""
        if not route.url.startswith(self._base):  # a route may be taken twice
            route.url = self._base + route.url.removeprefix(Route.BASE)
        asked.setdefault("timeout", WITH_FILES if "form" in asked else ANSWER)
        try:
            return await super().request(route, allow_redirects=False, **asked)
        except asyncio.CancelledError:
            # Else all would wait for ever: who is told of the app's own limit shuts a gate for
            # everybody, sleeps, and would open it after that.
            self._global_over.set()
            raise


def _counting(invalid: InvalidRequests) -> Any:  # noqa: ANN401 - a type of aiohttp's own
    async def on_request_end(
        _session: aiohttp.ClientSession, _context: object, told: aiohttp.TraceRequestEndParams
    ) -> None:
        invalid.count(told.response)

    return on_request_end
