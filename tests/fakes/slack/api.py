"""The Web API: every method it has, who may call it, how often, and what goes wrong on purpose."""

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web

from tests.fakes.slack import conversations, files, messages, views
from tests.fakes.slack.access import Caller, caller_of
from tests.fakes.slack.installs import Consents
from tests.fakes.slack.state import Call, Json, Refused, World
from tests.fakes.slack.troubles import Trouble, Troubles

Run = Callable[[World, Caller, Json], Json]
POSTS_PER_S, BURST = 1.0, 3.0
LOOKS = frozenset({"conversations.history", "conversations.replies"})
"""Of which an app that is distributed outside Slack's Marketplace may make one a minute."""
PLACELESS = frozenset({"conversations.open", "files.getUploadURLExternal", "views.publish"})
"""What names no thing of one workspace, so that a token for many must name the workspace."""
IN_FLIGHT_S = 0.25
"""A call this soon after a 429 was on its way already."""


@dataclass(frozen=True, kw_only=True)
class Spec:
    """One method: its code, scopes, kinds of token, and calls a minute."""

    run: Run
    scopes: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ("bot",)
    per_minute: int = 50


def _auth_test(world: World, caller: Caller, args: Json) -> Json:
    space = caller.spaces[0]
    found: Json = {
        "url": f"https://{space.name}.slack.com/",
        "team": space.name,
        "user": "housestyle",
        "team_id": space.id if caller.token.team else caller.token.enterprise,
        "user_id": space.bot_user,
        "bot_id": space.bot_id,
        "is_enterprise_install": not caller.token.team,
    }
    return found | ({"enterprise_id": space.enterprise} if space.enterprise else {})


def _revoke(world: World, caller: Caller, args: Json) -> Json:
    if str(args.get("test", "")) not in ("1", "true", "True"):
        caller.token.revoked = "token_revoked"
    return {"revoked": bool(caller.token.revoked)}


WRITE, READ_FILES, WRITE_FILES = ("chat:write",), ("files:read",), ("files:write",)
METHODS: dict[str, Spec] = {
    "auth.test": Spec(run=_auth_test, kinds=("bot", "app"), per_minute=600),
    "auth.revoke": Spec(run=_revoke),
    "chat.postMessage": Spec(run=messages.post_message, scopes=WRITE, per_minute=600),
    "chat.update": Spec(run=messages.update, scopes=WRITE, per_minute=60),
    "chat.delete": Spec(run=messages.delete, scopes=WRITE, per_minute=60),
    "chat.postEphemeral": Spec(run=messages.post_ephemeral, scopes=WRITE, per_minute=100),
    "chat.getPermalink": Spec(run=messages.permalink, per_minute=600),
    "conversations.open": Spec(run=conversations.open_, scopes=("im:write",)),
    "conversations.join": Spec(run=conversations.join, scopes=("channels:join",)),
    "conversations.info": Spec(run=conversations.info, scopes=("channels:read",)),
    "conversations.history": Spec(run=conversations.history),
    "conversations.replies": Spec(run=conversations.replies),
    "users.info": Spec(run=messages.users_info, scopes=("users:read",), per_minute=100),
    "reactions.add": Spec(run=messages.add_reaction, scopes=("reactions:write",)),
    "files.getUploadURLExternal": Spec(run=files.upload_url, scopes=WRITE_FILES, per_minute=100),
    "files.completeUploadExternal": Spec(run=files.complete, scopes=WRITE_FILES, per_minute=100),
    "files.info": Spec(run=files.info, scopes=READ_FILES, per_minute=100),
    "files.delete": Spec(run=files.delete, scopes=WRITE_FILES),
    "files.upload": Spec(run=files.deprecated),
    "views.open": Spec(run=views.open_view, per_minute=100),
    "views.push": Spec(run=views.push_view, per_minute=100),
    "views.update": Spec(run=views.update_view, per_minute=100),
    "views.publish": Spec(run=views.publish_view, per_minute=100),
}
FREE = {"api.test", "oauth.v2.access"}
"""Called without a token."""


@dataclass
class Rates:
    """Token buckets, and who was told to wait until when."""

    world: World
    buckets: dict[tuple[str, ...], tuple[float, float]] = field(default_factory=dict)
    until: dict[tuple[str, str], tuple[float, float]] = field(default_factory=dict)
    """(team, method) -> (told at, not before)."""

    def wait(self, team: str, method: str, place: str) -> int:
        """Whole seconds that this call comes too early; 0: it may go."""
        now = self.world.now()
        told, until = self.until.get((team, method), (0.0, 0.0))
        if now < until - 0.02:
            if now > told + IN_FLIGHT_S:
                early = until - now
                self.world.violated(f"{method} was called {early:.1f} s before its Retry-After")
            return max(1, round(until - now))
        if self.world.rates <= 0:
            return 0
        rare = self.world.distributed and method in LOOKS
        most = (1 if rare else METHODS[method].per_minute) * self.world.rates
        wait = self._take((team, method), most / 60, max(1.0, most))
        if not wait and method == "chat.postMessage":
            rates = self.world.rates
            wait = self._take((team, method, place), POSTS_PER_S * rates, BURST * rates)
        return wait

    def hold(self, team: str, method: str, seconds: float) -> None:
        """From now on nobody may call it for so long."""
        now = self.world.now()
        self.until[(team, method)] = (now, now + seconds)

    def _take(self, key: tuple[str, ...], per_s: float, most: float) -> int:
        now = self.world.now()
        left, at = self.buckets.get(key, (most, now))
        left = min(most, left + (now - at) * per_s)
        if left < 1:
            self.buckets[key] = (left, now)
            return max(1, round((1 - left) / per_s))
        self.buckets[key] = (left - 1, now)
        return 0


