"""People: who is here, with which roles; for admins and brand managers, inviting and changing."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, Response

from bot.core.access import INVITATION_LIFE
from bot.core.caller import Caller
from bot.core.commands import (
    BlockPerson,
    Command,
    Invite,
    SetActive,
    SetRole,
    SetTeam,
    UnlinkAccount,
)
from bot.core.errors import Mistake, NotAllowed, NotFound
from bot.core.grammar_render import render_command
from bot.core.ids import is_id
from bot.core.members import invitation, is_invited, role_phrase, state_of
from bot.core.people import ANY_BRAND, Person, Role
from bot.core.policy import managed_brands, may_give, may_raise, people_seen
from bot.core.ports import Transaction
from bot.web.frame import Frame, Framed, go
from bot.web.pages.account import ShownAccount, role_phrases, shown_accounts
from bot.web.visitor import SignedIn
from brand.kit import BrandKit
from brand.words import clean

router = APIRouter(prefix="/people")
ROLE_ABOUT = {
    Role.REQUESTER: "asks for pictures",
    Role.APPROVER: "decides what may be published",
    Role.BRAND_MANAGER: "keeps the brand, invites requesters and approvers",
    Role.ADMIN: "everything, in all brands",
    Role.AUDITOR: "sees everything, changes nothing",
}
STATES = {
    "member": ("approve", "good"),
    "invited": ("clock", "warn"),
    "not in yet": ("clock", "warn"),
    "blocked": ("off", "bad"),
    "left": ("off", ""),
}
"""Icon and tone of each state's word."""


@dataclass(frozen=True, kw_only=True)
class ShownRole:
    """A role of a member; `taken` by whoever may take it away."""

    phrase: str
    role: str
    brand: str
    """Empty for all brands."""
    taken: bool


@dataclass(frozen=True, kw_only=True)
class Member:
    """One member as the visitor may see and change them."""

    person: Person
    state: str
    icon: str
    tone: str
    roles: list[ShownRole]
    accounts: list[ShownAccount]
    raises: bool
    """Whether the visitor may give them roles."""
    invitable: bool
    """Whether an invitation link may be made for them."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What the visitor may give: roles, in which brands ("" is all of them)."""

    roles: list[tuple[Role, str]]
    brands: list[tuple[str, str]]


@router.get("")
async def people_page(frame: Framed) -> HTMLResponse:
    """The members whom the visitor may see; for everybody, who decides in this brand."""
    async with frame.house.store.read() as tx:
        everybody = [person for person in await tx.people.all() if not person.is_erased]
        seen = people_seen(frame.visitor.person, everybody)
        members = [await _member(tx, frame, person) for person in seen]
    return frame.page(
        "people.html",
        "people",
        members=[one for one in members if one.person.active],
        left=[one for one in members if not one.person.active],
        wide=len(seen) > 1 or bool(managed_brands(frame.visitor.person)),
        deciders=deciders(frame.kit, everybody),
        choice=_choice(frame),
        about=ROLE_ABOUT,
        admin=frame.visitor.person.is_admin,
        own=role_phrases(frame.visitor.person, frame.kits),
    )


def deciders(kit: BrandKit, people: list[Person]) -> list[tuple[str, list[str]]]:
    """Whom to ask in this brand: (what they do, names), for those that there are."""
    here = [person for person in people if person.active and person.identities]
    approve = [p for p in here if kit.review.allows_approval(p.id, p.roles_in(kit.id))]
    manage = [p for p in here if Role.BRAND_MANAGER.value in p.roles_in(kit.id)]
    found = [
        ("Approves pictures", approve),
        ("Keeps the brand", manage),
        ("Runs this Housestyle", [person for person in here if person.is_admin]),
    ]
    return [(what, [person.name for person in who]) for what, who in found if who]


async def _member(tx: Transaction, frame: Frame, person: Person) -> Member:
    viewer = frame.visitor.person
    invited = await is_invited(tx, person, frame.house.clock.now())
    state = state_of(person, invited=invited)
    icon, tone = STATES[state]
    names = {kit.id: kit.name for kit in frame.kits}
    roles = [
        ShownRole(
            phrase=role_phrase(role, names.get(where, where)),
            role=role.value,
            brand="" if where == ANY_BRAND else where,
            taken=_gives(viewer, role, where),
        )
        for where, role in person.roles
    ]
    waits = person.active and not person.identities
    gives_all = all(role.taken for role in roles) and (bool(roles) or viewer.is_admin)
    return Member(
        person=person,
        state=state,
        icon=icon,
        tone=tone,
        roles=roles,
        accounts=shown_accounts(person, frame),
        raises=person.active and bool(managed_brands(viewer)) and _raises(viewer, person),
        invitable=waits and gives_all,
    )


def _choice(frame: Frame) -> Choice:
    viewer, managed = frame.visitor.person, managed_brands(frame.visitor.person)
    everywhere = ANY_BRAND in managed
    brands = [(kit.id, kit.name) for kit in frame.kits if everywhere or kit.id in managed]
    where = ANY_BRAND if everywhere else (brands[0][0] if brands else "")
    roles = [(role, about) for role, about in ROLE_ABOUT.items() if _gives(viewer, role, where)]
    return Choice(roles=roles, brands=[("", "all brands"), *brands] if everywhere else brands)


def _gives(viewer: Person, role: Role, where: str) -> bool:
    try:
        may_give(viewer, role, where)
    except NotAllowed:
        return False
    return True


