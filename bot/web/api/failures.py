"""Failures as programs read them: problem+json (RFC 9457), or the shape that a client knows.

The OpenAI client shows `error.message`; AUTOMATIC1111's clients print `detail`. So the routes of
their shapes fail in their shape, all others as problems.
"""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from bot.core.errors import (
    Conflict,
    HousestyleError,
    Mistake,
    NotFound,
    OverBudget,
    Refused,
    Unavailable,
    word_of,
)
from bot.core.messages import Card
from brand.errors import PictureRefused, PictureTooLarge

log = logging.getLogger(__name__)

PROBLEM = "application/problem+json"
TEXT = "text/plain"
WEBUI_PATHS = ("/sdapi/", "/controlnet/")
"""How the addresses begin at which AUTOMATIC1111's clients ask; the second are an extension's."""
SETTINGS = "/sdapi/v1/options"
"""Its clients read the answer as JSON without a look at its status, and tell that all went well:
only a failure that isn't JSON stops them."""
RETRY_S = 5
"""When what is away now may be tried again."""
_STATUS: tuple[tuple[type[HousestyleError], int], ...] = (
    (NotFound, 404),
    (OverBudget, 429),
    (Refused, 403),
    (Mistake, 422),
    (Conflict, 409),
    (Unavailable, 503),
)
_WORDS = {
    400: "The request can't be read: it isn't valid JSON or not in the form that HTTP asks for.",
    404: "There is no such address. /v1/openapi.json lists all there are.",
    405: "This address doesn't take that method.",
    408: "The body did not arrive in time. Send it again over a faster line, or a smaller one.",
    413: "The body is too large.",
    415: "The body has another media type than this address takes.",
}


class ApiFailure(Exception):
    """A request that was not carried out. `detail` says why and what to do; `code` is a word for
    machines; `param` names what in the request is wrong."""

    def __init__(
        self,
        *,
        status: int,
        code: str,
        detail: str,
        title: str = "",
        param: str = "",
        reference: str = "",
        headers: Mapping[str, str] | None = None,
        errors: tuple[dict[str, Any], ...] = (),
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.title = title
        self.param = param
        self.reference = reference
        self.headers = dict(headers or {})
        self.errors = errors


def failure_of_error(error: HousestyleError) -> ApiFailure:
    """One of our own errors."""
    status = next((code for kind, code in _STATUS if isinstance(error, kind)), 500)
    return ApiFailure(
        status=status,
        code=error.code,
        title=error.title,
        detail=" ".join(part for part in (error.message, error.fix) if part),
        param=error.field if isinstance(error, Mistake) else "",
        headers={"Retry-After": str(RETRY_S)} if status == HTTPStatus.SERVICE_UNAVAILABLE else {},
    )


def failure_of_card(card: Card) -> ApiFailure:
    """The door's refusal."""
    status = _status_of_word(card.state)
    headers = {"Retry-After": str(RETRY_S)} if status == HTTPStatus.SERVICE_UNAVAILABLE else {}
    return ApiFailure(
        status=status,
        code=card.state or "conflict",
        title=card.title,
        detail=" ".join(part for part in (*card.lines, card.fix) if part),
        reference=card.reference,
        headers=headers,
    )


def failure_of_picture(error: PictureRefused) -> ApiFailure:
    """A picture from outside that isn't taken."""
    status = 413 if isinstance(error, PictureTooLarge) else 422
    return ApiFailure(status=status, code="picture_refused", detail=str(error))


def _status_of_word(code: str) -> int:
    for kind, status in _STATUS:
        if code in _words_of(kind):
            return status
    return 409 if not code else 500


def _words_of(kind: type[HousestyleError]) -> set[str]:
    """The words of a class of errors and of all below it, also those of other rooms."""
    words = {word_of(kind)}
    for below in kind.__subclasses__():
        words |= _words_of(below)
    if kind is Refused:
        words -= _words_of(OverBudget)
    return words


def response_of(path: str, failure: ApiFailure) -> Response:
    """The failure in the shape that callers of this path read."""
    headers = dict(failure.headers)
    if failure.status == HTTPStatus.UNAUTHORIZED:
        headers.setdefault("WWW-Authenticate", 'Bearer realm="housestyle"')
    if path.startswith("/v1/images/"):
        return JSONResponse({"error": openai_error(failure)}, failure.status, headers)
    if path == SETTINGS:
        said = f"{failure.code}: {failure.detail}\n"
        return PlainTextResponse(said, failure.status, headers)
    if path.startswith(WEBUI_PATHS):
        return JSONResponse(_webui_error(failure), failure.status, headers)
    body = _problem(failure)
    if path.startswith("/v1/models"):
        body["error"] = openai_error(failure)
    return JSONResponse(body, failure.status, headers, media_type=PROBLEM)


def _problem(failure: ApiFailure) -> dict[str, Any]:
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": failure.title or HTTPStatus(failure.status).phrase,
        "status": failure.status,
        "detail": failure.detail,
        "code": failure.code,
    }
    if failure.param:
        body["field"] = failure.param
    if failure.reference:
        body["reference"] = failure.reference
    if failure.errors:
        body["errors"] = list(failure.errors)
    return body


