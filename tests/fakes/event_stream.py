"""Server-sent events of an application in this process, read while their stream is open: httpx's
transport for such applications hands out an answer only once it has ended."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI

from tests.fakes.waiting import ENOUGH_S


@dataclass(frozen=True, kw_only=True)
class StreamedEvent:
    """One event as a browser gets it; `kind` and `id` are empty where the server names none."""

    kind: str
    id: str
    data: dict[str, Any]


class EventStream:
    """An open stream. Use `open_stream`."""

    def __init__(self) -> None:
        self._pieces: asyncio.Queue[str | None] = asyncio.Queue()
        self._text = ""
        self.headers: dict[str, str] = {}
        """Of the answer, once its first event is there."""

    def arrived(self, piece: str | None) -> None:
        """Take what the server sent; None: it has ended the stream."""
        self._pieces.put_nowait(piece)

    async def next(self) -> StreamedEvent | None:
        """The next event, or None once the stream has ended. TimeoutError if neither comes."""
        async with asyncio.timeout(ENOUGH_S):
            while True:
                while "\n\n" not in self._text:
                    piece = await self._pieces.get()
                    if piece is None:
                        return None
                    self._text += piece
                block, self._text = self._text.split("\n\n", 1)
                fields = dict(line.split(": ", 1) for line in block.splitlines())
                if "data" in fields:  # a comment only keeps the connection alive
                    return StreamedEvent(
                        kind=fields.get("event", ""),
                        id=fields.get("id", ""),
                        data=json.loads(fields["data"]),
                    )


@asynccontextmanager
async def open_stream(
    app: FastAPI, path: str, headers: Mapping[str, str]
) -> AsyncIterator[EventStream]:
    """Read the events below this path until the end of the block."""
    stream, gone = EventStream(), asyncio.Event()
    messages = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> dict[str, Any]:
        for message in messages:
            return message
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Mapping[str, Any]) -> None:
        given = message.get("headers", ())
        stream.headers |= {name.decode(): text.decode() for name, text in given}
        stream.arrived(message.get("body", b"").decode())

    serving = asyncio.create_task(app(_scope(path, headers), receive, send))
    serving.add_done_callback(lambda _: stream.arrived(None))
    try:
        yield stream
    finally:
        gone.set()
        await asyncio.wait_for(serving, ENOUGH_S)


def _scope(path: str, headers: Mapping[str, str]) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [
            (b"host", b"portal.test"),
            *((name.lower().encode(), text.encode()) for name, text in headers.items()),
        ],
        "scheme": "http",
        "server": ("portal.test", 80),
        "client": ("127.0.0.1", 1),
    }
