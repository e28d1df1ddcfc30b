"""What every request of a program passes before its body is read: origin, key, size, media type.

No cookie counts here, so no page of another site can act for somebody who is signed in; a browser
that says it comes from another site (Sec-Fetch-Site, or the Origin of a request that may change
something) is refused all the same, because it may remember a password. Programs say neither.
"""

import asyncio
import binascii
import logging
from base64 import b64decode

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as Request

from bot.core.access import local_account
from bot.core.api_keys import Scope, verify
from bot.core.errors import HousestyleError, NotAllowed
from bot.core.house import House
from bot.core.ids import new_id
from bot.core.uploads import may_bring
from bot.web.api.caller import OPEN, Client
from bot.web.api.failures import WEBUI_PATHS, ApiFailure, failure_of_error, plain, response_of
from bot.web.api.room import BodyRoom, Held, NoRoom
from bot.web.guard import host_of

log = logging.getLogger(__name__)

PREFIXES = ("/v1", "/sdapi", "/controlnet")
BODY_METHODS = ("POST", "PUT", "PATCH", "DELETE")
MAX_JSON = 262_144
MAX_PICTURE = 20_000_000
MAX_PICTURES = 50_000_000
"""Bytes of a JSON body, of one picture, and of a request with several pictures."""
LOOKED_AT = (
    *("/sdapi/v1/png-info", "/sdapi/v1/interrogate", "/controlnet/detect"),
    *("/sdapi/v1/extra-single-image", "/sdapi/v1/extra-batch-images"),
    *("/controlnet/txt2img", "/controlnet/img2img"),
)
"""Where pictures come that are not kept; most of it is refused, but not for its size."""
WITH_PICTURES = ("/v1/images/edits", "/sdapi/v1/txt2img", "/sdapi/v1/img2img", *LOOKED_AT)
READ_S = 300.0
"""A body is there after so long, or its connection is given up."""
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, no-store",
}


def is_api(path: str) -> bool:
    """Whether an address belongs to the API."""
    return any(path == prefix or path.startswith(prefix + "/") for prefix in PREFIXES)


class Doorway:
    """ASGI middleware around the portal: programs go to the API, people to the pages."""

    def __init__(self, app: ASGIApp, *, api: ASGIApp) -> None:
        self._app = app
        self._api = api

    async def __call__(self, scope: Request, receive: Receive, send: Send) -> None:
        """See the ASGI specification."""
        to_api = scope["type"] == "http" and is_api(scope["path"])
        await (self._api if to_api else self._app)(scope, receive, send)


