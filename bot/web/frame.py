"""Frame: what stands around every page: who looks, which brand, what waits, light or dark."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import URL

from bot.core.commands import Command
from bot.core.errors import NotAllowed, NotFound
from bot.core.grammar_render import render_command
from bot.core.house import House
from bot.core.ids import is_id
from bot.core.messages import Card
from bot.core.seeing import sees_wide
from bot.web.site import Site, site_of
from bot.web.visitor import Reader, SignedIn, Visitor
from brand.kit import BrandKit

BRAND_COOKIE = "housestyle-brand"
THEME_COOKIE = "housestyle-theme"
THEMES = ("light", "auto", "dark")
FRAGMENT = "x-fragment"
"""Header of requests that our scripts make: they want a piece of a page, not a redirection."""


@dataclass(frozen=True, kw_only=True)
class Frame:
    """A page in the making for one visitor."""

    request: Request
    site: Site
    visitor: Visitor
    kit: BrandKit
    kits: tuple[BrandKit, ...]
    open_reviews: int
    reply: Card | None

    @property
    def house(self) -> House:
        """The house behind the portal."""
        return self.site.house

    @property
    def wants_fragment(self) -> bool:
        """Whether a script asks, that puts the answer into the page itself."""
        return FRAGMENT in self.request.headers

    def page(self, template: str, section: str, status: int = 200, **facts: Any) -> HTMLResponse:
        """The whole page."""
        html = self.site.templates.get_template(template).render(
            section=section,
            visitor=self.visitor,
            kit=self.kit,
            kits=self.kits,
            open_reviews=self.open_reviews,
            reply=self.reply,
            theme=theme_of(self.request),
            here=here(self.request),
            house=self.house,
            **facts,
        )
        return HTMLResponse(html, status_code=status)

    def fragment(self, template: str, **facts: Any) -> HTMLResponse:
        """A piece of a page, for our scripts."""
        html = self.site.templates.get_template(template).render(
            visitor=self.visitor, kit=self.kit, here=here(self.request), house=self.house, **facts
        )
        return HTMLResponse(html)

    async def say(self, command: Command, delivery: str, back: str) -> RedirectResponse:
        """A form's command, given as the line that a person would type; its answer stands on the
        page that one goes back to."""
        message = await self.site.desk.say(
            self.visitor.actor(delivery), render_command(command), aside=self.visitor.aside
        )
        return go(back, reply=message.id if message else "")


async def frame_of(request: Request, visitor: SignedIn) -> Frame:
    """The frame of somebody who is signed in. Raises as `gathered`."""
    return await gathered(request, visitor)


async def frame_of_reader(request: Request, visitor: Reader) -> Frame:
    """The same, open to API keys with the scope `read` too."""
    return await gathered(request, visitor)


async def gathered(request: Request, visitor: Visitor) -> Frame:
    """Gather the frame. Raises NotAllowed for a person without a role in any brand."""
    site = site_of(request)
    async with site.house.store.read() as tx:
        kits = tuple(k for k in await tx.kits.all() if visitor.person.roles_in(k.id))
        if not kits:
            raise NotAllowed(
                "You aren't a member of any brand yet.",
                fix="Ask an admin of this Housestyle to give you a role.",
            )
        wanted = request.query_params.get("brand") or request.cookies.get(BRAND_COOKIE, "")
        kit = next((k for k in kits if k.id == wanted), kits[0])
        # Only whole pages show how many wait; a command is answered without counting them.
        counts = request.method == "GET" and sees_wide(kit, visitor.person)
        waiting = await tx.reviews.count_open(kit.id) if counts else 0
    return Frame(
        request=request,
        site=site,
        visitor=visitor,
        kit=kit,
        kits=kits,
        open_reviews=waiting,
        reply=await reply_of(site, visitor, request.query_params.get("reply", "")),
    )


async def reply_of(site: Site, visitor: Visitor, message_id: str) -> Card | None:
    """The answer to what the visitor did last on a page; nobody else's."""
    if not is_id(message_id):
        return None
    try:
        message = await site.house.timeline.get(message_id)
    except NotFound:
        return None
    return message.card if message.only_for == visitor.user else None


def theme_of(request: Request) -> str:
    """light, dark, or auto."""
    theme = request.cookies.get(THEME_COOKIE, "auto")
    return theme if theme in THEMES else "auto"


def here(request: Request) -> str:
    """The page's own address without the answer to the last command."""
    url = request.url.remove_query_params("reply")
    return url.path + (f"?{url.query}" if url.query else "")


def safe_back(back: str, otherwise: str = "/") -> str:
    """An address of this site to go back to; a foreign or odd one is not followed."""
    odd = not back.startswith("/") or back.startswith("//") or len(back) > 2000
    if odd or any(c in back for c in "\\\r\n\t\0"):
        return otherwise
    return back


def go(back: str, *, reply: str = "") -> RedirectResponse:
    """See other: back to a page, with the answer's message."""
    url = URL(safe_back(back))
    if reply:
        url = url.include_query_params(reply=reply)
    return RedirectResponse(str(url), status_code=303)


Framed = Annotated[Frame, Depends(frame_of)]
FramedForReader = Annotated[Frame, Depends(frame_of_reader)]
