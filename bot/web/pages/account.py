"""Your account: roles, the accounts that speak as you, signed-in browsers, API keys."""

from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, Response

from bot.core import api_keys
from bot.core.api_keys import DEFAULT_DAYS, MAX_DAYS, Scope
from bot.core.caller import Caller
from bot.core.cards import error_card, reply_card
from bot.core.commands import LinkAccount, UnlinkAccount
from bot.core.errors import HousestyleError
from bot.core.members import role_phrase
from bot.core.messages import Card
from bot.core.people import Identity, Person
from bot.core.sessions import end_others, end_session, id_of, open_sessions
from bot.web.frame import Frame, Framed, go
from bot.web.visitor import PLATFORM, SignedIn
from brand.kit import BrandKit

router = APIRouter(prefix="/account")
PLATFORMS = {"local": "this portal", "slack": "Slack", "discord": "Discord"}
SCOPES = {
    Scope.READ: "look at pictures, reviews, the calendar, usage",
    Scope.SUBMIT: "ask for pictures, send them to approval",
    Scope.REVIEW: "vote on reviews",
    Scope.ADMIN: "members, roles, budgets, schedules",
}


@dataclass(frozen=True, kw_only=True)
class ShownAccount:
    """One account of a member. `said` names it to the command that takes it off; empty for the
    one that cannot be taken off."""

    name: str
    user: str
    said: str


def shown_accounts(person: Person, frame: Frame) -> list[ShownAccount]:
    """A member's accounts as people know them."""
    return [
        ShownAccount(
            name=_platform(identity, frame),
            user="" if identity.platform == PLATFORM else identity.user,
            said="" if identity.platform == PLATFORM else str(identity),
        )
        for identity in person.identities
    ]


def _platform(identity: Identity, frame: Frame) -> str:
    if identity.platform in PLATFORMS:
        return PLATFORMS[identity.platform]
    flow = frame.site.flows.get(identity.platform)
    return flow.provider.label if flow else identity.platform


def role_phrases(person: Person, kits: tuple[BrandKit, ...]) -> list[str]:
    """Roles with the brands' names."""
    names = {kit.id: kit.name for kit in kits}
    return [role_phrase(role, names.get(where, where)) for where, role in person.roles]


@router.get("")
async def account_page(frame: Framed) -> HTMLResponse:
    """All of it."""
    return await _page(frame)


async def _page(frame: Frame, *, fresh_key: str = "", answer: Card | None = None) -> HTMLResponse:
    """`fresh_key` is shown this once; `answer` is what came of a form of this page."""
    house, person = frame.house, frame.visitor.person
    sessions = await open_sessions(house.store, house.clock, person.id)
    keys = await api_keys.list_keys(house, _caller(frame))
    known = {identity.platform for identity in person.identities}
    status = 422 if answer is not None and answer.kind == "error" else 200
    page = replace(frame, reply=answer or frame.reply).page(
        "account.html",
        "account",
        status=status,
        roles=role_phrases(person, frame.kits),
        accounts=shown_accounts(person, frame),
        connectable=[way for way in frame.site.ways if way.name not in known],
        sessions=sessions,
        this_session=id_of(frame.visitor.session),
        keys=[key for key in keys if key.expires_at > house.clock.now()],
        scopes=[(scope, about) for scope, about in SCOPES.items() if _may(person, scope)],
        days=DEFAULT_DAYS,
        max_days=MAX_DAYS,
        fresh_key=fresh_key,
        wrong=status != 200,
    )
    page.headers["Cache-Control"] = "no-store"
    return page


@router.post("/code")
async def give_code(frame: Framed, delivery: Annotated[str, Form(max_length=40)] = "") -> Response:
    """A code that joins an account on a chat platform with this one."""
    return await frame.say(LinkAccount(), delivery, "/account")


@router.post("/unlink")
async def unlink(
    frame: Framed,
    platform: Annotated[str, Form(max_length=300)],
    delivery: Annotated[str, Form(max_length=40)] = "",
) -> Response:
    """Take one of the visitor's accounts off."""
    return await frame.say(UnlinkAccount(platform=platform), delivery, "/account")


@router.post("/sessions/end")
async def end_one(frame: Framed, session: Annotated[str, Form(max_length=40)]) -> Response:
    """Sign another browser of the visitor's out."""
    house = frame.house
    await end_session(house.store, house.clock, frame.visitor.person.id, session)
    return go("/account#sessions")


@router.post("/sessions/end-others")
async def end_all_others(frame: Framed) -> Response:
    """Sign every other browser of the visitor's out."""
    house, visitor = frame.house, frame.visitor
    await end_others(house.store, house.clock, visitor.person.id, id_of(visitor.session))
    return go("/account#sessions")


@router.get("/keys")
async def keys_page(visitor: SignedIn) -> Response:
    """The keys stand on the page of the account."""
    return go("/account#keys")


@router.post("/keys")
async def make_key(
    frame: Framed,
    label: Annotated[str, Form(max_length=200)] = "",
    scope: Annotated[list[str] | None, Form()] = None,
    days: Annotated[str, Form(max_length=10)] = str(DEFAULT_DAYS),
) -> Response:
    """A new API key; its secret stands on this one answer and nowhere else."""
    try:
        key, secret = await api_keys.create(
            frame.house,
            _caller(frame),
            label=label,
            scopes=scope or [],
            days=int(days) if days.isascii() and days.isdecimal() else 0,
        )
    except HousestyleError as exc:
        return await _page(frame, answer=error_card(exc))
    made = reply_card(f"The key {key.label} is made", "Copy it now: it is not shown again.")
    return await _page(frame, fresh_key=secret, answer=made)


@router.post("/keys/revoke")
async def revoke_key(frame: Framed, key: Annotated[str, Form(max_length=40)]) -> Response:
    """End one of the visitor's keys at once."""
    await api_keys.revoke(frame.house, _caller(frame), key)
    return go("/account#keys")


def _caller(frame: Frame) -> Caller:
    return Caller(person=frame.visitor.person, actor=frame.visitor.actor(""))


def _may(person: Person, scope: Scope) -> bool:
    return scope is not Scope.ADMIN or person.is_admin