def _raises(viewer: Person, person: Person) -> bool:
    try:
        may_raise(viewer, person)
    except NotAllowed:
        return False
    return True


Delivery = Annotated[str, Form(max_length=40)]
Word = Annotated[str, Form(max_length=300)]


@router.get("/invite")
async def invite_page(visitor: SignedIn) -> Response:
    """The form stands on the page of the people."""
    return go("/people#invite")


@router.post("/invite")
async def invite(
    frame: Framed,
    name: Word = "",
    role: Annotated[list[str] | None, Form()] = None,
    brand: Word = "",
    team: Word = "",
    account: Word = "",
    delivery: Delivery = "",
) -> Response:
    """A new member, and the link to give to them, shown this once; with an account in a chat they
    are in without."""
    command = Invite(
        name=clean(name),
        roles=tuple(role or ()),
        brand=clean(brand),
        team=clean(team),
        account=clean(account),
    )
    visitor = frame.visitor
    answer = await frame.site.desk.say(
        visitor.actor(delivery), render_command(command), aside=visitor.aside
    )
    card = answer.card if answer is not None else None
    invited = next((f.value for f in card.fields if f.label == "id"), "") if card else ""
    if not invited or command.account:
        return go("/people#invite", reply=answer.id if answer is not None else "")
    return await _link_page(frame, invited)


@router.get("/{person_id}/{what}")
async def done(visitor: SignedIn, person_id: str, what: str) -> Response:
    """Where a form's answer is loaded anew."""
    return _back(person_id)


@router.post("/{person_id}/invitation")
async def fresh_invitation(frame: Framed, person_id: str) -> Response:
    """Another link for somebody who has not come in yet; the one before ends."""
    return await _link_page(frame, _checked(person_id))


async def _link_page(frame: Frame, person_id: str) -> Response:
    caller = Caller(person=frame.visitor.person, actor=frame.visitor.actor(""))
    link = await invitation(frame.house, caller, person_id)
    async with frame.house.store.read() as tx:
        person = await tx.people.get(person_id)
    page = frame.page(
        "invited.html",
        "people",
        person=person,
        roles=role_phrases(person, frame.kits),
        link=link,
        days=INVITATION_LIFE.days,
    )
    page.headers["Cache-Control"] = "no-store"
    return page


@router.post("/{person_id}/role")
async def set_role(
    frame: Framed,
    person_id: str,
    role: Word = "",
    brand: Word = "",
    on: Word = "yes",
    delivery: Delivery = "",
) -> Response:
    """Give a role or take it away."""
    command = SetRole(person=_checked(person_id), role=_role(role), on=on == "yes",
                      brand=clean(brand))  # fmt: skip
    return await _do(frame, command, person_id, delivery)


@router.post("/{person_id}/team")
async def set_team(
    frame: Framed, person_id: str, team: Word = "", delivery: Delivery = ""
) -> Response:
    """Put a member into a team, or into none."""
    command = SetTeam(person=_checked(person_id), team=clean(team))
    return await _do(frame, command, person_id, delivery)


@router.post("/{person_id}/active")
async def set_active(
    frame: Framed, person_id: str, active: Word = "no", delivery: Delivery = ""
) -> Response:
    """Let a member in no longer, or in again."""
    command = SetActive(person=_checked(person_id), active=active == "yes")
    return await _do(frame, command, person_id, delivery)


@router.post("/{person_id}/block")
async def block(
    frame: Framed, person_id: str, blocked: Word = "no", reason: Word = "", delivery: Delivery = ""
) -> Response:
    """Put a member on the block list, or take them off it."""
    command = BlockPerson(
        person=_checked(person_id), blocked=blocked == "yes", reason=clean(reason)
    )
    return await _do(frame, command, person_id, delivery)


@router.post("/{person_id}/unlink")
async def take_account_off(
    frame: Framed, person_id: str, platform: Word = "", delivery: Delivery = ""
) -> Response:
    """Take one of a member's accounts off."""
    command = UnlinkAccount(platform=clean(platform), person=_checked(person_id))
    return await _do(frame, command, person_id, delivery)


@router.post("/{person_id}/erase")
async def erase(
    frame: Framed, person_id: str, typed: Word = "", delivery: Delivery = ""
) -> Response:
    """Take a person out of all records, once their name was typed."""
    async with frame.house.store.read() as tx:
        person = await tx.people.get(_checked(person_id))
    seen = people_seen(frame.visitor.person, [person])
    if not seen or clean(typed) != person.name:
        raise Mistake(
            "That isn't the name of whom you want to erase, letter by letter. Nothing was done.",
            fix="Go back and type the name as it stands there.",
        )
    visitor = frame.visitor
    answer = await frame.site.desk.press(
        visitor.actor(delivery), f"erase:{person.id}:yes", aside=visitor.aside
    )
    return go("/people", reply=answer.id if answer is not None else "")


async def _do(frame: Frame, command: Command, person_id: str, delivery: str) -> Response:
    return await frame.say(command, delivery, _place(person_id))


def _role(word: str) -> str:
    """A role's word, or a mistake that names them."""
    if word not in set(Role):
        raise Mistake("Choose a role.", allowed=tuple(role.value for role in Role))
    return word


def _checked(person_id: str) -> str:
    if not is_id(person_id):
        raise NotFound("There is no such member.", fix="Go back to the page People.")
    return person_id


def _place(person_id: str) -> str:
    return f"/people#p-{person_id}" if is_id(person_id) else "/people"


def _back(person_id: str) -> Response:
    return go(_place(person_id))
