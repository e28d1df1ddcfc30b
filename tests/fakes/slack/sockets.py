"""Socket Mode: tickets, hello, disconnect frames; any one socket gets a payload."""

import asyncio
import itertools
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web

from tests.fakes.slack.state import Json, Refused, World

TICKET_S, MOST = 30.0, 10
Answer = Callable[[Json], None]


@dataclass(eq=False)
class Socket:
    """One open socket of the app."""

    ws: web.WebSocketResponse
    request: web.Request
    number: int
    leaving: bool = False
    """It was told to disconnect and gets nothing new."""
    sent: int = 0
    gone: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass
class Sockets:
    """All sockets of the app."""

    world: World
    tickets: dict[str, float] = field(default_factory=dict)
    open: list[Socket] = field(default_factory=list)
    waiting: dict[str, asyncio.Future[Json]] = field(default_factory=dict)
    """Envelope id -> who waits for its acknowledgement."""
    disabled: bool = False
    hellos: int = 0
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    _turn: int = 0

    def connections_open(self) -> Json:
        """apps.connections.open: an address with a ticket, good once and for half a minute."""
        if self.disabled:
            raise Refused("internal_error")
        ticket = secrets.token_hex(16)
        self.tickets[ticket] = self.world.now()
        base = self.world.base.replace("http", "ws", 1)
        return {"url": f"{base}/link/?ticket={ticket}&app_id={self.world.app_id}"}

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One socket, for as long as it is open."""
        made = self.tickets.pop(request.query.get("ticket", ""), None)
        if made is None or self.world.now() - made > TICKET_S:
            return web.Response(status=408, text="the ticket is void")
        ws = web.WebSocketResponse(heartbeat=20)
        await ws.prepare(request)
        if len(self.open) >= MOST:
            self.world.violated("more than 10 sockets were opened")
            await ws.send_json({"type": "disconnect", "reason": "too_many_websockets"})
            await ws.close()
            return ws
        socket = Socket(ws=ws, request=request, number=next(self._numbers))
        self.open.append(socket)
        try:
            await ws.send_json(self._hello())
            self.hellos += 1
            async for frame in ws:
                if frame.type is WSMsgType.TEXT:
                    self._heard(frame.data)
        finally:
            self.open.remove(socket)
            socket.gone.set()
        return ws

    async def send(self, envelope: Json, *, but: Socket | None = None) -> Socket | None:
        """Give a payload to one socket, in turn; None where there is none."""
        ready = [s for s in self.open if not s.leaving and not s.ws.closed and s is not but]
        if not ready:
            return None
        self._turn += 1
        socket = ready[self._turn % len(ready)]
        socket.sent += 1
        try:
            await socket.ws.send_json(envelope)
        except ConnectionError:
            return None
        return socket

    def expect(self, envelope: str) -> "asyncio.Future[Json]":
        """What will hold the acknowledgement of this envelope."""
        self.waiting[envelope] = asyncio.get_running_loop().create_future()
        return self.waiting[envelope]

    async def refresh(self, *, after_s: float = 0.1, reason: str = "refresh_requested") -> None:
        """Ask every socket that is open to come anew, as Slack does every few hours."""
        leaving = [s for s in self.open if not s.leaving]
        for socket in leaving:
            socket.leaving = reason != "warning"
            await socket.ws.send_json(
                {"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-1"}}
            )
        if reason != "warning":
            await asyncio.sleep(after_s)
            for socket in leaving:
                await socket.ws.close()

    def drop(self) -> None:
        """Cut every socket without a word."""
        for socket in list(self.open):
            if socket.request.transport is not None:
                socket.request.transport.abort()

    async def close(self) -> None:
        """Close all of them; the tickets are void."""
        self.tickets.clear()
        for socket in list(self.open):
            await socket.ws.close()

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self.open),
            "debug_info": {"host": "applink-1", "approximate_connection_time": 18060},
            "connection_info": {"app_id": self.world.app_id},
        }

    def _heard(self, text: str) -> None:
        """An acknowledgement; any socket may bring it."""
        try:
            ack = json.loads(text)
            waiting = self.waiting.get(ack["envelope_id"])
        except (ValueError, KeyError, TypeError):
            self.world.violated(f"a socket said {text[:80]!r}, which acknowledges nothing")
            return
        if waiting is not None and not waiting.done():
            waiting.set_result(ack.get("payload") or {})
