"""The chat platform: a process of its own with its own fsynced log.

It behaves as Slack does where that matters here: no idempotency key, every message gets an id of
the platform, a bounded history carries the sender's metadata, deliveries come again until they
are acknowledged. And it has its troubles: some answers are lost after the message was kept, some
requests are refused for a while.

`python -m tests.chaos.chat_server FOLDER SEED CHANNEL,CHANNEL,…` prints its port.
"""

import asyncio
import itertools
import json
import os
import random
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

from tests.chaos.http import Answer, Request, listen

LOST_ANSWERS = 0.06
BUSY, BROKEN = 0.02, 0.02
TWICE = 0.05
"""Of the deliveries, so many come once more although they were acknowledged."""
AGAIN_S = 1.0
"""A delivery that is not acknowledged comes again after this."""
HISTORY = 200
MAX_TEXT = 60_000


@dataclass(kw_only=True)
class Message:
    """One message as it stands in a channel."""

    id: str
    channel: str
    outgoing: str
    at: float
    card: dict[str, Any]
    file: str = ""
    changed: int = 0
    deleted: bool = False


@dataclass(kw_only=True)
class Event:
    """Something a person did, on its way to the bot."""

    id: str
    payload: dict[str, Any]
    due: float = 0.0
    left: int = 1
    """Acknowledgements that it still wants."""


@dataclass
class ChatServer:
    """All channels."""

    folder: Path
    channels: frozenset[str]
    luck: random.Random
    messages: dict[str, Message] = field(default_factory=dict)
    events: dict[str, Event] = field(default_factory=dict)
    numbers: Any = field(default_factory=lambda: itertools.count(1))
    changes: Any = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        """Open the log."""
        self._log = (self.folder / "chat.jsonl").open("a")

    async def answer(self, request: Request) -> Answer:
        """Everything that can be asked."""
        first, *rest = request.path.strip("/").split("/")
        name = f"{request.method} /{first}"
        match name:
            case "POST /messages" | "PATCH /messages" | "DELETE /messages" | "GET /messages":
                return self._with_troubles(request, rest)
            case "GET /events":
                return self._due()
            case "POST /events":
                return self._acknowledged(rest[0])
            case "POST /people":
                return self._said(request.body)
            case "GET /people":
                return self._seen(int(request.query["after"]))
            case _:
                return Answer(status=HTTPStatus.NOT_FOUND, body={"error": "no_such_method"})

    def _with_troubles(self, request: Request, rest: list[str]) -> Answer:
        fate = self.luck.random()
        if fate < BUSY:
            return Answer(status=HTTPStatus.TOO_MANY_REQUESTS, headers={"Retry-After": "0.3"})
        if fate < BUSY + BROKEN:
            return Answer(status=HTTPStatus.SERVICE_UNAVAILABLE)
        if request.method == "GET":
            return self._history(request.query)
        if request.method == "DELETE":
            answer = self._delete(rest[0])
        elif request.method == "PATCH":
            answer = self._change(rest[0], request.body)
        else:
            answer = self._post(request.body)
        lost = self.luck.random() < LOST_ANSWERS
        return Answer(dropped=True) if lost else answer

    def _post(self, body: dict[str, Any]) -> Answer:
        channel = body["channel"]
        if channel not in self.channels and not channel.startswith("@"):
            return Answer(status=HTTPStatus.NOT_FOUND, body={"error": "channel_not_found"})
        if len(json.dumps(body["card"])) > MAX_TEXT:
            return Answer(status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE, body={"error": "too_long"})
        message = Message(
            id=f"M{next(self.numbers)}",
            channel=channel,
            outgoing=body.get("outgoing", ""),
            at=time.time(),
            card=body["card"],
            file=body.get("file", ""),
        )
        self.messages[message.id] = message
        return self._kept("post", message)

    def _change(self, key: str, body: dict[str, Any]) -> Answer:
        message = self.messages.get(key)
        if message is None or message.deleted:
            return Answer(status=HTTPStatus.NOT_FOUND, body={"error": "message_not_found"})
        message.card = body["card"]
        return self._kept("change", message)

    def _delete(self, key: str) -> Answer:
        message = self.messages.get(key)
        if message is None or message.deleted:
            return Answer(status=HTTPStatus.NOT_FOUND, body={"error": "message_not_found"})
        message.deleted = True
        return self._kept("delete", message)

    def _kept(self, what: str, message: Message) -> Answer:
        message.changed = next(self.changes)
        self._write({"what": what, **asdict(message)})
        return Answer(body={"id": message.id})

    def _history(self, query: Mapping[str, str]) -> Answer:
        """One page, oldest first."""
        oldest = float(query["oldest"])
        found = (
            {"id": m.id, "outgoing": m.outgoing, "at": m.at}
            for m in self.messages.values()
            if m.channel == query["channel"] and m.at >= oldest and not m.deleted
        )
        return Answer(body=list(itertools.islice(found, HISTORY)))

    def _said(self, body: dict[str, Any]) -> Answer:
        event = Event(id=f"E{next(self.numbers)}", payload=body)
        event.left += self.luck.random() < TWICE
        self.events[event.id] = event
        self._write({"what": "event", "id": event.id, **body})
        return Answer(body={"id": event.id})

    def _due(self) -> Answer:
        now = time.monotonic()
        due = [event for event in self.events.values() if event.due <= now][:20]
        for event in due:
            event.due = now + AGAIN_S
        return Answer(body=[{"id": event.id, **event.payload} for event in due])

    def _acknowledged(self, key: str) -> Answer:
        event = self.events.get(key)
        if event is not None:
            event.left -= 1
            if not event.left:
                del self.events[key]
        return Answer(body={})

    def _seen(self, after: int) -> Answer:
        changed = [asdict(m) for m in self.messages.values() if m.changed > after]
        return Answer(body={"messages": changed, "waiting": len(self.events)})

    def _write(self, line: dict[str, Any]) -> None:
        self._log.write(json.dumps(line) + "\n")
        self._log.flush()
        os.fsync(self._log.fileno())


async def main(folder: str, seed: str, channels: str) -> None:
    """Serve until SIGTERM."""
    known = frozenset(channels.split(","))
    server = ChatServer(Path(folder), known, random.Random(int(seed)))
    listening = await listen(server.answer)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    sys.stdout.write(f"{listening.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await stop.wait()
    listening.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
