"""Signing in with an account elsewhere: the buttons, the way there, the way back."""

import logging
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from bot.core.access import accept, enter, sign_out
from bot.core.entering import connect, first_time, note_refused
from bot.core.errors import HousestyleError, NotFound
from bot.core.people import Identity
from bot.web.failures import failure_of, signed_out_page
from bot.web.frame import safe_back, theme_of
from bot.web.signing_in.errors import BackFromNowhere, SignInFailed
from bot.web.signing_in.flow import Flow
from bot.web.signing_in.journey import LIFE, Journey, begin, unpacked
from bot.web.site import Site, site_of
from bot.web.visitor import (
    SignedIn,
    cookie_name,
    session_hash,
    set_session,
    visitor_of,
)

log = logging.getLogger(__name__)

router = APIRouter()


@router.get("/sign-in")
async def ways_page(request: Request, next: str = "/") -> HTMLResponse:
    """Every way to sign in."""
    return signed_out_page(request, next=next, heading="Sign in to Housestyle")


@router.post("/sign-in/{way}")
async def start(
    request: Request,
    way: str,
    next: Annotated[str, Form(max_length=2000)] = "/",
    key: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Off to the provider; with `key`, to accept that invitation."""
    site = site_of(request)
    journey = begin(_flow(site, way).provider.name, site.house.clock.now(), next=safe_back(next),
                    key=key)  # fmt: skip
    return await _onward(request, journey)


@router.post("/account/connect/{way}")
async def start_connecting(request: Request, way: str, visitor: SignedIn) -> Response:
    """Off to the provider, to connect one more account with the visitor."""
    site = site_of(request)
    journey = begin(
        _flow(site, way).provider.name,
        site.house.clock.now(),
        next="/account",
        session=session_hash(visitor.session),
    )
    return await _onward(request, journey)


@router.get("/sign-in/{way}/callback")
async def back(request: Request, way: str) -> Response:
    """Home again from the provider. Whatever comes of it, this journey is over."""
    site = site_of(request)
    try:
        flow = _flow(site, way)
        response = await _arrive(request, flow, dict(request.query_params))
    except HousestyleError as exc:
        reason = exc.reason if isinstance(exc, SignInFailed) else exc.code
        log.warning(
            "Somebody was not signed in with %s (check: %s)",
            way if way in site.flows else "an unknown provider",
            reason,
            extra={"action": "session.refused", "reason": reason},
        )
        response = failure_of(request, exc)
    response.delete_cookie(journey_cookie(site), path="/", secure=site.secure, httponly=True)
    response.headers["Cache-Control"] = "no-store"
    return response


async def _arrive(request: Request, flow: Flow, answer: dict[str, str]) -> Response:
    site, house = site_of(request), site_of(request).house
    journey = unpacked(request.cookies.get(journey_cookie(site), ""))
    mine = journey is not None and journey.provider == flow.provider.name
    if journey is None or not mine or journey.over(house.clock.now()):
        raise BackFromNowhere
    if not journey.fits(answer.get("state", "")):
        raise BackFromNowhere
    if not await first_time(house.store, house.clock, journey.state):
        raise BackFromNowhere
    try:
        account = await flow.finish(journey, answer)
        return await _let_in(request, journey, account)
    except HousestyleError as exc:
        reason = exc.reason if isinstance(exc, SignInFailed) else exc.code
        await note_refused(house.store, house.clock, by=flow.provider.name, reason=reason)
        raise


async def _let_in(request: Request, journey: Journey, account: Identity) -> Response:
    """A new session for the account's member, or one more account for the visitor."""
    site, house = site_of(request), site_of(request).house
    response = RedirectResponse(safe_back(journey.next), status_code=303)
    if journey.session:
        visitor = await visitor_of(request)
        if visitor is None or session_hash(visitor.session) != journey.session:
            raise BackFromNowhere
        await connect(house.store, house.clock, visitor.person.id, account)
        return response
    if journey.key:
        _, secret = await accept(house.store, house.clock, journey.key, account)
    else:
        _, secret = await enter(house.store, house.clock, account)
    await sign_out(house.store, request.cookies.get(cookie_name(site), ""))
    set_session(response, site, secret)
    return response


async def _onward(request: Request, journey: Journey) -> Response:
    """A page that goes on to the provider by itself. A redirection would not do: browsers hold
    a form's answers to this page's content policy, wherever the provider sends them on to."""
    site = site_of(request)
    flow = _flow(site, journey.provider)
    try:
        address = await flow.start(journey)
    except SignInFailed as exc:
        return failure_of(request, exc)
    html = site.templates.get_template("onward.html").render(
        kit=None, visitor=None, theme=theme_of(request), address=address, label=flow.provider.label
    )
    response = HTMLResponse(html, headers={"Cache-Control": "no-store"})
    response.set_cookie(
        journey_cookie(site),
        journey.packed(),
        max_age=int(LIFE.total_seconds()),
        path="/",
        secure=site.secure,
        httponly=True,
        samesite="lax",
    )
    return response


def journey_cookie(site: Site) -> str:
    """The name of a journey's cookie; see `cookie_name`."""
    return f"{cookie_name(site)}-sign-in"


def _flow(site: Site, way: str) -> Flow:
    flow = site.flows.get(way)
    if flow is None:
        raise NotFound(
            "There is no such way to sign in here.",
            fix="Open the sign-in page and choose one of those it names.",
        )
    return flow
