"""Gateway: the connections over which Discord tells what people do, kept up whatever happens.

discord.py resumes a connection that breaks, and then Discord tells again what was missed. Where
that fails, its client is of no use any more: a first handshake that breaks ends it (discord.py
#10520), so does a frame that is no event; and after a long outage it may wait a quarter of an hour
before it tries again. So each connection is held by a supervisor that makes a new client. A new
session misses what came before it: the reactions that stand are read anew then (RESYNC). What was
pressed meanwhile, Discord has told the person that nobody answered.

What a new client can't mend ends it: a token that is refused, an intent that is not granted.

Source: docs.discord.com, events/gateway and topics/opcodes-and-status-codes.
"""

import asyncio
import logging
import random
from contextlib import suppress
from enum import StrEnum

import aiohttp
import discord

from bot.chat.discord_chat.incoming.acks import Acks
from bot.chat.discord_chat.incoming.client import (
    IDENTIFY_EVERY_S,
    GatewayClient,
    Pace,
    point_library_at,
)
from bot.chat.discord_chat.incoming.ears import Ears
from bot.chat.discord_chat.incoming.intake import DiscordIntake
from bot.chat.discord_chat.options import DiscordOptions
from bot.core.errors import HousestyleError
from bot.core.ports import Clock

log = logging.getLogger(__name__)

FIRST_PAUSE_S, LAST_PAUSE_S = 1.0, 120.0
"""Before a new client: doubles with each that held no session for STEADY_S. Discord lets an app
begin 1,000 sessions a day, and resets the token of one that begins more (docs.discord.com, gateway,
session start limit): even a day in which each breaks at once must stay below that."""
STEADY_S = 60.0
SHARE = (0.5, 1.0)
"""How much of a pause is waited, at random, so that processes don't come all at once."""
PATIENCE_S = 60.0
"""How long discord.py may try to come back by itself."""
LOOK_S = 1.0
DRAIN_S = 5.0
"""How long a stop waits for what came in to be acknowledged."""
CLOSE_S = 3.0


_REFUSED = frozenset({401, 403, 404})
"""Statuses after which Discord must not be asked again."""


class Stopped(HousestyleError):
    """Discord will not have us: only a person can change that."""

    title = "Discord does not let Housestyle in"