class WebApi:
    """`/api/METHOD`."""

    def __init__(self, world: World, troubles: Troubles, consents: Consents) -> None:
        self.world = world
        self.troubles = troubles
        self.rates = Rates(world)
        self.consents = consents
        self.connections: Callable[[], Json] = dict
        """What apps.connections.open answers; the sockets put theirs here."""
        self.count: dict[str, int] = defaultdict(int)
        self.recorded = 100_000
        """How many calls are kept."""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one call."""
        method = request.match_info["method"]
        args = await read_args(request)
        began = time.perf_counter()
        token, how = token_of(request, args)
        team = self._team_of(token)
        call = Call(method=method, team=team, args=args, at=self.world.now())
        self.count[method] += 1
        if len(self.world.calls) < self.recorded:
            self.world.calls.append(call)
        trouble = self.troubles.met(method, team)
        answer = await self._answered(request, call, token, how, trouble)
        call.status, call.ms = answer.status, (time.perf_counter() - began) * 1000
        return answer

    async def _answered(
        self, request: web.Request, call: Call, token: str, how: str, trouble: Trouble | None
    ) -> web.StreamResponse:
        if trouble is not None and trouble.kind == "slow":
            await asyncio.sleep(trouble.seconds)
        elif trouble is not None:
            return self._failed(request, call, token, how, trouble)
        return self._done(request, call, token, how)

    def _done(self, request: web.Request, call: Call, token: str, how: str) -> web.Response:
        try:
            body = self._run(request, call, token)
        except Refused as exc:
            call.error = exc.error
            if exc.error == "ratelimited":
                wait = str(exc.more["retry_after"])
                return web.json_response(
                    {"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": wait}
                )
            body = {"ok": False, "error": exc.error, **exc.more}
        known = self.world.tokens.get(token)
        headers = {"x-oauth-scopes": ",".join(sorted(known.scopes))} if known else {}
        return web.json_response(body, headers=headers)

    def _run(self, request: web.Request, call: Call, token: str) -> Json:
        if call.method == "api.test":
            return {"ok": True, "args": call.args}
        if call.method == "oauth.v2.access":
            header = request.headers.get("Authorization", "")
            return {"ok": True, **self.consents.access(self.world, call.args, header)}
        if call.method == "apps.connections.open":
            caller_of(self.world, token, kinds=("app",), scopes=("connections:write",))
            return {"ok": True, **self.connections()}
        spec = METHODS.get(call.method)
        if spec is None:
            self.world.violated(f"the method {call.method} was called; Slack has none such")
            raise Refused("unknown_method", req_method=call.method)
        caller = caller_of(self.world, token, kinds=spec.kinds, scopes=spec.scopes)
        if not caller.token.team and call.method in PLACELESS and not call.args.get("team_id"):
            raise Refused("missing_argument", needed="team_id")
        wait = self.rates.wait(call.team, call.method, str(call.args.get("channel", "")))
        if wait:
            raise Refused("ratelimited", retry_after=wait)
        return {"ok": True, **spec.run(self.world, caller, call.args)}

    def _failed(
        self, request: web.Request, call: Call, token: str, how: str, trouble: Trouble
    ) -> web.Response:
        call.error = trouble.kind
        if trouble.kept:
            self._done(request, call, token, how)
        if trouble.kind in ("lost", "cut"):
            assert request.transport is not None
            request.transport.abort()
            raise web.HTTPServiceUnavailable
        if trouble.kind == "429":
            self.rates.hold(call.team, call.method, trouble.retry_after)
            return web.json_response(
                {"ok": False, "error": "ratelimited"},
                status=429,
                headers={"Retry-After": str(trouble.retry_after)},
            )
        if trouble.kind == "refuse":
            call.error = trouble.error
            return web.json_response({"ok": False, "error": trouble.error})
        return BROKEN[trouble.kind]()

    def _team_of(self, value: str) -> str:
        token = self.world.tokens.get(value)
        return (token.team or token.enterprise) if token else ""


BROKEN: dict[str, Callable[[], web.Response]] = {
    "500": lambda: web.json_response({"ok": False, "error": "internal_error"}, status=500),
    "html502": lambda: web.Response(
        status=502, text="<html>Bad Gateway</html>", content_type="text/html"
    ),
    "garbled": lambda: web.Response(text='{"ok": tru', content_type="application/json"),
    "bare": lambda: web.json_response({"ok": True}),
}


def token_of(request: web.Request, args: Json) -> tuple[str, str]:
    """(token, where it was): in the header, or among the arguments."""
    header = request.headers.get("Authorization", "")
    if header.startswith("Bearer "):
        return header.removeprefix("Bearer "), "header"
    return str(args.get("token") or ""), "argument"


async def read_args(request: web.Request) -> Json:
    """The arguments of a call: address, form or JSON; what is JSON inside a form is read."""
    args: Json = dict(request.query)
    if request.content_type == "application/json":
        body = await request.json()
        args |= body if isinstance(body, dict) else {}
    else:
        args |= dict(await request.post())
    for name in ("blocks", "metadata", "view", "files", "attachments"):
        if isinstance(args.get(name), str):
            try:
                args[name] = json.loads(args[name])
            except ValueError:
                args[name] = None
    return args
