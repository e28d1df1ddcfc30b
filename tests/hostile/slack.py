"""Slack's requests: signatures that are none, signed bodies that are none, on every address."""

import random
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from json import dumps
from typing import Any, TypeAlias
from urllib.parse import urlencode

import httpx
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from bot.chat.slack_chat.incoming.bolt import build_bolt
from bot.chat.slack_chat.incoming.guard import signature_of
from bot.chat.slack_chat.incoming.heard import Heard
from bot.chat.slack_chat.incoming.http import PATHS, SlackDoor, SlackHttp
from bot.chat.slack_chat.incoming.intake import SlackIntake
from bot.chat.slack_chat.options import Mode, SlackOptions
from tests.fakes.town import make_town
from tests.hostile.score import Score, Taken

Headers: TypeAlias = list[tuple[bytes, bytes]]

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
RANDOM = 1_000
STAMP, SIGNATURE = b"x-slack-request-timestamp", b"x-slack-signature"


@dataclass(frozen=True, kw_only=True)
class Forgery:
    """One way not to be Slack. `is_signed`: only the body is bad, which comes after the guard."""

    name: str
    make: Callable[[bytes, str, datetime], tuple[Headers, bytes]]
    is_signed: bool = False


def _pair(stamp: bytes, signature: bytes) -> Headers:
    return [(STAMP, stamp), (SIGNATURE, signature)]


def _now(now: datetime) -> bytes:
    return str(int(now.timestamp())).encode()


def _stamp(name: str, stamp: bytes) -> Forgery:
    """A time that is none, signed all the same."""
    return Forgery(
        name=f"time {name}",
        make=lambda body, secret, _: (_pair(stamp, signature_of(stamp, body, secret)), body),
    )


def _age(name: str, seconds: int) -> Forgery:
    def make(body: bytes, secret: str, now: datetime) -> tuple[Headers, bytes]:
        stamp = str(int(now.timestamp()) + seconds).encode()
        return _pair(stamp, signature_of(stamp, body, secret)), body

    return Forgery(name=f"time {name}", make=make)


def _signature(name: str, bend: Callable[[bytes], bytes]) -> Forgery:
    """The right signature, bent."""

    def make(body: bytes, secret: str, now: datetime) -> tuple[Headers, bytes]:
        stamp = _now(now)
        return _pair(stamp, bend(signature_of(stamp, body, secret))), body

    return Forgery(name=f"signature {name}", make=make)


def _body(name: str, other: bytes) -> Forgery:
    """A body that is none, rightly signed."""

    def make(_: bytes, secret: str, now: datetime) -> tuple[Headers, bytes]:
        stamp = _now(now)
        return _pair(stamp, signature_of(stamp, other, secret)), other

    return Forgery(name=f"body {name}", make=make, is_signed=True)


def _without(name: str, *gone: bytes) -> Forgery:
    def make(body: bytes, secret: str, now: datetime) -> tuple[Headers, bytes]:
        stamp = _now(now)
        headers = _pair(stamp, signature_of(stamp, body, secret))
        return [(key, value) for key, value in headers if key not in gone], body

    return Forgery(name=name, make=make)


def _twice(which: bytes) -> Forgery:
    def make(body: bytes, secret: str, now: datetime) -> tuple[Headers, bytes]:
        stamp = _now(now)
        headers = _pair(stamp, signature_of(stamp, body, secret))
        return headers + [pair for pair in headers if pair[0] == which], body

    return Forgery(name=f"{which.decode()} twice", make=make)


def _another_secret(body: bytes, _: str, now: datetime) -> tuple[Headers, bytes]:
    return _pair(_now(now), signature_of(_now(now), body, "another secret")), body


def _another_body(body: bytes, secret: str, now: datetime) -> tuple[Headers, bytes]:
    return _pair(_now(now), signature_of(_now(now), body + b" ", secret)), body


BROKEN_SIGNATURES: tuple[Forgery, ...] = (
    _without("nothing signed", STAMP, SIGNATURE),
    _without("no time", STAMP),
    _without("no signature", SIGNATURE),
    _twice(STAMP),
    _twice(SIGNATURE),
    _stamp("abc", b"abc"),
    _stamp("empty", b""),
    _stamp("float", b"1772442000.5"),
    _stamp("huge", b"9" * 400),
    _stamp("NaN", b"NaN"),
    _stamp("in Arabic digits", "١٧٧٢٤٤٢٠٠٠".encode()),
    _stamp("negative", b"-1772442000"),
    _stamp("in hexadecimal", b"0x69a55450"),
    _stamp("with a space", b" 1772442000"),
    _age("six minutes ago", -360),
    _age("in six minutes", 360),
    _signature("empty", lambda _: b""),
    _signature("without v0", lambda right: right.removeprefix(b"v0=")),
    _signature("of v1", lambda right: right.replace(b"v0", b"v1")),
    _signature("not ASCII", lambda right: right[:-2] + "é".encode()),
    _signature("in capitals", lambda right: b"v0=" + right[3:].upper()),
    _signature("too short", lambda right: right[:-1]),
    _signature("too long", lambda right: right + b"0"),
    _signature("of zeros", lambda _: b"v0=" + b"0" * 64),
    Forgery(name="signed with another secret", make=_another_secret),
    Forgery(name="signed for another body", make=_another_body),
    _body("not UTF-8", b'{"type":"\xff\xfe"}'),
    _body("of broken JSON", b'{"type":'),
)
"""The 28 of the platform's facts: ten of them make Bolt's own adapter answer 500."""


