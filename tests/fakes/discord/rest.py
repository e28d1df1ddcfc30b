"""The REST API below `/api/v10`: every request is read, held against Discord's own description,
counted, answered, and the answer held against it too."""

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from tests.fakes.discord import (
    channels,
    commands,
    facts,
    limits,
    reactions,
    schema,
    webhooks,
)
from tests.fakes.discord.asked import Asked, Handler, Reply, Upload
from tests.fakes.discord.limits import Limits
from tests.fakes.discord.sending import Overtaken
from tests.fakes.discord.state import Call, Json, Refused, World
from tests.fakes.discord.troubles import Trouble, Troubles

BASE = "/api/v10"
APP = "/applications/{application_id}"
IN_GUILD = f"{APP}/guilds/{{guild_id}}"
MESSAGES = "/channels/{channel_id}/messages"
MESSAGE = f"{MESSAGES}/{{message_id}}"
EMOJI = f"{MESSAGE}/reactions/{{emoji_name}}"
HOOK = "/webhooks/{webhook_id}/{webhook_token}"
ROUTES: list[tuple[str, str, Handler]] = [
    ("GET", "/users/@me", facts.me),
    ("GET", "/users/@me/guilds", facts.guilds),
    ("POST", "/users/@me/channels", channels.direct),
    ("GET", "/users/{user_id}", facts.user),
    ("GET", "/applications/@me", facts.application),
    ("GET", "/oauth2/applications/@me", facts.application),
    ("GET", "/gateway", facts.gateway),
    ("GET", "/gateway/bot", facts.gateway_bot),
    *(
        (method, f"{at}/commands", handler)
        for at in (APP, IN_GUILD)
        for method, handler in (
            ("GET", commands.listed),
            ("PUT", commands.replaced),
            ("POST", commands.added),
        )
    ),
    ("GET", "/guilds/{guild_id}", facts.guild),
    ("GET", "/guilds/{guild_id}/channels", facts.channels),
    ("GET", "/guilds/{guild_id}/roles", facts.roles),
    ("GET", "/guilds/{guild_id}/members/{user_id}", facts.member),
    ("GET", "/channels/{channel_id}", channels.channel),
    ("POST", "/channels/{channel_id}/typing", channels.typing),
    ("GET", MESSAGES, channels.history),
    ("POST", MESSAGES, channels.create),
    ("GET", MESSAGE, channels.get),
    ("PATCH", MESSAGE, channels.edit),
    ("DELETE", MESSAGE, channels.delete),
    ("POST", f"{MESSAGE}/threads", channels.start_thread),
    ("GET", EMOJI, reactions.who),
    ("PUT", f"{EMOJI}/@me", reactions.put),
    ("DELETE", f"{EMOJI}/@me", reactions.take_own),
    ("DELETE", f"{EMOJI}/{{user_id}}", reactions.take),
    (
        "POST",
        "/interactions/{interaction_id}/{interaction_token}/callback",
        webhooks.callback,
    ),
    ("POST", HOOK, webhooks.guarded(webhooks.follow)),
    *(
        (method, f"{HOOK}/messages/{which}", webhooks.guarded(handler))
        for which in ("@original", "{message_id}")
        for method, handler in (
            ("GET", webhooks.get),
            ("PATCH", webhooks.edit),
            ("DELETE", webhooks.delete),
        )
    ),
]
OPEN = ("/gateway", "/interactions/{", "/webhooks/{")
"""Routes that need no bot token."""
FILE = re.compile(r"^files\[(\d+)\]$")
PAGE = "<html><head><title>502 Bad Gateway</title></head></html>"
BANNED = "error code: 1015"
MOST_REFUSED_TOKENS = 5
OLD_EDIT_WAIT_S = 0.05


@dataclass(kw_only=True)
class Answer:
    """What goes out."""

    status: int
    body: object
    headers: dict[str, str]


