"""Signing in by a one-time link, signing out, light and dark, the brand in force."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from bot.core.access import invited, sign_out, use_link
from bot.core.errors import Refused
from bot.web.failures import failure_page, signed_out_page
from bot.web.frame import BRAND_COOKIE, THEME_COOKIE, THEMES, Framed, go, theme_of
from bot.web.site import Site, site_of
from bot.web.visitor import SignedIn, cookie_name, drop_session, set_session

router = APIRouter()
YEAR_S = 365 * 24 * 3600


@router.get("/enter")
async def enter_page(request: Request, key: str = "") -> HTMLResponse:
    """A page with a button. Reading it uses nothing up: mail scanners and prefetchers read too."""
    site = site_of(request)
    guest = await invited(site.house.store, site.house.clock, key)
    html = site.templates.get_template("enter.html").render(
        kit=None,
        visitor=None,
        theme=theme_of(request),
        key=key,
        guest=guest.name if guest else "",
        ways=site.ways,
    )
    return HTMLResponse(html, headers={"Cache-Control": "no-store"})


@router.post("/enter")
async def enter(request: Request, key: Annotated[str, Form()]) -> Response:
    """Trade the link for a session."""
    site = site_of(request)
    try:
        _, secret = await use_link(site.house.store, site.house.clock, key)
    except Refused as exc:
        return failure_page(request, 403, "This link doesn't open anything", exc.message)
    await sign_out(site.house.store, request.cookies.get(cookie_name(site), ""))
    response = RedirectResponse("/", status_code=303)
    set_session(response, site, secret)
    return response


@router.post("/leave")
async def leave(request: Request) -> Response:
    """Sign out: the session is forgotten here and in the browser."""
    site = site_of(request)
    await sign_out(site.house.store, request.cookies.get(cookie_name(site), ""))
    response = RedirectResponse("/signed-out", status_code=303)
    drop_session(response, site)
    return response


@router.get("/signed-out")
async def after_leaving(request: Request) -> HTMLResponse:
    """What one sees after leaving."""
    return signed_out_page(request)


@router.post("/theme")
async def set_theme(
    request: Request,
    visitor: SignedIn,
    theme: Annotated[str, Form()],
    back: Annotated[str, Form()] = "/",
) -> Response:
    """Remember light, dark or as the system."""
    response = go(back)
    _remember(response, site_of(request), THEME_COOKIE, theme if theme in THEMES else "auto")
    return response


@router.post("/brand")
async def set_brand(
    request: Request,
    visitor: SignedIn,
    brand: Annotated[str, Form(max_length=100)],
    back: Annotated[str, Form()] = "/",
) -> Response:
    """Remember the brand that pages show."""
    async with site_of(request).house.store.read() as tx:
        known = {kit.id for kit in await tx.kits.all()}
    response = go(back.split("?")[0])
    if brand in known:
        _remember(response, site_of(request), BRAND_COOKIE, brand)
    return response


@router.get("/")
async def start(visitor: SignedIn) -> Response:
    """The product opens on the chat."""
    return RedirectResponse("/chat", status_code=303)


@router.get("/more")
async def more_page(frame: Framed) -> HTMLResponse:
    """What does not fit the bar of a phone."""
    return frame.page("more.html", "more")


def _remember(response: Response, site: Site, name: str, value: str) -> None:
    response.set_cookie(
        name, value, max_age=YEAR_S, secure=site.secure, httponly=True, samesite="lax"
    )
