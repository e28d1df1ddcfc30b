"""Addresses of this Slack: methods, uploads, files, sockets, response addresses, OAuth."""

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from aiohttp import web

from tests.fakes.slack.access import may_read
from tests.fakes.slack.control import Control
from tests.fakes.slack.files import received
from tests.fakes.slack.filing import kind_of
from tests.fakes.slack.state import RESPONSE_URL_S, Message

if TYPE_CHECKING:
    from tests.fakes.slack.app import FakeSlack


def routes(app: web.Application, slack: "FakeSlack") -> None:
    """Put all of them in."""
    rest = Rest(slack)
    app.router.add_route("*", "/api/{method:.+}", slack.api.handle)
    app.router.add_post("/upload/v1/{upload}", rest.upload)
    app.router.add_get("/files-pri/{file}/{name}", rest.file)
    app.router.add_get("/login", rest.login)
    app.router.add_get("/link/", slack.sockets.handle)
    app.router.add_post("/response/{team}/{key}", rest.response)
    app.router.add_get("/oauth/v2/authorize", rest.authorize)
    app.router.add_post("/_control", Control(slack).handle)


class Rest:
    """What is not a method of the Web API."""

    def __init__(self, slack: "FakeSlack") -> None:
        self.slack = slack
        self.world = slack.world

    async def upload(self, request: web.Request) -> web.Response:
        """Bytes for an upload address, plain or as a form."""
        trouble = self.slack.troubles.met("upload", "")
        if trouble is not None:
            if trouble.kind in ("lost", "cut") and request.transport is not None:
                request.transport.abort()
            return web.Response(status=503, text="try again")
        if request.content_type.startswith("multipart/"):
            parts = [part async for part in await request.multipart()]
            data = await parts[0].read() if parts else b""
        else:
            data = await request.read()
        status, words = received(self.world, request.match_info["upload"], bytes(data))
        return web.Response(status=status, text=words)

    async def file(self, request: web.Request) -> web.Response:
        """A file's bytes for whoever has its workspace's token; the log-in page for others."""
        trouble = self.slack.troubles.met("download", "")
        if trouble is not None and trouble.kind == "refuse":
            raise web.HTTPFound(trouble.error)
        if trouble is not None:
            return web.Response(status=503, text="try again")
        team, _, name = request.match_info["file"].partition("-")
        file = self.world.files.get(name)
        value = request.headers.get("Authorization", "").removeprefix("Bearer ")
        token = self.world.tokens.get(value)
        spaces = self.world.spaces_of(token) if token and not token.revoked else []
        space = next((s for s in spaces if s.id == team), None)
        if file is None or file.deleted:
            return web.Response(status=404, text="no such file")
        readable = token is not None and "files:read" in token.scopes
        if space is None or not readable or not may_read(self.world, file, space):
            raise web.HTTPFound(f"{self.world.base}/login")
        return web.Response(body=file.data, content_type=kind_of(file)[1])

    async def login(self, request: web.Request) -> web.Response:
        """What someone without a token sees instead of a file."""
        return web.Response(text="<html>Sign in to Slack</html>", content_type="text/html")

    async def response(self, request: web.Request) -> web.Response:
        """A response address: five uses in half an hour."""
        key = f"{request.match_info['team']}/{request.match_info['key']}"
        made, channel, user, left = self.world.response_urls.get(key, (0.0, "", "", 0))
        self.slack.response_calls += 1
        if left < 1 or self.world.now() - made > RESPONSE_URL_S:
            return web.json_response({"ok": False, "error": "expired_url"}, status=404)
        self.world.response_urls[key] = (made, channel, user, left - 1)
        space = self.world.workspaces[request.match_info["team"]]
        body = await request.json()
        message = Message(
            team=space.id,
            channel=channel,
            ts=self.world.new_ts(),
            user=space.bot_user,
            text=str(body.get("text", "")),
            blocks=body.get("blocks") or [],
            only_for="" if body.get("response_type") == "in_channel" else user,
        )
        if message.only_for:
            space.channels[channel].ephemerals.append(message)
        else:
            space.channels[channel].messages[message.ts] = message
        return web.json_response({"ok": True})

    async def authorize(self, request: web.Request) -> web.Response:
        """The consent page, where the person chooses at once."""
        query, consents = request.query, self.slack.consents
        if query.get("client_id") != self.world.client_id:
            return web.Response(status=400, text="invalid_client_id")
        back = query.get("redirect_uri", "")
        answer = {"state": query.get("state", "")}
        if consents.denies:
            answer["error"] = "access_denied"
        else:
            answer["code"] = consents.agree(self.world, query.get("scope", ""), back)
        raise web.HTTPFound(f"{back}?{urlencode(answer)}")
