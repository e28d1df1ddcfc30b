"""One socket of the gateway: frames, compression, heartbeats, and the codes it is closed with."""

import asyncio
import json
import zlib
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import WSMsgType, web

from tests.fakes.discord.state import Json

if TYPE_CHECKING:
    from tests.fakes.discord.gateway import Gateway

LONGEST = 4096
"""Bytes that a client may send at once."""
MOST, WITHIN_S = 120, 60.0
"""Frames that a client may send within a minute."""
UNKNOWN_OP, NOT_READABLE, NOT_IDENTIFIED, TWICE, TOO_FAST, TIMED_OUT = (
    4001,
    4002,
    4003,
    4005,
    4008,
    4009,
)


@dataclass(eq=False, kw_only=True)
class Socket:
    """One connection of a client. It reads its session's log from `at` on."""

    ws: web.WebSocketResponse
    request: web.Request
    packed: bool
    """Whether frames go through one zlib stream."""
    number: int
    at: int = 0
    sent: int = 0
    beats: int = 0
    left_with: int = 0
    """The code with which the client closed it."""
    more: asyncio.Event = field(default_factory=asyncio.Event)
    _log: list[str] | None = None
    _beat_at: float = 0.0
    _heard: deque[float] = field(default_factory=deque)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _writer: "asyncio.Task[None] | None" = None

    def __post_init__(self) -> None:
        """One stream for the life of the socket."""
        self._stream = zlib.compressobj()

    async def converse(self, gateway: "Gateway") -> None:
        """Say hello, listen, answer, until it is closed by either side."""
        loop = asyncio.get_running_loop()
        self._beat_at = loop.time()
        hello = {"heartbeat_interval": gateway.heartbeat_ms, "_trace": []}
        await self.send({"op": 10, "d": hello, "s": None, "t": None})
        try:
            while not self.ws.closed:
                quiet = self._beat_at + gateway.heartbeat_ms * 1.5 / 1000 - loop.time()
                try:
                    frame = await self.ws.receive(timeout=max(quiet, 0.01))
                except TimeoutError:
                    await self.ws.close(code=TIMED_OUT)
                    return
                if frame.type is not WSMsgType.TEXT:
                    self.left_with = int(frame.data or 0) if frame.type is WSMsgType.CLOSE else 0
                    return
                if code := await self._heed(gateway, frame.data):
                    await self.ws.close(code=code)
        finally:
            if self._writer is not None:
                self._writer.cancel()
                await asyncio.gather(self._writer, return_exceptions=True)

    def read(self, log: list[str], at: int) -> None:
        """From now on send what the log has and will have, from this place on."""
        self._log, self.at = log, at
        self.more.set()
        self._writer = asyncio.ensure_future(self._write())

    async def send(self, frame: Json) -> None:
        """One frame; a client that is gone gets none."""
        await self.say(json.dumps(frame))

    async def say(self, text: str) -> None:
        """As it stands, whether or not it is a frame."""
        async with self._lock:
            try:
                if self.packed:
                    data = self._stream.compress(text.encode())
                    await self.ws.send_bytes(data + self._stream.flush(zlib.Z_SYNC_FLUSH))
                else:
                    await self.ws.send_str(text)
            except ConnectionError:
                return
        self.sent += 1

    async def cut(self) -> None:
        """Break the connection without a word."""
        if self.request.transport is not None:
            self.request.transport.abort()

    async def _write(self) -> None:
        assert self._log is not None
        while not self.ws.closed:
            while self.at < len(self._log) and not self.ws.closed:
                await self.say(self._log[self.at])
                self.at += 1
            self.more.clear()
            await self.more.wait()

    async def _heed(self, gateway: "Gateway", text: str) -> int:
        """Do what the client says; the code to close with, or 0."""
        if self._too_fast():
            return TOO_FAST
        try:
            frame: Json = json.loads(text) if len(text) <= LONGEST else {}
            op, told = frame["op"], frame["d"]
        except (ValueError, KeyError, TypeError):
            return NOT_READABLE
        if op == 1:
            self.beats += 1
            self._beat_at = asyncio.get_running_loop().time()
            await self.send({"op": 11, "d": None, "s": None, "t": None})
            return 0
        if op in (2, 6):
            if self._log is not None:
                return TWICE
            return await (gateway.identify if op == 2 else gateway.resume)(self, told)
        if self._log is None:
            return NOT_IDENTIFIED
        if op not in (3, 4, 8):
            return UNKNOWN_OP
        gateway.world.violated(f"the gateway was asked for op {op}, which nothing here needs")
        return 0

    def _too_fast(self) -> bool:
        now = asyncio.get_running_loop().time()
        self._heard.append(now)
        while now - self._heard[0] > WITHIN_S:
            self._heard.popleft()
        return len(self._heard) > MOST