class Rest:
    """All of its operations."""

    def __init__(self, world: World, troubles: Troubles) -> None:
        self.world = world
        self.troubles = troubles
        self.limits = Limits(world)
        self.refused_tokens = 0

    def mount(self, app: web.Application) -> None:
        """Put them in; whatever else is asked below the base is 404."""
        for method, route, handler in ROUTES:
            assert schema.known(method, route), (method, route)
            app.router.add_route(method, BASE + route, self._bound(route, handler))
        app.router.add_route("*", BASE + "/{path:.*}", self._bound("", _unknown))

    def _bound(
        self, route: str, handler: Handler
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            return await self._handle(request, route, handler)

        return handle

    async def _handle(self, request: web.Request, route: str, handler: Handler) -> web.Response:
        start = time.monotonic()
        path = request.path.removeprefix(BASE)
        call = Call(method=request.method, route=route, path=path, body=None, at=self.world.now())
        self.world.calls.append(call)
        trouble = self.troubles.met(f"{request.method} {path}")
        if trouble is not None and trouble.kind == "slow":
            await asyncio.sleep(trouble.seconds)
        if trouble is not None and not trouble.kept and trouble.kind != "slow":
            answer = self._failed(request, trouble)
        elif self.limits.banned:
            answer = Answer(status=429, body=BANNED, headers={})
        else:
            answer = await self._answered(request, route, handler, call)
            if trouble is not None and trouble.kind == "late":
                await asyncio.sleep(trouble.seconds)
            elif trouble is not None and trouble.kept:
                answer = self._failed(request, trouble)
        call.status, call.ms = answer.status, (time.monotonic() - start) * 1000
        if isinstance(answer.body, dict):
            call.code = int(answer.body.get("code", 0)) if answer.status >= 400 else 0
        self.limits.answered(answer.status)
        return _written(answer)

    async def _answered(
        self, request: web.Request, route: str, handler: Handler, call: Call
    ) -> Answer:
        method, params = request.method, dict(request.match_info)
        headers: dict[str, str] = {}
        try:
            self._admit(request, route)
            verdict = self.limits.spend(method, route, params)
            headers = verdict.headers
            if verdict.wait_s:
                body = limits.limited_body(verdict.wait_s, is_global=verdict.is_global)
                return self._checked(method, route, Answer(status=429, body=body, headers=headers))
            asked = await self._read(request, route, call)
            status, said = handler(asked)
        except Refused as exc:
            status, said = exc.status, _error(exc)
            if exc.code == 50035 and not isinstance(exc, Overtaken):
                self.world.violated(f"{method} {route}: {exc}")
            if exc.status == 429:
                headers = headers | limits.limited(OLD_EDIT_WAIT_S, scope="user")
        return self._checked(method, route, Answer(status=status, body=said, headers=headers))

    def _checked(self, method: str, route: str, answer: Answer) -> Answer:
        for wrong in (
            schema.complaints_of_reply(method, route, answer.status, answer.body) if route else ()
        ):
            self.world.violated(f"our reply {answer.status} to {method} {route}: {wrong}")
        return answer

    def _admit(self, request: web.Request, route: str) -> None:
        if route.startswith(OPEN) and route != "/gateway/bot":
            return
        given = request.headers.get("Authorization", "")
        if given == f"Bot {self.world.app.token}" and not self.world.app.token_revoked:
            return
        self.refused_tokens += 1
        if self.refused_tokens > MOST_REFUSED_TOKENS:
            self.world.violated(f"A refused token was used again: {request.method} {route}")
        raise Refused(401, 0, "401: Unauthorized")

    async def _read(self, request: web.Request, route: str, call: Call) -> Asked:
        multipart = request.content_type.startswith("multipart/")
        uploads: list[Upload] = []
        body: object = None
        if multipart:
            body, uploads = await _parts(request)
        elif request.can_read_body:
            if request.content_type != "application/json":
                raise Refused(400, 50035, 'Expected "Content-Type" header to be JSON')
            body = _json(await request.read())
        call.body, call.files = body, tuple(upload.filename for upload in uploads)
        query = dict(request.query)
        if route:
            wrong = schema.complaints_of_request(
                request.method, route, body, query, multipart=multipart
            )
            if wrong:
                raise Refused(400, 50035, "Invalid Form Body: " + "; ".join(wrong))
        return Asked(
            world=self.world,
            params=dict(request.match_info),
            query=query,
            body=_numbered(body) if isinstance(body, dict) else {},
            items=body if isinstance(body, list) else [],
            files=uploads,
        )

    def _failed(self, request: web.Request, trouble: Trouble) -> Answer:
        if trouble.kind in ("lost", "cut"):
            if request.transport is not None:
                request.transport.abort()
            return Answer(status=0, body=None, headers={})
        if trouble.kind in ("429", "global"):
            is_global = trouble.kind == "global"
            headers = limits.limited(trouble.retry_after, scope="global" if is_global else "user")
            body = limits.limited_body(trouble.retry_after, is_global=is_global)
            return Answer(status=429, body=body, headers=headers)
        if trouble.kind == "cloudflare":
            return Answer(status=429, body=BANNED, headers={})
        if trouble.kind == "html502":
            return Answer(status=502, body=PAGE, headers={})
        if trouble.kind == "page":
            return Answer(status=trouble.status, body=PAGE, headers={})
        message = "It goes wrong on purpose" if trouble.kind == "refuse" else "500: Internal"
        return Answer(
            status=trouble.status, body={"message": message, "code": trouble.code}, headers={}
        )


def _unknown(asked: Asked) -> Reply:
    asked.world.violated(f"Discord has no such address: {asked.params['path']}")
    raise Refused(404, 0, "404: Not Found")


def _numbered(body: Json) -> Json:
    read = schema.lenient(body)
    assert isinstance(read, dict)
    return read


def _error(exc: Refused) -> Json:
    if exc.status == 429:
        return limits.limited_body(
            OLD_EDIT_WAIT_S, is_global=False, code=exc.code, message=exc.message
        )
    found: Json = {"message": exc.message, "code": exc.code}
    return {**found, "errors": exc.errors} if exc.errors else found


def _json(data: bytes) -> object:
    try:
        return json.loads(data)
    except ValueError as exc:
        raise Refused(400, 50109, "The request body contains invalid JSON.") from exc


async def _parts(request: web.Request) -> tuple[object, list[Upload]]:
    body: object = {}
    uploads = []
    async for part in await request.multipart():
        assert not hasattr(part, "fetch_next_part"), "parts within parts"
        name = getattr(part, "name", "") or ""
        data = bytes(await part.read(decode=True))  # type: ignore[union-attr]
        number = FILE.match(name)
        if name == "payload_json":
            body = _json(data)
        elif number is not None:
            filename = getattr(part, "filename", None) or "unknown"
            uploads.append(Upload(number=number[1], filename=filename, data=data))
        else:
            raise Refused(400, 50035, f"Unknown form field {name!r}")
    return body, uploads


def _written(answer: Answer) -> web.Response:
    if answer.body is None:
        return web.Response(status=answer.status or 500, headers=answer.headers)
    if isinstance(answer.body, str):
        return web.Response(status=answer.status, text=answer.body, content_type="text/html")
    text = json.dumps(answer.body).encode()
    headers = {**answer.headers, "Content-Type": "application/json"}
    return web.Response(status=answer.status, body=text, headers=headers)
