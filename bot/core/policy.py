"""Who may do what, and what a set of votes means. Pure: no store, no clock."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.core.errors import Conflict, NotAllowed
from bot.core.lives import ReviewState
from bot.core.messages import Audience, ChannelRef
from bot.core.people import ANY_BRAND, Person, Role
from bot.core.places import is_at
from bot.core.reviews import Answer, Review, Vote
from brand.kit import BrandKit

MANAGERS = frozenset({Role.BRAND_MANAGER.value, Role.ADMIN.value})
MANAGED = frozenset({Role.REQUESTER, Role.APPROVER})
"""What a brand manager may give and take, in their own brand."""


def may_request(kit: BrandKit, person: Person) -> None:
    """Raises NotAllowed unless the kit lets this person ask for pictures."""
    if not kit.review.allows_request(person.id, person.roles_in(kit.id)):
        raise NotAllowed(
            f"You can't ask for pictures of {kit.name} yet.",
            fix=f"Ask {kit.owner} for the role `requester`.",
        )


def has_part(kit: BrandKit, person: Person) -> bool:
    """Whether what the kit says is theirs to read: they have a role in it, or it names them."""
    roles = person.roles_in(kit.id)
    named = kit.review.allows_request(person.id, roles) or kit.review.allows_approval(
        person.id, roles
    )
    return person.active and (bool(roles) or named)


def may_request_somewhere(kits: Iterable[BrandKit], person: Person) -> None:
    """Raises NotAllowed unless some kit lets this person ask for pictures."""
    if any(kit.review.allows_request(person.id, person.roles_in(kit.id)) for kit in kits):
        return
    raise NotAllowed(
        "You can't ask for pictures of any brand yet.",
        fix="Ask the owner of a brand for the role `requester`.",
    )


def may_handle(kit: BrandKit, person: Person, requester: str) -> None:
    """Raises NotAllowed unless it is the person's own thing, or they manage or approve."""
    roles = person.roles_in(kit.id)
    if person.id == requester or roles & MANAGERS:
        return
    if kit.review.allows_approval(person.id, roles):
        return
    raise NotAllowed(
        "This belongs to someone else.",
        fix=f"Ask them, an approver of {kit.name}, or {kit.owner}.",
    )


@dataclass(frozen=True, kw_only=True)
class VoteRight:
    """A vote may be given; `own_request` is marked on it."""

    own_request: bool


def may_vote(kit: BrandKit, person: Person, review: Review, *, demo: bool) -> VoteRight:
    """Whether this person may vote on this review now. Raises NotAllowed or Conflict."""
    if not review.is_waiting:
        raise Conflict(stamp(review) or f"This review is {review.state.value}.")
    if not kit.review.allows_approval(person.id, person.roles_in(kit.id)):
        raise NotAllowed(
            f"You can't approve for {kit.name}.",
            fix=f"Approvers are named in the kit; ask {kit.owner}.",
        )
    if any(vote.person == person.id for vote in review.votes):
        raise Conflict("You have voted on this already; the other approvers come next.")
    own = person.id == review.requester
    if own and kit.review.four_eyes and not demo:
        raise NotAllowed(
            "Nobody approves their own request.",
            fix=f"Another approver of {kit.name} has to decide.",
        )
    return VoteRight(own_request=own)


def may_take_back(person: Person, review: Review) -> None:
    """Whether this person may take their vote back. Raises Conflict: a decision stands."""
    if not review.is_waiting:
        raise Conflict(stamp(review) or f"This review is {review.state.value}.")
    if all(vote.person != person.id for vote in review.votes):
        raise Conflict("You have not voted on this, so there is nothing to take back.")


def outcome_of(review: Review, votes: tuple[Vote, ...]) -> Answer | None:
    """The decision that the votes make: one no (or wish) decides, a yes needs the quorum."""
    for vote in votes:
        if vote.answer is not Answer.APPROVE:
            return vote.answer
    yes = {vote.person for vote in votes if vote.answer is Answer.APPROVE}
    return Answer.APPROVE if len(yes) >= review.quorum else None


STAMPS = {
    Answer.APPROVE: "Approved",
    Answer.REJECT: "Rejected",
    Answer.CHANGE: "Change asked for",
}


def stamp(review: Review) -> str:
    """What was decided, by whom and when (UTC); empty while it is open."""
    if review.state is ReviewState.EXPIRED:
        return f"Expired on {review.deadline:%d %b %H:%M} UTC without a decision"
    if review.state is ReviewState.WITHDRAWN:
        return "Withdrawn by the requester"
    if review.outcome is None or review.decided_at is None:
        return ""
    names = [vote.name or "someone" for vote in review.votes if vote.answer is review.outcome]
    own = any(vote.own_request for vote in review.votes)
    reason = next((vote.reason for vote in review.votes if vote.reason), "")
    said = f"{STAMPS[review.outcome]} by {' and '.join(names)}, {review.decided_at:%H:%M} UTC"
    return said + (" (own request, demo)" if own else "") + (f": {reason}" if reason else "")


def audience_of(kit: BrandKit, channel: ChannelRef | None) -> Audience:
    """Who sees this channel. What the kit does not list is public, unless it is a direct line."""
    if channel is None or channel.channel.startswith("@"):
        return Audience.REQUESTER
    match = next((item for item in kit.channels if is_at(item, channel)), None)
    return Audience.WORKING if match and match.audience == "working" else Audience.PUBLIC


