"""Every role against everything it may or may not do; docs/people.md shows the same table."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.core.budget import Account, manages
from bot.core.errors import Conflict, NotAllowed
from bot.core.messages import ChannelRef
from bot.core.people import ANY_BRAND, Person, Role
from bot.core.policy import (
    keeps_an_admin,
    may_administer,
    may_give,
    may_handle,
    may_plan,
    may_raise,
    may_request,
    may_tend,
    may_vote,
    people_seen,
    sees_calendar,
)
from bot.core.reviews import Review
from bot.core.seeing import sees_wide
from tests.fakes.town import KIT, START, person
from tests.needs import ROOT

OWN, OTHER = "acme", "nord"
REVIEW = Review(
    id="r",
    asset="a",
    brand=OWN,
    requester="someone",
    pixel_hash="",
    rendition_hashes=(),
    target=ChannelRef(platform="local", channel="social"),
    opened_at=START,
    deadline=datetime(2027, 1, 1, tzinfo=UTC),
)
STRANGER = replace(person("Nia"), roles=((OTHER, Role.REQUESTER),))
COLLEAGUE = replace(person("Mia"), roles=((OWN, Role.REQUESTER),))


def having(role: Role | None, where: str = OWN, name: str = "Kim") -> Person:
    """Someone with this one role (an admin is one everywhere), or with none."""
    if role is None:
        return replace(person(name), roles=())
    return replace(person(name), roles=((ANY_BRAND if role is Role.ADMIN else where, role),))


def allowed(check: Callable[[], object]) -> bool:
    """Whether a rule lets it pass: it neither refuses nor says False."""
    try:
        return check() is not False
    except NotAllowed:
        return False


Act = Callable[[Person], object]
ACTS: dict[str, Act] = {
    "ask for pictures": lambda p: may_request(KIT, p),
    "approve and reject": lambda p: may_vote(KIT, p, REVIEW, demo=False),
    "cancel, pause or withdraw what others asked for": lambda p: may_handle(KIT, p, "someone"),
    "see all drafts of the brand": lambda p: sees_wide(KIT, p),
    "read the calendar": lambda p: sees_calendar(KIT, p),
    "skip, move and re-roll slots": lambda p: may_tend(KIT, p, "someone"),
    "make, pause and end schedules": lambda p: may_plan(KIT, p),
    "set the brand's budget": lambda p: manages(p, Account(scope="brand", key=OWN, brand=OWN)),
    "see the brand's people": lambda p: COLLEAGUE in people_seen(p, (COLLEAGUE,)),
    "see everybody": lambda p: STRANGER in people_seen(p, (STRANGER,)),
    "make requesters and approvers, and invite them": lambda p: (
        may_give(p, Role.REQUESTER, OWN),
        may_give(p, Role.APPROVER, OWN),
    ),
    "the same in another brand": lambda p: may_give(p, Role.REQUESTER, OTHER),
    "the same in all brands": lambda p: may_give(p, Role.REQUESTER, ANY_BRAND),
    "make brand managers": lambda p: may_give(p, Role.BRAND_MANAGER, OWN),
    "make auditors": lambda p: may_give(p, Role.AUDITOR, OWN),
    "make admins": lambda p: may_give(p, Role.ADMIN, ANY_BRAND),
    "teams, leaving, erasing, other people's accounts and keys": may_administer,
}
"""What can be done in a brand, as docs/people.md says it."""

ALL = {Role.REQUESTER, Role.APPROVER, Role.BRAND_MANAGER, Role.ADMIN, Role.AUDITOR}
MANAGE = {Role.BRAND_MANAGER, Role.ADMIN}
RIGHTS: dict[str, set[Role]] = {
    "ask for pictures": {Role.REQUESTER},
    "approve and reject": {Role.APPROVER},
    "cancel, pause or withdraw what others asked for": MANAGE | {Role.APPROVER},
    "see all drafts of the brand": MANAGE | {Role.APPROVER, Role.AUDITOR},
    "read the calendar": ALL,
    "skip, move and re-roll slots": MANAGE | {Role.APPROVER},
    "make, pause and end schedules": MANAGE,
    "set the brand's budget": MANAGE,
    "see the brand's people": MANAGE | {Role.AUDITOR},
    "see everybody": {Role.ADMIN},
    "make requesters and approvers, and invite them": MANAGE,
    "the same in another brand": {Role.ADMIN},
    "the same in all brands": {Role.ADMIN},
    "make brand managers": {Role.ADMIN},
    "make auditors": {Role.ADMIN},
    "make admins": {Role.ADMIN},
    "teams, leaving, erasing, other people's accounts and keys": {Role.ADMIN},
}
MATRIX = [
    pytest.param(act, role, role in RIGHTS[act], id=f"{role.value}: {act}")
    for act in ACTS
    for role in Role
]


def test_every_act_has_its_row() -> None:
    assert set(ACTS) == set(RIGHTS)


@pytest.mark.parametrize(("act", "role", "expected"), MATRIX)
def test_each_role_may_do_exactly_what_the_table_says(act: str, role: Role, expected: bool) -> None:
    assert allowed(lambda: ACTS[act](having(role))) is expected


@pytest.mark.parametrize("act", ACTS)
def test_nobody_without_a_role_may_do_anything(act: str) -> None:
    assert not allowed(lambda: ACTS[act](having(None)))


BRAND_BOUND = [act for act in ACTS if act not in ("see everybody", "the same in another brand")]


@pytest.mark.parametrize("act", BRAND_BOUND)
@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
def test_a_role_in_another_brand_counts_for_nothing_here(act: str, role: Role) -> None:
    assert not allowed(lambda: ACTS[act](having(role, OTHER)))


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
def test_a_role_in_all_brands_is_never_less_than_in_one(act: str, role: Role) -> None:
    if allowed(lambda: ACTS[act](having(role))):
        assert allowed(lambda: ACTS[act](having(role, ANY_BRAND)))


def test_an_admin_who_left_administers_nothing() -> None:
    left = replace(having(Role.ADMIN), active=False)
    for act in ("make admins", "see everybody", "make requesters and approvers, and invite them"):
        assert not allowed(lambda act=act: ACTS[act](left))
    with pytest.raises(NotAllowed):
        may_administer(left)


def test_a_brand_manager_of_all_brands_gives_roles_in_all() -> None:
    may_give(having(Role.BRAND_MANAGER, ANY_BRAND), Role.APPROVER, OTHER)
    may_give(having(Role.BRAND_MANAGER, ANY_BRAND), Role.APPROVER, ANY_BRAND)
    with pytest.raises(NotAllowed):
        may_give(having(Role.BRAND_MANAGER, ANY_BRAND), Role.AUDITOR, OTHER)


@pytest.mark.parametrize("role", Role)
def test_nobody_raises_themselves_whatever_their_role(role: Role) -> None:
    kim = having(role)
    with pytest.raises(NotAllowed, match="gives themselves"):
        may_raise(kim, kim)
    may_raise(kim, COLLEAGUE)


def test_only_the_last_admin_is_kept() -> None:
    kim, lea = having(Role.ADMIN), having(Role.ADMIN, name="Lea")
    keeps_an_admin(kim, (kim, lea))
    keeps_an_admin(COLLEAGUE, (kim,))
    with pytest.raises(NotAllowed, match="last admin"):
        keeps_an_admin(kim, (kim,))
    blocked = replace(lea, blocked_at=lea.created_at)
    with pytest.raises(NotAllowed, match="last admin"):
        keeps_an_admin(kim, (kim, blocked))


def test_an_approver_still_does_not_vote_twice_or_on_their_own() -> None:
    kim = having(Role.APPROVER)
    with pytest.raises(NotAllowed, match="own request"):
        may_vote(KIT, kim, replace(REVIEW, requester=kim.id), demo=False)
    with pytest.raises(Conflict):
        may_vote(KIT, kim, replace(REVIEW, state=type(REVIEW.state).DECIDED), demo=False)


def test_everybody_sees_themselves() -> None:
    for role in (None, *Role):
        kim = having(role)
        assert kim in people_seen(kim, (kim,))


def test_the_admins_page_shows_the_same_table() -> None:
    page = (ROOT / "docs/people.md").read_text()
    rows = re.findall(r"^\| ([^|]+) \|((?: (?:yes|no) \|){5})$", page, re.MULTILINE)
    shown = {act.strip(): re.findall(r"yes|no", marks) for act, marks in rows}
    assert shown == {act: ["yes" if role in RIGHTS[act] else "no" for role in Role] for act in ACTS}