class State(StrEnum):
    """How the connections are."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    STOPPED = "stopped"


_TOKEN = (
    "Discord refuses the bot's token.",
    "Copy it again from the developer portal (Bot → Reset Token) into discord.token, and start "
    "Housestyle again.",
)
_CLOSED = {
    4004: _TOKEN,
    4010: ("Discord knows no such shard.", "Set discord.shards to a number from 1 to 64."),
    4011: (
        "This bot is in too many servers for so few connections.",
        "Raise discord.shards: Discord wants one for every 2,500 servers.",
    ),
    4012: ("Discord has given up this version of its gateway.", "Update Housestyle."),
    4013: ("Discord does not know the intents asked for.", "Update Housestyle."),
    4014: (
        "Discord does not grant this bot the intents asked for.",
        "Housestyle needs no privileged intent. Look into the developer portal (Bot) whether the "
        "app is disabled or limited there.",
    ),
}
"""By the code with which Discord closes for good: what that means, and the way out."""


class Gateway:
    """All connections of this process: one for each of `options.shards`."""

    def __init__(
        self,
        options: DiscordOptions,
        intake: DiscordIntake,
        *,
        clock: Clock,
        identify_every_s: float = IDENTIFY_EVERY_S,
        first_pause_s: float = FIRST_PAUSE_S,
        patience_s: float = PATIENCE_S,
    ) -> None:
        point_library_at(options)
        self._options = options
        self._clock = clock
        self._pace = Pace(identify_every_s)
        self._first_pause_s = first_pause_s
        self._acks = Acks(options)
        self._ears = [
            Ears(intake, self._acks, clock, patience_s=patience_s) for _ in range(options.shards)
        ]
        self._stopped: Stopped | None = None

    @property
    def state(self) -> State:
        """How they are: connected where all are."""
        if self._stopped:
            return State.STOPPED
        return State.CONNECTED if all(e.is_open for e in self._ears) else State.CONNECTING

    @property
    def reason(self) -> str:
        """Why they are not connected, as far as that is known."""
        if self._stopped:
            return self._stopped.message
        return next((e.reason for e in self._ears if not e.is_open), "")

    @property
    def fix(self) -> str:
        """What somebody can do where Discord will not have us, else nothing."""
        return self._stopped.fix if self._stopped else ""

    async def run(self, stop: asyncio.Event) -> None:
        """Keep them up until `stop`, then acknowledge what came in and say goodbye. Raises
        Stopped where Discord will not have us."""
        stopping = asyncio.create_task(stop.wait())
        async with self._acks:
            keepers = [
                asyncio.create_task(self._keep(number, ears))
                for number, ears in enumerate(self._ears)
            ]
            try:
                await asyncio.wait({*keepers, stopping}, return_when=asyncio.FIRST_COMPLETED)
                for keeper in keepers:
                    if keeper.done():
                        keeper.result()
            except Stopped as exc:
                self._stopped = exc
                raise
            finally:
                await self._drained()
                for task in (*keepers, stopping):
                    task.cancel()
                await asyncio.gather(*keepers, stopping, return_exceptions=True)

    async def _drained(self) -> None:
        """What comes from here on is not taken: it would be done, and Discord never told so."""
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_S):
                for ears in self._ears:
                    await ears.idle.wait()
        for ears in self._ears:
            ears.leave()

    async def _keep(self, number: int, ears: Ears) -> None:
        """One client after the other, until Discord will not have us."""
        pause = self._first_pause_s
        while True:
            ears.begin()
            try:
                await self._hold(number, ears)
                ears.reason = "the connection did not come back"
            except Exception as exc:
                _raise_if_final(exc)
                ears.reason = f"{type(exc).__name__}"
                log.warning(
                    "The connection to Discord broke and is opened anew: %s",
                    ears.reason,
                    exc_info=exc if _is_odd(exc) else None,
                    extra={"action": "discord.gateway_replaced", "shard": number},
                )
            pause = pause_after(pause, held_s=ears.held_s(), first_s=self._first_pause_s)
            await asyncio.sleep(pause * random.uniform(*SHARE))  # noqa: S311 - no secret

    async def _hold(self, number: int, ears: Ears) -> None:
        """One client; returns when it does not come back, raises what ended it."""
        client = GatewayClient(self._options, number, hears=ears, pace=self._pace)
        starting = asyncio.create_task(client.start(self._options.token))
        worn = asyncio.create_task(ears.is_worn.wait())
        try:
            while not starting.done():
                await asyncio.wait(
                    {starting, worn},
                    timeout=min(LOOK_S, ears.patience_s),
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if not starting.done() and (worn.done() or ears.is_away()):
                    return
            starting.result()
        finally:
            ears.left()
            for task in (starting, worn):
                task.cancel()
            with suppress(TimeoutError, aiohttp.ClientError, OSError):
                async with asyncio.timeout(CLOSE_S):
                    await asyncio.gather(starting, worn, return_exceptions=True)
                    await client.close()


def pause_after(pause_s: float, *, held_s: float, first_s: float) -> float:
    """Seconds before the next client, after a pause and a client that held its session so long."""
    return first_s if held_s >= STEADY_S else min(pause_s * 2, LAST_PAUSE_S)


def _raise_if_final(error: Exception) -> None:
    """Raise Stopped for what a new client can't mend."""
    if isinstance(error, discord.LoginFailure):
        words, fix = _TOKEN
    elif isinstance(error, discord.PrivilegedIntentsRequired):
        words, fix = _CLOSED[4014]
    elif isinstance(error, discord.ConnectionClosed) and error.code in _CLOSED:
        words, fix = _CLOSED[error.code]
    elif isinstance(error, discord.HTTPException) and _refuses(error):
        words = f"Discord refuses the bot (HTTP {error.status})."
        fix = "Look at the bot in the developer portal, and whether discord.api_base_url is right."
    else:
        return
    raise Stopped(words, fix=fix) from error


def _refuses(error: discord.HTTPException) -> bool:
    """Whether it is Discord itself that says no: a page is of something on the way there."""
    says = str(error.response.headers.get("Content-Type", ""))
    return error.status in _REFUSED and says.startswith("application/json")


def _is_odd(error: Exception) -> bool:
    """Whether it is no error of a network or of Discord's: then the log gets its trace."""
    return not isinstance(error, discord.DiscordException | aiohttp.ClientError | OSError)