def openai_error(failure: ApiFailure) -> dict[str, Any]:
    """As the OpenAI API writes errors."""
    kinds = {401: "authentication_error", 403: "permission_error", 429: "insufficient_quota"}
    kind = "server_error" if failure.status >= 500 else "invalid_request_error"
    return {
        "message": failure.detail,
        "type": kinds.get(failure.status, kind),
        "param": failure.param or None,
        "code": failure.code,
    }


def _webui_error(failure: ApiFailure) -> dict[str, Any]:
    return {"error": failure.code, "detail": failure.detail, "body": "", "errors": failure.detail}


def add_failures(app: FastAPI) -> None:
    """Register the handlers."""
    app.add_exception_handler(ApiFailure, _failure)
    app.add_exception_handler(HousestyleError, _ours)
    app.add_exception_handler(PictureRefused, _picture)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _broken)


async def _failure(request: Request, exc: Exception) -> Response:
    if not isinstance(exc, ApiFailure):
        raise exc
    return response_of(request.url.path, exc)


async def _ours(request: Request, exc: Exception) -> Response:
    if not isinstance(exc, HousestyleError):
        raise exc
    return response_of(request.url.path, failure_of_error(exc))


async def _picture(request: Request, exc: Exception) -> Response:
    if not isinstance(exc, PictureRefused):
        raise exc
    return response_of(request.url.path, failure_of_picture(exc))


async def _http(request: Request, exc: Exception) -> Response:
    if not isinstance(exc, HTTPException):
        raise exc
    headers = dict(exc.headers or {})
    if exc.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(methods_of(request))
    return response_of(request.url.path, plain(exc.status_code, headers))


def plain(status: int, headers: Mapping[str, str] | None = None) -> ApiFailure:
    """A failure of HTTP's own."""
    phrase = HTTPStatus(status).phrase
    return ApiFailure(
        status=status,
        code=phrase.lower().replace(" ", "_"),
        detail=_WORDS.get(status, phrase),
        headers=dict(headers or {}),
    )


def methods_of(request: Request) -> list[str]:
    """All methods that this path takes; one path may be several routes."""
    found: set[str] = set()
    for route in iter_route_contexts(request.app.routes):
        regex, _, _ = compile_path(route.path or "")
        if regex.match(request.url.path):
            found |= set(route.methods or ())
    return sorted(found)


async def _invalid(request: Request, exc: Exception) -> Response:
    if not isinstance(exc, RequestValidationError):
        raise exc
    errors = tuple(
        {"field": ".".join(str(part) for part in item["loc"][1:]), "message": item["msg"]}
        for item in exc.errors()[:20]
    )
    first = errors[0] if errors else {"field": "", "message": "The request can't be read."}
    said = f"{first['field']}: {first['message']}" if first["field"] else first["message"]
    return response_of(
        request.url.path,
        ApiFailure(
            status=422, code="invalid", detail=said, param=str(first["field"]), errors=errors
        ),
    )


async def _broken(request: Request, exc: Exception) -> Response:
    reference = request.scope.get("state", {}).get("reference", "")
    log.error(
        "A request failed (reference %s)",
        reference,
        exc_info=exc,
        extra={"action": "api.failed", "path": request.url.path},
    )
    return response_of(
        request.url.path,
        ApiFailure(
            status=500,
            code="broken",
            title="Something broke on our side",
            detail=f"Try again; if it stays, tell an admin the reference {reference}.",
            reference=reference,
        ),
    )
