"""Failures as pages: what happened, why, what to do next; a reference where it is our fault."""

import logging
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from bot.core.errors import Conflict, HousestyleError, Mistake, NotFound, Refused
from bot.web.frame import here, safe_back, theme_of
from bot.web.signing_in.errors import SignInFailed
from bot.web.site import site_of
from bot.web.visitor import BadKey, SignedOut, bearer_of, cookie_name
from brand.errors import PictureRefused, PictureTooLarge

log = logging.getLogger(__name__)

WORDS = {
    400: (
        "That couldn't be read",
        "The request isn't in the form that a browser sends. Nothing was changed.",
        "Go back and send it again.",
    ),
    403: (
        "That came from somewhere else",
        "This request didn't start on a page of this Housestyle, so it was not carried out.",
        "Open the page itself and try again there.",
    ),
    404: (
        "There is nothing here",
        "The page or picture doesn't exist, or it isn't one that you can see.",
        "Look for it in the gallery, or ask whoever sent you the link.",
    ),
    405: ("This page doesn't take that", "The address is right, the way it was called isn't.", ""),
    413: (
        "That is too much at once",
        "A picture may have up to 20 MB. Nothing was kept.",
        "Scale it down and send it again.",
    ),
    422: (
        "Something was missing",
        "The form came in without what it needs. Nothing was changed.",
        "Go back, fill it in and send it again.",
    ),
}
BROKEN = (
    "Something broke on our side",
    "What you did was not carried out, and the failure is in the log.",
    "Try again. If it stays, tell an admin the reference below.",
)


def add_failures(app: FastAPI) -> None:
    """Register the handlers."""
    app.add_exception_handler(SignedOut, _signed_out)
    app.add_exception_handler(HousestyleError, _ours)
    app.add_exception_handler(PictureRefused, _picture)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _broken)


def failure_page(
    request: Request, status: int, title: str, why: str, fix: str = "", reference: str = ""
) -> Response:
    """The page of a failure; for a program with an API key, the same as a problem (RFC 9457)."""
    if bearer_of(request) is not None:
        return _problem(status, title, why, fix)
    html = (
        site_of(request)
        .templates.get_template("failure.html")
        .render(
            kit=None,
            visitor=None,
            theme=theme_of(request),
            status=status,
            title=title,
            why=why,
            fix=fix,
            reference=reference,
            may_leave=status == 403 and cookie_name(site_of(request)) in request.cookies,
        )
    )
    return HTMLResponse(html, status_code=status)


def _problem(status: int, title: str, why: str, fix: str) -> Response:
    answer = JSONResponse(
        {"title": title, "status": status, "detail": f"{why} {fix}".strip()},
        status_code=status,
        media_type="application/problem+json",
    )
    if status == HTTPStatus.UNAUTHORIZED:
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
    """ASGI end point of what the guard does not let in."""
    request = Request(scope, receive)
    response = _plain(request, scope["state"]["refused"])
    await response(scope, receive, send)


def _plain(request: Request, status: int) -> Response:
    title, why, fix = WORDS.get(status) or (HTTPStatus(status).phrase, "Nothing was changed.", "")
    return failure_page(request, status, title, why, fix)


def signed_out_page(
    request: Request, *, status: int = 200, next: str = "/", heading: str = "You are signed out"
) -> HTMLResponse:
    """What somebody sees who is not signed in: every way to get in, and on to `next`."""
    site = site_of(request)
    html = site.templates.get_template("signed_out.html").render(
        kit=None,
        visitor=None,
        theme=theme_of(request),
        demo=site.house.demo,
        heading=heading,
        ways=site.ways,
        next=safe_back(next),
    )
    return HTMLResponse(html, status_code=status)


def failure_of(request: Request, exc: HousestyleError) -> Response:
    """The page of one of our own errors."""
    kinds = ((NotFound, 404), (Refused, 403), (Mistake, 422), (Conflict, 409))
    status = next((code for kind, code in kinds if isinstance(exc, kind)), 500)
    if isinstance(exc, SignInFailed):
        status = exc.status
    if isinstance(exc, BadKey):
        status = 401
    return failure_page(request, status, exc.title, exc.message, exc.fix)


async def _signed_out(request: Request, exc: Exception) -> HTMLResponse:
    ended = cookie_name(site_of(request)) in request.cookies
    return signed_out_page(
        request,
        status=401,
        next=here(request) if request.method == "GET" else "/",
        heading="Your sign-in has ended" if ended else "You are signed out",
    )


async def _ours(request: Request, exc: Exception) -> Response:
    if not isinstance(exc, HousestyleError):
        raise exc
    return failure_of(request, exc)


async def _picture(request: Request, exc: Exception) -> Response:
    status = 413 if isinstance(exc, PictureTooLarge) else 422
    return failure_page(request, status, "That picture can't be used", str(exc))


async def _http(request: Request, exc: Exception) -> Response:
    if not isinstance(exc, HTTPException):
        raise exc
    response = _plain(request, exc.status_code)
    response.headers.update(exc.headers or {})
    return response


async def _invalid(request: Request, exc: Exception) -> Response:
    return _plain(request, 422)


async def _broken(request: Request, exc: Exception) -> Response:
    reference = request.scope.get("state", {}).get("reference", "")
    log.error(
        "A page failed (reference %s)",
        reference,
        exc_info=exc,
        extra={"action": "page.failed", "path": request.url.path},
    )
    return failure_page(request, 500, *BROKEN, reference=reference)
