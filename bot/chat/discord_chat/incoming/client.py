"""client: discord.py's connection to the gateway, deaf to everything that is not for us.

discord.py builds an object of its own from each event before it tells of it, and an error while it
does ends the connection (a field that Discord adds or leaves out is enough). Here seven events are
heard at all, as plain JSON; the library keeps the connection: heartbeat, resume, compression. So
nothing of a guild is kept in memory either.

Source: discord.py 2.7.1, state.py (parsers) and gateway.py.
"""

import asyncio
import logging
import random
from typing import Any, Protocol

import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route
from discord.state import ConnectionState

from bot.chat.discord_chat.options import DiscordOptions
from bot.chat.discord_chat.surfaces import INTENTS

IDENTIFY_EVERY_S = 5.0
"""Discord takes one identify in five seconds of an app (docs.discord.com, gateway, rate
limiting)."""
VOID_S = (1.0, 5.0)
"""How long Discord asks to wait, at random, after it has voided a session."""


class Hears(Protocol):
    """What is told of a connection. No method raises or waits."""

    def ready(self, own: str) -> None:
        """A new session: what happened before it was missed. `own` is the app's user."""
        ...

    def resumed(self) -> None:
        """The session goes on, and nothing was missed."""
        ...

    def left(self) -> None:
        """The connection broke; discord.py comes back by itself."""
        ...

    def interaction(self, payload: object) -> None:
        """Somebody used a command, a button, a form, or types."""
        ...

    def reaction(self, payload: object, *, added: bool) -> None:
        """Somebody put an emoji on a message, or took it away."""
        ...

    def cleared(self, payload: object) -> None:
        """A moderator took all emoji, or all of one kind, off a message."""
        ...


class Pace:
    """The identifies of all connections of this process, one after the other."""

    def __init__(self, every_s: float = IDENTIFY_EVERY_S) -> None:
        self._every_s = every_s
        self._turn = asyncio.Lock()
        self._next_at = 0.0

    async def turn(self, *, again: bool) -> None:
        """Wait until one may identify; `again` where a session of this connection was voided."""
        if again:
            low, high = VOID_S
            scale = self._every_s / IDENTIFY_EVERY_S
            await asyncio.sleep(random.uniform(low, high) * scale)  # noqa: S311 - no secret
        async with self._turn:
            now = asyncio.get_running_loop().time()
            await asyncio.sleep(max(0.0, self._next_at - now))
            self._next_at = asyncio.get_running_loop().time() + self._every_s


def point_library_at(options: DiscordOptions) -> None:
    """Let discord.py speak to the server of the options, in this whole process, and keep what
    people write out of the log, which it puts there below INFO."""
    Route.BASE = options.api_base_url
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(options.gateway_url)
    logging.getLogger("discord").setLevel(logging.WARNING)
    # It warns of libraries for voice, which nobody here needs.
    discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False


class GatewayClient(discord.Client):
    """One connection to the gateway, for one shard of the guilds."""

    def __init__(self, options: DiscordOptions, shard: int, *, hears: Hears, pace: Pace) -> None:
        self._hears = hears
        self._pace = pace
        super().__init__(
            intents=discord.Intents(**dict.fromkeys(INTENTS, True)),
            shard_id=shard,
            shard_count=options.shards,
            max_messages=None,
            chunk_guilds_at_startup=False,
            member_cache_flags=discord.MemberCacheFlags.none(),
            allowed_mentions=discord.AllowedMentions.none(),
        )

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        """What the library tells of itself; nothing of it is needed but that it broke."""
        if event == "disconnect":
            self._hears.left()

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """See discord.Client."""
        await self._pace.turn(again=not initial)

    def _get_state(self, **options: Any) -> ConnectionState["GatewayClient"]:
        state: ConnectionState[GatewayClient] = super()._get_state(**options)
        hears = self._hears
        state.parsers = {
            "READY": lambda _: hears.ready(str(self.user.id) if self.user else ""),
            "RESUMED": lambda _: hears.resumed(),
            "INTERACTION_CREATE": hears.interaction,
            "MESSAGE_REACTION_ADD": lambda event: hears.reaction(event, added=True),
            "MESSAGE_REACTION_REMOVE": lambda event: hears.reaction(event, added=False),
            "MESSAGE_REACTION_REMOVE_ALL": hears.cleared,
            "MESSAGE_REACTION_REMOVE_EMOJI": hears.cleared,
        }
        return state