class BodyTooLarge(ApiFailure):
    """More bytes came than this address takes."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            status=413, code="too_large", detail=f"The body may have at most {limit:,} bytes."
        )


class ApiGuard:
    """ASGI middleware of the API."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        house: House,
        room: BodyRoom | None = None,
        read_s: float = READ_S,
    ) -> None:
        self._app = app
        self._house = house
        self._room = room or BodyRoom(house.uploads.memory_bytes)
        self._read_s = read_s

    async def __call__(self, scope: Request, receive: Receive, send: Send) -> None:
        """See the ASGI specification."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers, path = Headers(scope=scope), scope["path"]
        scope.setdefault("state", {})["reference"] = new_id()[:8]
        outgoing = _with_headers(send, secure=self._house.base_url.startswith("https://"))
        try:
            self._refuse_foreign(scope["method"], headers)
            if path not in OPEN:
                scope["state"]["client"] = await self._client(headers, path)
            limit = limit_of(path)
            _check_body(scope["method"], path, headers, limit)
            size = _size_of(scope["method"], headers, limit)
            if scope["method"] in BODY_METHODS and limit > MAX_JSON:
                await self._may_send(scope["state"]["client"], path, size)  # before it is read
        except ApiFailure as exc:
            await response_of(path, exc)(scope, receive, outgoing)
            return
        except HousestyleError as exc:
            await response_of(path, failure_of_error(exc))(scope, receive, outgoing)
            return
        if size <= MAX_JSON:
            await self._app(scope, _counted(receive, limit, self._read_s), outgoing)
            return
        try:
            async with self._room.holding(size) as held:
                await self._app(scope, _counted(receive, limit, self._read_s, held), outgoing)
        except NoRoom as exc:
            await response_of(path, exc)(scope, receive, outgoing)

    def _refuse_foreign(self, method: str, headers: Headers) -> None:
        """Raises ApiFailure for what a page of another site sends."""
        ours = {headers.get("host", "").casefold(), host_of(self._house.base_url)} - {""}
        foreign = headers.get("sec-fetch-site") in ("cross-site", "same-site")
        if method in BODY_METHODS:
            foreign |= any(host_of(origin) not in ours for origin in headers.getlist("origin"))
        if foreign:
            log.warning("Refused a cross-site request", extra={"action": "api.foreign"})
            raise ApiFailure(
                status=403,
                code="cross_site",
                detail="The API takes nothing from pages of other sites. Call it from a program.",
            )

    async def _may_send(self, client: Client, path: str, size: int) -> None:
        """Raises NotAllowed, TooMuchWaiting: nothing of a picture is read in vain."""
        client.use.need(Scope.READ if path in LOOKED_AT else Scope.SUBMIT)
        if size > MAX_JSON and path not in LOOKED_AT:
            await may_bring(self._house, client.person)

    async def _client(self, headers: Headers, path: str) -> Client:
        house, text = self._house, _key_of(headers, path)
        try:
            use = await verify(house.store, house.clock, text)
        except NotAllowed as exc:
            raise _unauthorized() from exc
        person = await local_account(house.store, house.clock, use.person)
        return Client(house=house, use=use, person=person, text=text)


def _unauthorized() -> ApiFailure:
    return ApiFailure(
        status=401,
        code="invalid_api_key",
        title="No valid API key",
        detail="This API key isn't valid, or it has ended. Send `Authorization: Bearer hs_…`; "
        "make a key on the page *Your account* or with `housestyle people keys create`.",
    )


def _key_of(headers: Headers, path: str) -> str:
    """The key: a bearer token; for AUTOMATIC1111's clients the password of Basic too."""
    kind, _, text = headers.get("authorization", "").partition(" ")
    if kind.casefold() == "bearer":
        return text.strip()
    if kind.casefold() == "basic" and path.startswith(WEBUI_PATHS):
        try:
            return b64decode(text.strip(), validate=True).decode("ascii").partition(":")[2]
        except (binascii.Error, ValueError) as exc:
            raise _unauthorized() from exc
    return ""


def limit_of(path: str) -> int:
    """How many bytes a body for this address may have."""
    if path in WITH_PICTURES:
        return MAX_PICTURES
    return MAX_PICTURE if path == "/v1/inputs" else MAX_JSON


def media_types_of(path: str) -> tuple[str, ...]:
    """What a body for this address may be."""
    if path == "/v1/images/edits":
        return ("multipart/form-data",)
    return ("image/png", "image/jpeg", "image/webp") if path == "/v1/inputs" else _JSON


_JSON = ("application/json",)


def _check_body(method: str, path: str, headers: Headers, limit: int) -> None:
    if method not in BODY_METHODS:
        return
    length = headers.get("content-length", "0")
    if not length.isdecimal():
        raise plain(400)
    if int(length) > limit:
        raise BodyTooLarge(limit)
    has_body = int(length) > 0 or "transfer-encoding" in headers
    media = headers.get("content-type", "").partition(";")[0].strip().lower()
    if has_body and media not in media_types_of(path):
        failure = plain(415, {"Accept": ", ".join(media_types_of(path))})
        failure.detail += f" It takes {' or '.join(media_types_of(path))}."
        raise failure


def _size_of(method: str, headers: Headers, limit: int) -> int:
    """How many bytes the body may turn out to have: all that are allowed where it doesn't say."""
    if method not in BODY_METHODS:
        return 0
    return limit if "transfer-encoding" in headers else int(headers.get("content-length", "0"))


def _counted(receive: Receive, limit: int, read_s: float, held: Held | None = None) -> Receive:
    """The same, but a body without a length is cut off where it grows too large, one that does
    not come is given up, and what it does not need of its room is given back."""
    seen, ended = 0, False
    until = asyncio.get_running_loop().time() + read_s

    async def counted() -> Message:
        nonlocal seen, ended
        if ended:
            return await receive()
        try:
            async with asyncio.timeout_at(until):
                message = await receive()
        except TimeoutError as exc:
            raise HTTPException(408) from exc  # the one kind that FastAPI lets through here
        seen += len(message.get("body", b""))
        if seen > limit:
            raise HTTPException(413)
        ended = not message.get("more_body", False)
        if ended and held is not None:
            held.shrink(seen)
        return message

    return counted


def _with_headers(send: Send, *, secure: bool) -> Send:
    async def outgoing(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            if secure:
                headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        await send(message)

    return outgoing
