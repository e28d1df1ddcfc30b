"""Acks: the first answer to an interaction, within the three seconds that Discord waits for it.

It is one small request that needs neither the bot's token nor a place in its rate limit, so it
does not wait behind anything that discord.py sends. It is tried again within those seconds where
trying again can help:

- a new interaction is unknown to a part of Discord for a moment (10062; discord-api-docs #6851);
- an answer may be lost after it was taken: the next try is told that it was answered already
  (40060), so it was taken. The same is told to the slower of two processes with one token; its
  answer would have been the same.

Everything else means that Discord did not take it.

Source: docs.discord.com, interactions/receiving-and-responding.
"""

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from enum import IntEnum
from types import TracebackType
from typing import Any, Protocol, Self

import aiohttp

from bot.chat.discord_chat.options import DiscordOptions
from bot.core.payloads import Body, text_in

log = logging.getLogger(__name__)

LIMIT_S = 2.7
"""From when it came in: Discord waits three seconds from when it was sent."""
PAUSE_S = 0.05
"""Before the second try; then twice as long each time."""
UNKNOWN_TRIES = 4
"""How often an interaction may be unknown to Discord before it is taken for expired."""
UNKNOWN, TAKEN = 10062, 40060
EPHEMERAL = 1 << 6
MAX_CHOICES, MAX_CHOICE = 25, 100
MAX_TEXT = 2000


class Kind(IntEnum):
    """Types of an answer."""

    MESSAGE = 4
    LATER = 5
    """"Thinking…", until the answer is edited in."""
    NOTHING = 6
    CHOICES = 8
    FORM = 9


class Acking(Protocol):
    """What answers an interaction. No method raises; each says whether Discord took it."""

    async def later(self, interaction: Body) -> bool:
        """The answer follows, for this person alone."""
        ...

    async def nothing(self, interaction: Body) -> bool:
        """Nothing comes of this click."""
        ...

    async def says(self, interaction: Body, text: str) -> bool:
        """A line for this person alone."""
        ...

    async def form(self, interaction: Body, form: Mapping[str, Any]) -> bool:
        """Open a form: its `custom_id`, `title` and `components`."""
        ...

    async def choices(self, interaction: Body, choices: Sequence[tuple[str, str]]) -> bool:
        """What fits what is being typed: (what people read, value)."""
        ...


class Acks:
    """Acking over HTTP. Made for `async with`."""

    def __init__(self, options: DiscordOptions, *, limit_s: float = LIMIT_S) -> None:
        self._base = options.api_base_url
        self._limit_s = limit_s
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Its connections are kept open between answers, so that most need no handshake."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=60),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close them."""
        if self._session is not None:
            await self._session.close()

    async def later(self, interaction: Body) -> bool:
        """See Acking."""
        return await self._answer(interaction, Kind.LATER, {"flags": EPHEMERAL})

    async def nothing(self, interaction: Body) -> bool:
        """See Acking."""
        return await self._answer(interaction, Kind.NOTHING)

    async def says(self, interaction: Body, text: str) -> bool:
        """See Acking."""
        said = {"content": text[:MAX_TEXT], "flags": EPHEMERAL, "allowed_mentions": {"parse": []}}
        return await self._answer(interaction, Kind.MESSAGE, said)

    async def form(self, interaction: Body, form: Mapping[str, Any]) -> bool:
        """See Acking."""
        return await self._answer(interaction, Kind.FORM, form)

    async def choices(self, interaction: Body, choices: Sequence[tuple[str, str]]) -> bool:
        """See Acking."""
        listed = [
            {"name": name[:MAX_CHOICE], "value": value}
            for name, value in choices
            if name and len(value) <= MAX_CHOICE
        ]
        return await self._answer(interaction, Kind.CHOICES, {"choices": listed[:MAX_CHOICES]})

    async def _answer(
        self, interaction: Body, kind: Kind, data: Mapping[str, Any] | None = None
    ) -> bool:
        body: dict[str, Any] = {"type": int(kind)}
        if data is not None:
            body["data"] = dict(data)
        try:
            async with asyncio.timeout(self._limit_s):
                why = await self._until_taken(interaction, body)
        except TimeoutError:
            why = "it took too long"
        if why:
            log.warning(
                "Discord did not take an acknowledgement: %s",
                why,
                extra={"action": "discord.not_acked", "interaction": text_in(interaction, "id")},
            )
        return not why

    async def _until_taken(self, interaction: Body, body: Mapping[str, Any]) -> str:
        """Empty once it is taken, else why it never will be."""
        pause, unknown = PAUSE_S, 0
        while True:
            status, error, wait_s = await self._tried(interaction, body)
            if status < 300 or error == TAKEN:
                return ""
            unknown += error == UNKNOWN
            if not _may_pass(status, error) or unknown >= UNKNOWN_TRIES:
                return f"HTTP {status}, error {error}"
            await asyncio.sleep(max(wait_s, pause))
            pause *= 2

    async def _tried(self, interaction: Body, body: Mapping[str, Any]) -> tuple[int, int, float]:
        """(HTTP status, Discord's number of the error, seconds to wait); 503 without an answer."""
        if self._session is None:
            raise RuntimeError("Acks must be entered first.")
        url = f"{self._base}/interactions/{interaction['id']}/{interaction['token']}/callback"
        try:
            async with self._session.post(url, json=body, allow_redirects=False) as answer:
                told = _object(await answer.read()) if answer.status >= 300 else {}
                error, wait_s = told.get("code"), told.get("retry_after")
                return (
                    answer.status,
                    error if isinstance(error, int) else 0,
                    float(wait_s) if isinstance(wait_s, int | float) else 0.0,
                )
        except (aiohttp.ClientError, OSError):
            return 503, 0, 0.0


def _may_pass(status: int, error: int) -> bool:
    return status == 429 or status >= 500 or error == UNKNOWN


def _object(body: bytes) -> dict[str, Any]:
    """What a proxy answers is no JSON."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