def random_forgery(
    rng: random.Random, body: bytes, secret: str, now: datetime
) -> tuple[Headers, bytes]:
    """Headers that are no signature of this body."""
    stamp = _now(now)
    right = signature_of(stamp, body, secret)
    match rng.randrange(5):
        case 0:
            return _pair(rng.randbytes(rng.randint(0, 40)), right), body
        case 1:
            return _pair(stamp, rng.randbytes(rng.randint(0, 90))), body
        case 2:
            at = rng.randrange(3, len(right))
            flipped = b"0" if right[at : at + 1] != b"0" else b"1"
            return _pair(stamp, right[:at] + flipped + right[at + 1 :]), body
        case 3:
            return _pair(stamp, right), body + rng.randbytes(rng.randint(1, 8))
        case _:
            moved = str(int(now.timestamp()) + rng.choice((-1, 1)) * rng.randint(1, 10**9)).encode()
            return _pair(moved, right), body


def _form(fields: dict[str, str]) -> tuple[str, bytes]:
    return "application/x-www-form-urlencoded", urlencode(fields).encode()


def _json(payload: object) -> tuple[str, bytes]:
    return "application/json", dumps(payload).encode()


EVENT: dict[str, Any] = {
    "type": "event_callback",
    "team_id": "T1",
    "event_id": "Ev1",
    "event": {"type": "app_mention", "user": "U1", "channel": "C1", "ts": "1.1", "text": "a mug"},
}
COMMAND = {
    "command": "/imagine",
    "text": "a mug",
    "team_id": "T1",
    "user_id": "U1",
    "channel_id": "C1",
    "trigger_id": "1.1",
}
CLICK: dict[str, Any] = {
    "type": "block_actions",
    "team": {"id": "T1"},
    "user": {"id": "U1"},
    "trigger_id": "2.1",
    "actions": [{"action_id": "do:approve:r1", "value": "-", "type": "button"}],
}
SENT_OFF: dict[str, Any] = {
    "type": "view_submission",
    "team": {"id": "T1"},
    "user": {"id": "U1"},
    "trigger_id": "3.1",
    "view": {"id": "V1", "type": "modal", "callback_id": "imagine", "blocks": []},
}
SUGGESTION = {
    "type": "block_suggestion",
    "team": {"id": "T1"},
    "user": {"id": "U1"},
    "action_id": "pick_brand",
    "value": "ac",
}
DELIVERIES: dict[str, tuple[str, bytes]] = {
    "event": _json(EVENT),
    "command": _form(COMMAND),
    "click": _form({"payload": dumps(CLICK)}),
    "options": _form({"payload": dumps(SUGGESTION)}),
}
"""What a request to us holds, by what it is: (content type, body)."""


def odd_payloads() -> Iterator[tuple[str, tuple[str, bytes]]]:
    """Rightly signed, and yet no delivery of Slack's."""
    for name, value in (("a list", [1]), ("a text", "x"), ("null", None), ("a number", 7)):
        yield f"{name} for a payload", _json(value)
        yield f"{name} in a form", _form({"payload": dumps(value)})
        for field in ("event", "authorizations", "team", "user", "type", "channel", "view"):
            for payload in (EVENT, CLICK, SENT_OFF, SUGGESTION):
                if field in payload and (name, field) not in HARMLESS:
                    yield f"{name} for {field}", _json(payload | {field: value})
    for deep in (50, 5_000):
        yield f"{deep} lists", _json_text(b"[" * deep + b"]" * deep)
        inner = b'{"a":' * deep + b"1" + b"}" * deep
        yield f"{deep} objects", _json_text(b'{"type":"event_callback","event":' + inner + b"}")
    for name, text in (("NaN", b"NaN"), ("1e999", b"1e999"), ("huge", b"9" * 5_000)):
        yield f"{name} for a time", _json_text(b'{"command":"/imagine","event_time":' + text + b"}")
    for sign in ("\\u0000", "\\ud800"):
        yield (
            f"{sign} in a text",
            _json_text(b'{"command":"/imagine","text":"' + sign.encode() + b'"}'),
        )
    yield "no actions", _json(CLICK | {"actions": []})
    yield "actions without an id", _json(CLICK | {"actions": [{}]})
    yield "a form without a name", _form({})
    yield "1,000 fields", _form({f"f{number}": "1" for number in range(1_000)})
    yield "multipart", ("multipart/form-data; boundary=x", b"--x--")
    yield "no content type", ("", b"command=/imagine")
    yield "XML", ("application/xml", b"<a/>")
    yield "2 MB", _form(COMMAND | {"text": "a" * 2_000_000})
    yield "half a percent sign", ("application/x-www-form-urlencoded", b"command=%ff%fe")


