"""Guard: what every request passes before a handler sees it, and every answer on its way out.

Cross-site requests: every method but GET and HEAD must come from our own origin. Browsers say so
in Sec-Fetch-Site (Fetch Metadata, W3C); where that is missing, Origin has to name our host; where
both are missing the request is refused, whatever cookie it carries.
"""

import logging
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.core.ids import new_id

log = logging.getLogger(__name__)

SAFE_METHODS = ("GET", "HEAD")
MAX_BODY = 21_000_000
"""Bytes of a request: a picture of 20 MB and its form."""

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), browsing-topics=()",
}
HSTS = "max-age=31536000"


def is_foreign(method: str, headers: Headers) -> bool:
    """Whether a request that may change something comes from elsewhere, or does not say."""
    if method in SAFE_METHODS:
        return False
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site != "same-origin"
    named = host_of(headers.get("origin", ""))
    return not named or named != headers.get("host", "").casefold()


def host_of(origin: str) -> str:
    """The host and port that an Origin names; empty for `null` and for what can't be read."""
    try:
        return urlsplit(origin).netloc.casefold()
    except ValueError:
        return ""


class BodyTooLarge(HTTPException):
    """More bytes came than a request may have."""

    def __init__(self) -> None:
        super().__init__(413)


class Guard:
    """ASGI middleware: refuses foreign requests and large bodies, adds the safety headers."""

    def __init__(self, app: ASGIApp, *, refuse: ASGIApp, secure: bool) -> None:
        self._app = app
        self._refuse = refuse
        self._headers = {**HEADERS, **({"Strict-Transport-Security": HSTS} if secure else {})}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the ASGI specification."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        scope.setdefault("state", {})["reference"] = new_id()[:8]
        outgoing = self._with_headers(send)
        status = self._refusal(scope["method"], headers)
        if status:
            scope["state"]["refused"] = status
            await self._refuse(scope, receive, outgoing)
            return
        await self._app(scope, _counted(receive), outgoing)

    def _refusal(self, method: str, headers: Headers) -> int:
        if is_foreign(method, headers):
            log.warning(
                "Refused a cross-site request",
                extra={"action": "guard.foreign", "method": method},
            )
            return 403
        length = headers.get("content-length", "0")
        return 413 if not length.isdecimal() or int(length) > MAX_BODY else 0

    def _with_headers(self, send: Send) -> Send:
        async def outgoing(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "private, no-cache")
            await send(message)

        return outgoing


def _counted(receive: Receive) -> Receive:
    """The same, but a body without a length is cut off where it grows too large."""
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > MAX_BODY:
            raise BodyTooLarge
        return message

    return counted