def draft_place(kit: BrandKit, asked_in: ChannelRef | None, person: ChannelRef) -> ChannelRef:
    """Where drafts of a request may be shown: the working channel it was asked in, else the
    requester's direct line."""
    if asked_in is not None and audience_of(kit, asked_in) is Audience.WORKING:
        return asked_in
    return person


def direct_line(platform: str, user: str, team: str = "") -> ChannelRef:
    """A person's private channel on a platform; adapters open it from `@USER`."""
    return ChannelRef(platform=platform, channel=f"@{user}", team=team)


def overdue(review: Review, now: datetime) -> bool:
    """Whether its deadline has passed."""
    return review.is_waiting and review.deadline <= now


def may_plan(kit: BrandKit, person: Person) -> None:
    """Raises NotAllowed unless the person may make, pause and end schedules of this brand."""
    if not person.roles_in(kit.id) & MANAGERS:
        raise NotAllowed(
            f"You can't change the calendar of {kit.name}.",
            fix=f"Ask a brand manager of {kit.name}, or {kit.owner}.",
        )


def tends_calendar(kit: BrandKit, person: Person, owner: str) -> bool:
    """Whether the person may skip, move and re-roll slots of a schedule of this owner:
    managers, approvers, and the owner themselves."""
    roles = person.roles_in(kit.id)
    if person.id == owner or roles & MANAGERS:
        return True
    return kit.review.allows_approval(person.id, roles)


def may_tend(kit: BrandKit, person: Person, owner: str) -> None:
    """Raises NotAllowed unless the person `tends_calendar`."""
    if not tends_calendar(kit, person, owner):
        raise NotAllowed(
            f"You can't change slots of {kit.name}'s calendar.",
            fix=f"Ask an approver or a brand manager of {kit.name}, or {kit.owner}.",
        )


def sees_calendar(kit: BrandKit, person: Person) -> bool:
    """Whether the person may read the brand's calendar: its members may."""
    return bool(person.roles_in(kit.id))


def managed_brands(person: Person) -> frozenset[str]:
    """The brands (`*`: all) in which this person may give roles."""
    if person.is_admin:
        return frozenset({ANY_BRAND})
    return frozenset(where for where, role in person.roles if role is Role.BRAND_MANAGER)


def may_give(giver: Person, role: Role, brand: str) -> None:
    """Raises NotAllowed unless this person may give or take this role in this brand (`*`: all).

    An admin may everywhere; a brand manager requester and approver, in their own brand.
    """
    if giver.is_admin:
        return
    managed = managed_brands(giver)
    named = role.value.replace("_", " ")
    if not managed:
        raise NotAllowed("You can't give or take roles.", fix="Ask an admin.")
    if role not in MANAGED:
        raise NotAllowed(f"Only an admin may make someone {named}.", fix="Ask an admin.")
    if brand not in managed and ANY_BRAND not in managed:
        raise NotAllowed(
            f"You manage {' and '.join(sorted(managed))} only.",
            fix=f"Add `--brand {min(managed)}`, or ask an admin.",
        )


def may_raise(giver: Person, receiver: Person) -> None:
    """Raises NotAllowed where someone would give themselves a role."""
    if giver.id == receiver.id:
        raise NotAllowed(
            "Nobody gives themselves a role.", fix="Ask another admin or brand manager."
        )


def may_administer(person: Person) -> None:
    """Raises NotAllowed for all but admins: teams, leaving, erasing, other people's keys."""
    if not person.is_admin:
        raise NotAllowed("Only an admin may do that.", fix="Ask an admin of this Housestyle.")


def not_blocked(person: Person) -> None:
    """Raises NotAllowed for someone on the block list, with the reason that they may know."""
    if person.is_blocked:
        why = f" The reason: {person.blocked_why}" if person.blocked_why else ""
        raise NotAllowed(
            f"An admin has put you on the block list, so I do nothing for you.{why}",
            fix="Ask an admin of this Housestyle; `/people unblock` takes you off it.",
        )


def keeps_an_admin(person: Person, admins: Sequence[Person]) -> None:
    """Raises NotAllowed if nobody could run this house without `person` as an admin. Who was
    invited as one and has not come in does not count: the link may run out. Nor does who is on
    the block list."""
    others = [admin for admin in admins if admin.id != person.id and not admin.is_blocked]
    if any(admin.identities for admin in others) or (others and not person.identities):
        return
    fix = "Make someone else an admin first."
    if others:
        fix = f"{others[0].name} has to come in by their invitation first."
    raise NotAllowed(f"{person.name} is the last admin.", fix=fix)


def people_seen(viewer: Person, people: Iterable[Person]) -> tuple[Person, ...]:
    """Whom this person may see with their roles and accounts: admins and auditors of all brands
    everyone, managers and auditors of a brand its members, everybody themselves."""
    watching = (Role.BRAND_MANAGER, Role.AUDITOR)
    brands = {where for where, role in viewer.roles if role in watching}
    everyone = viewer.is_admin or ANY_BRAND in brands
    return tuple(
        person
        for person in people
        if everyone
        or person.id == viewer.id
        or any(where in brands or where == ANY_BRAND for where, _ in person.roles if brands)
    )