def _json_text(text: bytes) -> tuple[str, bytes]:
    return "application/json", text


HARMLESS = {("a text", "team"), ("a text", "user"), ("a text", "type"), ("null", "team")} | {
    ("null", "user"),
    ("null", "authorizations"),
}
"""What some of Slack's own payloads hold there, or may some day: acknowledged, and not heard."""


class Forms:
    """Answers at once and finds nothing wrong."""

    def errors(self, view: dict[str, Any]) -> dict[str, str]:
        """None."""
        return {}

    def options(self, action_id: str, typed: str, view: dict[str, Any]) -> dict[str, Any]:
        """None."""
        return {"options": []}


class Pages:
    """An installation that gives its reader a page."""

    async def begin(self, request: Request) -> Response:
        """A page."""
        return PlainTextResponse("begin")

    async def finish(self, request: Request) -> Response:
        """A page."""
        return PlainTextResponse("finish")


@dataclass(frozen=True, kw_only=True)
class Doorstep:
    """Slack's addresses of a house, and what got through to its work."""

    client: httpx.AsyncClient
    heard: list[Heard]
    now: datetime
    intake: SlackIntake


@asynccontextmanager
async def doorstep() -> AsyncIterator[Doorstep]:
    """A house on memory that listens for Slack in this process."""
    town = await make_town()
    heard: list[Heard] = []

    async def work(said: Heard) -> None:
        heard.append(said)

    options = SlackOptions(
        mode=Mode.HTTP, base_url="http://house.test", signing_secret=SECRET, client_id="1.1"
    )
    intake = SlackIntake(town.house, forms=Forms(), work=work, live=work)
    slack = SlackHttp(
        build_bolt(options, intake.taken), options, town.house.clock, installing=Pages()
    )
    app = SlackDoor(PlainTextResponse("the portal"), slack=slack)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=True)
    async with httpx.AsyncClient(transport=transport, base_url="http://house.test") as client:
        yield Doorstep(client=client, heard=heard, now=town.house.clock.now(), intake=intake)
    await intake.finish(5)


async def post(
    step: Doorstep, path: str, content_type: str, headers: Headers, body: bytes
) -> httpx.Response:
    """One request as it comes."""
    content = [(b"content-type", content_type.encode())] if content_type else []
    return await step.client.post(path, content=body, headers=[*content, *headers])


def signed(step: Doorstep, body: bytes) -> Headers:
    """Slack's own headers for this body."""
    stamp = _now(step.now)
    return _pair(stamp, signature_of(stamp, body, SECRET))


async def run() -> Score:
    """Try them all."""
    score, rng = Score(), random.Random(28)
    async with doorstep() as step:
        for path in PATHS:
            for name, (content_type, body) in DELIVERIES.items():
                for broken in BROKEN_SIGNATURES:
                    headers, sent = broken.make(body, SECRET, step.now)
                    with score.attempt(f"{broken.name}, {name} at {path}"):
                        await _refused(step, path, content_type, headers, sent)
                for number in range(RANDOM):
                    headers, sent = random_forgery(rng, body, SECRET, step.now)
                    with score.attempt(f"random {number}, {name} at {path}"):
                        await _refused(step, path, content_type, headers, sent)
        for name, (content_type, body) in odd_payloads():
            with score.attempt(f"signed: {name}"):
                await _refused(step, "/slack/events", content_type, signed(step, body), body)
        with score.attempt("what Slack signed"):
            content_type, body = DELIVERIES["command"]
            answer = await post(step, "/slack/events", content_type, signed(step, body), body)
            if answer.status_code != 200:
                raise Taken("nothing is let in, so nothing above was tried")
    return score


async def _refused(
    step: Doorstep, path: str, content_type: str, headers: Headers, body: bytes
) -> None:
    answer = await post(step, path, content_type, headers, body)
    if answer.status_code >= 500:
        raise RuntimeError(f"answered {answer.status_code}")
    if answer.status_code not in (400, 401):
        raise Taken(f"answered {answer.status_code}")
    if step.heard:
        raise Taken("it was heard")
