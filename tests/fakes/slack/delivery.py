"""Deliveries to the app: signed HTTP or sockets, three seconds, retries with their headers."""

import asyncio
import json
import secrets
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import aiohttp

from tests.fakes.slack.configured import Configured
from tests.fakes.slack.sockets import Socket, Sockets
from tests.fakes.slack.state import Json, World, signature

ACK_S = 3.0
RETRIES_S = (0.0, 60.0, 300.0)
"""Slack's own waits before an event is sent again."""


@dataclass(kw_only=True)
class Attempt:
    """One try. `error`: http_timeout, http_error, connection_failed, no_socket."""

    ms: float
    status: int
    body: Any
    error: str = ""


@dataclass(kw_only=True)
class Receipt:
    """What became of a delivery. `body` is the app's answer: JSON, a text, or nothing."""

    kind: str
    payload: Json
    envelope: str
    team: str
    attempts: list[Attempt] = field(default_factory=list)

    @property
    def last(self) -> Attempt:
        """The latest try."""
        return self.attempts[-1]

    @property
    def acked(self) -> bool:
        """Whether the app took it."""
        return any(not attempt.error for attempt in self.attempts)

    @property
    def ms(self) -> float:
        """Milliseconds from sending to the answer, of the latest try."""
        return self.last.ms

    @property
    def status(self) -> int:
        """HTTP status of the latest try; 200 for an acknowledgement by socket."""
        return self.last.status

    @property
    def body(self) -> Json:
        """The app's answer to the latest try: JSON, a text, or None."""
        return self.last.body

    @property
    def error(self) -> str:
        """Why the latest try failed; empty if it did not."""
        return self.last.error


class Delivery:
    """Sends what happens to the app."""

    def __init__(self, world: World, sockets: Sockets, *, pace: float) -> None:
        self.world = world
        self.sockets = sockets
        self.pace = pace
        self.ack_s = ACK_S
        self.app = Configured()
        self.lose = 0
        """How many answers more are lost on their way back."""
        self.log: list[Receipt] = []
        self.recorded = 100_000
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None

    async def send(self, team: str, kind: str, payload: Json, *, copies: int = 1) -> Receipt:
        """Deliver; the receipt has the first try. `kind`: slash_commands, interactive, events_api.
        Raises ClientRefused for what the app is not set up for.

        `copies` of it go at the same time, as Slack sometimes does; the receipt is the first's.
        """
        self.app.check(kind, payload)
        receipt = Receipt(kind=kind, payload=payload, envelope=secrets.token_hex(16), team=team)
        if len(self.log) < self.recorded:
            self.log.append(receipt)
        others = [
            Receipt(kind=kind, payload=payload, envelope=receipt.envelope, team=team)
            for _ in range(copies - 1)
        ]
        await asyncio.gather(*(self._attempt(each, 0, "") for each in (receipt, *others)))
        if kind == "events_api" and receipt.error:
            self.later(self._retry(receipt))
        return receipt

    async def again(self, receipt: Receipt, *, number: int = 1, reason: str = "") -> Receipt:
        """Send the same delivery once more."""
        await self._attempt(receipt, number, reason or "http_timeout")
        return receipt

    def later(self, work: Coroutine[Any, Any, object]) -> None:
        """Let something be delivered in the background."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def idle(self) -> None:
        """Wait until nothing is being delivered in the background."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def close(self) -> None:
        """Give up what is still to be sent."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _retry(self, receipt: Receipt) -> None:
        for number, wait in enumerate(RETRIES_S, start=1):
            await asyncio.sleep(wait * self.pace)
            await self._attempt(receipt, number, receipt.error)
            if not receipt.error:
                return

    async def _attempt(self, receipt: Receipt, number: int, reason: str) -> None:
        began = time.perf_counter()
        way = self._by_socket if self.app.sockets else self._by_http
        status, body, error = await way(receipt, number, reason)
        ms = (time.perf_counter() - began) * 1000
        if self.lose > 0 and not error:
            self.lose -= 1
            status, body, error = 0, None, "http_timeout"
        elif error == "http_timeout":
            self.world.violated(f"operation_timed_out: {receipt.kind} was not taken in 3 s")
        elif error == "http_error":
            self.world.violated(f"{receipt.kind} was answered {status}: {str(body)[:200]}")
        receipt.attempts.append(Attempt(ms=ms, status=status, body=body, error=error))

    async def _by_http(self, receipt: Receipt, number: int, reason: str) -> tuple[int, Any, str]:
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        content, data = encoded(receipt)
        stamp = str(int(self.world.now()))
        headers = {
            "Content-Type": content,
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": signature(self.world.signing_secret, stamp, data),
        }
        if number:
            headers |= {"X-Slack-Retry-Num": str(number), "X-Slack-Retry-Reason": reason}
        url = self.app.address(receipt.kind, receipt.payload)
        limit = aiohttp.ClientTimeout(total=self.ack_s)
        try:
            async with self._session.post(url, data=data, headers=headers, timeout=limit) as answer:
                text = await answer.text()
                body = read_body(answer.content_type, text)
                if 200 <= answer.status < 300:
                    return answer.status, body, ""
                return answer.status, body, "http_error"
        except TimeoutError:
            return 0, None, "http_timeout"
        except aiohttp.ClientError:
            return 0, None, "connection_failed"

    async def _by_socket(self, receipt: Receipt, number: int, reason: str) -> tuple[int, Any, str]:
        waiting = self.sockets.waiting.get(receipt.envelope)
        if waiting is None or waiting.done():
            waiting = self.sockets.expect(receipt.envelope)
        envelope: Json = {
            "envelope_id": receipt.envelope,
            "type": receipt.kind,
            "payload": receipt.payload,
            "accepts_response_payload": receipt.kind != "events_api",
        }
        if receipt.kind == "events_api":
            envelope |= {"retry_attempt": number, "retry_reason": reason}
        socket = await self.sockets.send(envelope)
        if socket is None:
            return 0, None, "no_socket"
        if await self._acknowledged(waiting, socket):
            return 200, waiting.result() or None, ""
        if socket.ws.closed:
            return 0, None, "connection_failed"
        return 0, None, "http_timeout"

    async def _acknowledged(self, waiting: "asyncio.Future[Json]", socket: Socket) -> bool:
        """Whether it is acknowledged in time, by any socket; nobody waits when all are gone."""
        ended = asyncio.get_running_loop().time() + self.ack_s
        gone = asyncio.ensure_future(socket.gone.wait())
        await asyncio.wait({waiting, gone}, timeout=self.ack_s, return_when=asyncio.FIRST_COMPLETED)
        gone.cancel()
        if not waiting.done() and self.sockets.open:
            left = ended - asyncio.get_running_loop().time()
            await asyncio.wait({waiting}, timeout=max(left, 0))
        return waiting.done()


def encoded(receipt: Receipt) -> tuple[str, bytes]:
    """(content type, body) of a delivery by HTTP."""
    if receipt.kind == "events_api":
        return "application/json", json.dumps(receipt.payload).encode()
    form = receipt.payload
    if receipt.kind == "interactive":
        form = {"payload": json.dumps(receipt.payload)}
    return "application/x-www-form-urlencoded", urlencode(form).encode()


def read_body(content_type: str, text: str) -> object:
    """The app's answer: JSON, else a text, else None."""
    if not text:
        return None
    if content_type == "application/json":
        try:
            return json.loads(text) or None
        except ValueError:
            return text
    return text
