"""http: Slack's requests to us, over HTTP, and the pages on which a workspace installs the app.

Whatever is posted below /slack/ is checked before anything looks at it: size, signature, shape.
What is not Slack's is answered 401 or 400, whatever it holds and wherever it was sent.
"""

import asyncio
import logging
from typing import Any, Protocol

from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.chat.slack_chat.incoming.guard import UNSIGNED, refusal
from bot.chat.slack_chat.incoming.shape import is_sound, read_body
from bot.chat.slack_chat.options import SlackOptions
from bot.core.ports import Clock
from bot.core.watching import following

log = logging.getLogger(__name__)

EVENTS_PATH = "/slack/events"
INSTALL_PATH = "/slack/install"
REDIRECT_PATH = "/slack/oauth_redirect"
PATHS = (EVENTS_PATH, INSTALL_PATH, REDIRECT_PATH)

MAX_BODY = 1_000_000
"""Bytes of a delivery; Slack's own stay far below."""
READ_S = 5.0
"""A body is there after so long, or its request is given up."""
PASSED_ON = (200, 503)
"""Statuses of an answer that Slack is told as they are; any other is a delivery we can't use."""
RETRIES = ("x-slack-retry-num", "x-slack-retry-reason")
BAD = 400


class InstallPages(Protocol):
    """The two pages of an installation (OAuth)."""

    async def begin(self, request: Request) -> Response:
        """To Slack's page of consent."""
        ...

    async def finish(self, request: Request) -> Response:
        """Back from it, with a code."""
        ...


class SlackDoor:
    """ASGI middleware around the portal: Slack's addresses go to `slack`, the rest to `app`. It
    stands outside the portal's own guard, which refuses what comes from elsewhere."""

    def __init__(self, app: ASGIApp, *, slack: ASGIApp) -> None:
        self._app = app
        self._slack = slack

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the ASGI specification."""
        to_slack = scope["type"] == "http" and scope["path"] in PATHS
        await (self._slack if to_slack else self._app)(scope, receive, send)


class SlackHttp:
    """The ASGI application of Slack's addresses. Without `installing` there are no pages."""

    def __init__(
        self,
        bolt: AsyncApp,
        options: SlackOptions,
        clock: Clock,
        *,
        installing: InstallPages | None,
        read_s: float = READ_S,
    ) -> None:
        self._bolt = bolt
        self._options = options
        self._clock = clock
        self._installing = installing
        self._read_s = read_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the ASGI specification."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        try:
            response = await self._answered(request)
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    async def _answered(self, request: Request) -> Response:
        with following() as reference:
            try:
                if request.method == "POST":
                    return await self._delivered(request)
                return await self._page(request)
            except (ClientDisconnect, asyncio.CancelledError):
                raise
            except Exception:
                log.exception("A request of Slack's tripped over a bug")
                return _said(BAD, f"That didn't work. Reference: {reference}")

    async def _delivered(self, request: Request) -> Response:
        body = await _body(request, self._read_s)
        if body is None:
            return _said(BAD, "The body is too large, or did not come.")
        refused = refusal(
            request.headers.raw, body, secret=self._options.signing_secret, now=self._clock.now()
        )
        if refused:
            log.info("A request that Slack did not sign", extra={"action": "slack.unsigned"})
            return _said(UNSIGNED, "Not signed by Slack.")
        if request.url.path != EVENTS_PATH:
            return _said(BAD, "There is nothing to post here.")
        payload = read_body(request.headers.get("content-type", ""), body)
        if payload is None or not is_sound(payload):
            log.warning("A delivery of Slack has an odd shape", extra={"action": "slack.odd"})
            return _said(BAD, "That is no delivery of Slack.")
        return _response(await self._bolt.async_dispatch(_bolt_request(request, payload)))

    async def _page(self, request: Request) -> Response:
        pages = {}
        if self._installing is not None:
            pages = {INSTALL_PATH: self._installing.begin, REDIRECT_PATH: self._installing.finish}
        page = pages.get(request.url.path)
        if page is not None and request.method == "GET":
            return await page(request)
        known = page is not None or request.url.path == EVENTS_PATH
        return _said(405 if known else 404, "There is no page here.")


async def _body(request: Request, read_s: float) -> bytes | None:
    """None where it is too large, or too slow."""
    body = b""
    try:
        async with asyncio.timeout(read_s):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_BODY:
                    return None
    except TimeoutError:
        return None
    return body


def _bolt_request(request: Request, payload: dict[str, Any]) -> AsyncBoltRequest:
    """As over a socket: the payload that was checked, read once. Of the headers, which nobody
    signs, only those that say it is a retry."""
    headers: dict[str, Any] = {
        name: request.headers[name] for name in RETRIES if name in request.headers
    }
    return AsyncBoltRequest(mode="socket_mode", body=payload, headers=headers)


def _response(answer: BoltResponse) -> Response:
    if answer.status not in PASSED_ON:
        return _said(BAD, "That delivery can't be used.")
    return Response(
        answer.body, status_code=answer.status, headers=answer.first_headers_without_set_cookie()
    )


def _said(status: int, words: str) -> Response:
    return PlainTextResponse(words, status_code=status)
