"""`POST /_control`: drives a fake Slack that runs as a process of its own.

A body is `{"do": NAME, …arguments}`, the answer JSON:
    listens   url                                    deliver by HTTP to it; "": by sockets
    command   user, name, text, channel, copies      -> a receipt
    say       user, text, channel, thread, copies    -> a receipt, None where no one hears it
    click     user, channel, ts, action, copies      -> a receipt
    trouble   method, kind, and what `Troubles.add` takes
    channel   channel, name, kind                    one more channel
    person    user, name                             one more person
    messages  channel                                -> what stands there, oldest first
    everything                                       -> what stands anywhere
    facts                                            -> calls by method, violations, open sockets
A receipt is {acked, ms, status, error, body, attempts}.
"""

from typing import TYPE_CHECKING, Any

from aiohttp import web

from tests.fakes.slack.delivery import Receipt
from tests.fakes.slack.state import Json, Message

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.fakes.slack.app import FakeSlack


class Control:
    """What the endpoint can do, by name."""

    def __init__(self, slack: "FakeSlack") -> None:
        self.slack = slack
        self.deeds: dict[str, Callable[..., Awaitable[Any]]] = {
            "listens": self._listens,
            "command": self._command,
            "say": self._say,
            "click": self._click,
            "trouble": self._trouble,
            "channel": self._channel,
            "person": self._person,
            "messages": self._messages,
            "everything": self._everything,
            "facts": self._facts,
        }

    async def handle(self, request: web.Request) -> web.Response:
        """Do one thing; 400 with the reason where it can't be done."""
        asked = await request.json()
        deed = self.deeds.get(asked.pop("do", ""))
        if deed is None:
            return web.json_response({"error": f"do one of {sorted(self.deeds)}"}, status=400)
        try:
            return web.json_response(await deed(**asked))
        except (AssertionError, KeyError, TypeError, ValueError) as exc:
            return web.json_response({"error": f"{type(exc).__name__}: {exc}"}, status=400)

    async def _listens(self, *, url: str) -> None:
        self.slack.listens(url)

    async def _command(
        self, *, user: str, name: str, text: str = "", channel: str = "", copies: int = 1
    ) -> Json:
        person = self.slack.person(user)
        return _receipt(await person.command(name, text, channel=channel, copies=copies))

    async def _say(self, *, user: str, text: str, **where: Any) -> Json | None:
        receipt = await self.slack.person(user).say(text, **where)
        return _receipt(receipt) if receipt else None

    async def _click(
        self, *, user: str, channel: str, ts: str, action: str, copies: int = 1
    ) -> Json:
        message = self.slack.channel(channel).messages[ts]
        return _receipt(await self.slack.person(user).click(message, action, copies=copies))

    async def _trouble(self, *, method: str, kind: str, **more: Any) -> None:
        self.slack.troubles.add(method, kind, **more)

    async def _channel(self, *, channel: str, name: str, kind: str = "public") -> None:
        self.slack.add_channel(channel, name, kind=kind)

    async def _person(self, *, user: str, name: str) -> None:
        self.slack.add_person(user, name)

    async def _messages(self, *, channel: str) -> list[Json]:
        return [_message(m) for m in self.slack.messages(channel)]

    async def _everything(self) -> list[Json]:
        return [_message(m) for m in self.slack.world.all_messages()]

    async def _facts(self) -> Json:
        return {
            "count": dict(self.slack.api.count),
            "violations": self.slack.violations,
            "sockets": len(self.slack.sockets.open),
            "response_calls": self.slack.response_calls,
        }


def _receipt(receipt: Receipt) -> Json:
    return {
        "acked": receipt.acked,
        "ms": receipt.ms,
        "status": receipt.status,
        "error": receipt.error,
        "body": receipt.body,
        "attempts": len(receipt.attempts),
    }


def _message(message: Message) -> Json:
    return {
        "id": message.id,
        "channel": message.channel,
        "ts": message.ts,
        "user": message.user,
        "text": message.text,
        "blocks": message.blocks,
        "thread": message.thread,
        "files": list(message.files),
        "edits": len(message.edits),
    }
