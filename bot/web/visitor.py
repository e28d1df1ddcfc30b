"""Visitor: who looks at a page, by the session cookie."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request, Response

from bot.core.access import SESSION_LIFE, who
from bot.core.api_keys import Scope, verify
from bot.core.errors import NotAllowed
from bot.core.ids import is_id, new_id
from bot.core.messages import Actor, ChannelRef
from bot.core.people import Person
from bot.web.site import Site, site_of
from brand.spec import sha256_hex

PLATFORM = "local"


class SignedOut(Exception):
    """Nobody is signed in; the page says how to get a link."""


class BadKey(NotAllowed):
    """What stands in the Authorization header is no API key that is in force."""

    def __init__(self) -> None:
        super().__init__(
            "This API key isn't valid, or it has ended.",
            fix="Send `Authorization: Bearer hs_…` with a key of the page *Your account*.",
        )


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """Someone who is signed in. `user` is their account in the local chat."""

    person: Person
    user: str
    session: str

    @property
    def direct_line(self) -> str:
        """Their private channel."""
        return f"@{self.user}"

    @property
    def aside(self) -> str:
        """The corner of the timeline that keeps the answers to what they do on pages."""
        return f"@{self.user}/pages"

    def actor(self, delivery: str, channel: str = "") -> Actor:
        """The visitor as the one who gives a command, in a channel or in their direct line."""
        place = ChannelRef(platform=PLATFORM, channel=channel or self.direct_line)
        return Actor(
            platform=PLATFORM,
            user=self.user,
            name=self.person.name,
            person=self.person.id,
            channel=place,
            delivery=delivery if is_id(delivery) else new_id(),
        )


def cookie_name(site: Site) -> str:
    """`__Host-` binds the cookie to this very host; browsers take that over https only."""
    return "__Host-housestyle" if site.secure else "housestyle"


def set_session(response: Response, site: Site, secret: str) -> None:
    """Give the browser its session."""
    response.set_cookie(
        cookie_name(site),
        secret,
        max_age=int(SESSION_LIFE.total_seconds()),
        path="/",
        secure=site.secure,
        httponly=True,
        samesite="lax",
    )


def drop_session(response: Response, site: Site) -> None:
    """Take the session away from the browser."""
    response.delete_cookie(
        cookie_name(site), path="/", secure=site.secure, httponly=True, samesite="lax"
    )


async def visitor_of(request: Request) -> Visitor | None:
    """Who looks, or None."""
    site = site_of(request)
    session = request.cookies.get(cookie_name(site), "")
    if not session:
        return None
    person = await who(site.house.store, site.house.clock, session)
    if person is None:
        return None
    return Visitor(person=person, user=local_user(person), session=session)


async def signed_in(request: Request) -> Visitor:
    """Who looks. Raises SignedOut."""
    visitor = await visitor_of(request)
    if visitor is None:
        raise SignedOut
    return visitor


def bearer_of(request: Request) -> str | None:
    """The key that a program sends, or None. Another kind of authorization is not ours: a proxy
    in front may ask people for a password of its own."""
    kind, _, text = request.headers.get("authorization", "").partition(" ")
    return text.strip() if kind.casefold() == "bearer" else None


async def reading(request: Request) -> Visitor:
    """Who looks: by an API key with the scope `read`, else by the session. Raises BadKey,
    NotAllowed for a key without that scope, SignedOut."""
    text = bearer_of(request)
    if text is None:
        return await signed_in(request)
    house = site_of(request).house
    try:
        use = await verify(house.store, house.clock, text)
    except NotAllowed as exc:
        raise BadKey from exc
    use.need(Scope.READ)
    return Visitor(person=use.person, user=local_user(use.person), session="")


def session_hash(session: str) -> str:
    """What tells one session from another without opening it."""
    return sha256_hex(session.encode())


def local_user(person: Person) -> str:
    """The person's account in the local chat."""
    for identity in person.identities:
        if identity.platform == PLATFORM:
            return identity.user
    return person.id


SignedIn = Annotated[Visitor, Depends(signed_in)]
Reader = Annotated[Visitor, Depends(reading)]
