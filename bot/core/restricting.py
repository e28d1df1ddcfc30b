"""What a kit's [[access]] and [limits] keep people from, over and above their roles in Housestyle.

A rule only ever takes away: it is looked at after `policy` has said yes.
"""

from bot.core.caller import Caller
from bot.core.errors import NotAllowed, Refused
from bot.core.messages import Actor, ChannelRef
from bot.core.policy import VoteRight, may_request, may_vote
from bot.core.ports import Transaction
from bot.core.reviews import Review
from brand.kit import AccessRule, BrandKit
from brand.kit_access import APPROVE, REQUEST

_DOES = {REQUEST: "ask for pictures of", APPROVE: "approve for"}


def may_ask(kit: BrandKit, caller: Caller) -> None:
    """Raises NotAllowed unless the kit lets this person ask for pictures, and here."""
    may_request(kit, caller.person)
    check_rules(kit, caller.actor, REQUEST)


def may_answer(kit: BrandKit, caller: Caller, review: Review, *, demo: bool) -> VoteRight:
    """As `policy.may_vote`, and here. Raises NotAllowed or Conflict."""
    right = may_vote(kit, caller.person, review, demo=demo)
    check_rules(kit, caller.actor, APPROVE)
    return right


def check_rules(kit: BrandKit, actor: Actor, what: str) -> None:
    """Raises NotAllowed if a rule of the kit keeps this person from doing this here."""
    for rule in kit.access:
        if what not in rule.may or not _concerns(kit, rule, actor):
            continue
        if not {f"{rule.platform}:{role}" for role in rule.roles} & actor.groups:
            raise _refused(kit, rule, actor, _DOES[what])


def _concerns(kit: BrandKit, rule: AccessRule, actor: Actor) -> bool:
    if rule.platform != actor.platform:
        return False
    if rule.place and f"{rule.platform}:{rule.place}" != actor.place:
        return False
    return not rule.channels or _is_in(kit, rule, actor.channel)


def _is_in(kit: BrandKit, rule: AccessRule, channel: ChannelRef | None) -> bool:
    if channel is None:
        return False
    listed = ((named, kit.channel(named)) for named in rule.channels)
    return channel.channel in {found.channel_id if found else named for named, found in listed}


def _refused(kit: BrandKit, rule: AccessRule, actor: Actor, does: str) -> NotAllowed:
    stands = f"That is the rule “{rule.name}” of {kit.name}'s kit"
    if not rule.roles:
        where = "in this channel" if rule.channels else "here"
        return NotAllowed(
            f"Nobody can {does} {kit.name} {where}. {stands}.",
            fix=f"Do it in another channel, or ask {kit.owner}, whose rule it is.",
        )
    if not actor.place:
        return NotAllowed(
            f"Only certain roles of a server can {does} {kit.name}, and a direct message doesn't "
            f"tell me yours. {stands}.",
            fix=f"Do it in a channel of the server, or ask {kit.owner}, whose rule it is.",
        )
    return NotAllowed(
        f"You need another role here to {does} {kit.name}. {stands}.",
        fix=f"Ask {kit.owner}, whose rule it is, which role that is and who gives it.",
    )


async def check_open(tx: Transaction, kit: BrandKit, caller: Caller) -> None:
    """Raises Refused if as many requests as the kit allows are under way already.

    Called once this transaction has the brand's counters (`spending.admit`): they are had by one
    transaction at a time, so of several requests at the same moment none slips through.
    """
    limits, actor = kit.limits, caller.actor
    person = caller.person.id
    if limits.open_jobs_person:
        count = await tx.jobs.open_count(kit.id, requester=person)
        if count >= limits.open_jobs_person:
            said = f"You have {_requests(count, kit)} under way"
            raise _too_many(kit, said, limits.open_jobs_person, "open_jobs_person")
    if limits.open_jobs_place and actor.place:
        count = await tx.jobs.open_count(kit.id, place=actor.place)
        if count >= limits.open_jobs_place:
            said = f"Under way here already: {_requests(count, kit)}"
            raise _too_many(kit, said, limits.open_jobs_place, "open_jobs_place")


def _requests(count: int, kit: BrandKit) -> str:
    return f"{count} request{'' if count == 1 else 's'} for pictures of {kit.name}"


def _too_many(kit: BrandKit, said: str, limit: int, key: str) -> Refused:
    return Refused(
        f"{said}, and its kit allows {limit} at once (`{key}`).",
        fix=f"Wait until one is done, or `/cancel` one; {kit.owner} can raise the limit.",
    )
