"""Sockets: Slack's deliveries over WebSockets that this side opens (Socket Mode).

slack_sdk's client reconnects by itself when Slack asks it to. In two cases it stays away: a ticket
that was used once is tried again for ever, and a failure while it answers a `disconnect` frame
leaves it on a socket that Slack is about to close. So each socket is watched, and one that has
been gone for a while is replaced by a new client.

Source: docs.slack.dev/apis/events-api/using-socket-mode.
"""

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from aiohttp import ClientError, WSMessage
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from bot.chat.slack_chat.incoming.hearing import ENVELOPE
from bot.chat.slack_chat.incoming.shape import is_sound
from bot.chat.slack_chat.options import SlackOptions

log = logging.getLogger(__name__)

MOST = 10
"""Sockets that Slack lets an app have open."""
PING_S = 5.0
WATCH_S = 2.0
"""How often a socket is looked at."""
PATIENCE_S = 15.0
"""How long the client may try to come back by itself."""
DRAIN_S = 5.0
"""How long a stop waits for what came in to be acknowledged."""
CLOSE_S = 2.0


class Sockets:
    """Keeps `options.sockets` of them open. Slack gives each delivery to any one."""

    def __init__(
        self,
        bolt: AsyncApp,
        options: SlackOptions,
        *,
        watch_s: float = WATCH_S,
        patience_s: float = PATIENCE_S,
        link: "type[Link] | None" = None,
    ) -> None:
        self._bolt = bolt
        self._options = options
        self._link = link or Link
        self._watch_s = watch_s
        self._patience_s = patience_s
        self._links: dict[int, Link] = {}
        self.open: set[int] = set()
        """Numbers of those that were open when they were last looked at."""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep them open while the block runs. At its end what came in is acknowledged first, for
        DRAIN_S at most, then they are closed."""
        count = max(1, min(self._options.sockets, MOST))
        keepers = [asyncio.create_task(self._keep(number)) for number in range(count)]
        try:
            yield
        finally:
            await self.drain(DRAIN_S)
            for keeper in keepers:
                keeper.cancel()
            await asyncio.gather(*keepers, return_exceptions=True)

    async def connected(self) -> int:
        """How many are open now."""
        return sum([await link.is_connected() for link in list(self._links.values())])

    async def drain(self, limit_s: float) -> bool:
        """Wait until nothing that came in still lacks its answer; False if that took too long.
        What comes after that is not taken: it would be done, and Slack never told so."""
        done = False
        with suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                while busy := [link for link in self._links.values() if not link.idle.is_set()]:
                    await busy[0].idle.wait()
                done = True
        if not done:
            log.warning("Deliveries of Slack were not acknowledged before the stop")
        for link in self._links.values():
            link.leave()
        return done

    async def _keep(self, number: int) -> None:
        """One after the other, whatever becomes of each."""
        about = {"action": "slack.socket_replaced", "socket": number}
        while True:
            try:
                await self._hold(number)
                log.warning("A socket to Slack did not come back and is opened anew", extra=about)
            except Exception:
                log.exception("A socket to Slack broke and is opened anew", extra=about)
                await asyncio.sleep(self._watch_s)

    async def _hold(self, number: int) -> None:
        """Open one; returns when it has been down for too long."""
        link = self._links[number] = self._link(self._bolt, self._options)
        try:
            await self._watch(link, number)
        finally:
            self.open.discard(number)
            await link.close()
            del self._links[number]

    async def _watch(self, link: "Link", number: int) -> None:
        """Returns when the link has been down for too long."""
        loop = asyncio.get_running_loop()
        connecting = asyncio.create_task(link.connect())
        was_up, last_up = False, loop.time()
        try:
            await asyncio.wait({connecting}, timeout=self._watch_s)
            while loop.time() - last_up < self._patience_s:
                if connecting.done():
                    connecting.result()  # it tries until it is open, unless it broke
                is_up = await link.is_connected()
                if is_up:
                    last_up = loop.time()
                if is_up is not was_up:
                    (self.open.add if is_up else self.open.discard)(number)
                    _tell(number, is_up=is_up)
                was_up = is_up
                await asyncio.sleep(self._watch_s)
        finally:
            connecting.cancel()
            await asyncio.gather(connecting, return_exceptions=True)


class Link:
    """One socket with its client, and what of its deliveries is being answered."""

    def __init__(self, bolt: AsyncApp, options: SlackOptions) -> None:
        self._handler = AsyncSocketModeHandler(
            bolt, options.app_token, ping_interval=PING_S, logger=_library_log()
        )
        self._client = self._handler.client
        self._client.proxy = None  # it has taken one from the environment, also for loopback
        self._client.socket_mode_request_listeners[:] = [self._take]  # type: ignore[list-item]
        self._client.on_message_listeners.append(self._came)
        self._in_hand = 0
        self._leaving = False
        self.idle = asyncio.Event()
        """Set while all that came in is answered."""
        self.idle.set()

    async def connect(self) -> None:
        """Open it; tries until it is open."""
        await self._handler.connect_async()

    async def is_connected(self) -> bool:
        """Whether it is open and answers pings."""
        return await self._client.is_connected()

    def leave(self) -> None:
        """Take nothing from here on; what is being answered may end."""
        self._leaving = True

    async def close(self) -> None:
        """Close it, also where the other side does not answer any more."""
        client = self._client
        with suppress(TimeoutError, ClientError, OSError):
            async with asyncio.timeout(CLOSE_S):
                await self._handler.close_async()
        client.closed = True
        own = (client.message_processor, client.current_session_monitor, client.message_receiver)
        for task in (task for task in own if task is not None):
            task.cancel()
        await asyncio.gather(*(task for task in own if task), return_exceptions=True)
        await client.aiohttp_client_session.close()

    async def _came(self, message: WSMessage) -> None:
        """Counted as soon as it is received: its answer begins some turns of the loop later."""
        if '"envelope_id"' in message.data and not self._leaving:
            self._in_hand += 1
            self.idle.clear()

    async def _take(self, client: SocketModeClient, request: SocketModeRequest) -> None:
        if self._leaving:
            return
        try:
            if not is_sound(request.payload):
                log.warning("A delivery of Slack has an odd shape", extra={"action": "slack.odd"})
                await client.send_socket_mode_response(
                    SocketModeResponse(envelope_id=request.envelope_id)
                )
                return
            request.payload[ENVELOPE] = request.envelope_id
            await self._handler.handle(client, request)
        finally:
            self._in_hand -= 1
            if self._in_hand <= 0:
                self.idle.set()


class _WithoutTickets(logging.Filter):
    """Takes out of the library's lines what follows an address: for half a minute a ticket opens
    a socket that gets what people type. Its tracebacks repeat the address."""

    def filter(self, record: logging.LogRecord) -> bool:
        """See logging."""
        record.msg, record.args = _QUERY.sub(r"\1?…", record.getMessage()), None
        record.exc_info = record.exc_text = None
        return True


_QUERY = re.compile(r"((?:ws|http)s?://[^\s?'\"]*)\?[^\s'\"]*")
_TICKETLESS = _WithoutTickets()


def _library_log() -> logging.Logger:
    library = logging.getLogger(f"{__name__}.slack_sdk")
    library.setLevel(logging.WARNING)  # below it writes what is delivered
    library.addFilter(_TICKETLESS)
    return library


def _tell(number: int, *, is_up: bool) -> None:
    log.log(
        logging.INFO if is_up else logging.WARNING,
        "A socket to Slack is open" if is_up else "A socket to Slack is closed; it comes back",
        extra={"action": "slack.socket", "socket": number, "open": is_up},
    )
