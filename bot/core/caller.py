"""Who is asking, and about which brand: resolved once at the door."""

from dataclasses import dataclass

from bot.core.accounts import account_of, account_words
from bot.core.errors import Mistake, NotAllowed, NotFound
from bot.core.messages import Actor, ChannelRef
from bot.core.people import Person
from bot.core.places import is_at
from bot.core.policy import direct_line, not_blocked
from bot.core.ports import Transaction
from brand.kit import BrandKit


@dataclass(frozen=True, kw_only=True)
class Caller:
    """A known person with the place they speak from."""

    person: Person
    actor: Actor

    @property
    def line(self) -> ChannelRef:
        """The person's direct line on the platform they speak from; in the thread that they speak
        in, where that is one of it."""
        place = self.actor.channel
        line = direct_line(self.actor.platform, self.actor.user, place.team if place else "")
        return place if place and place.channel == line.channel else line


async def known(tx: Transaction, actor: Actor) -> Caller:
    """The person behind an account. Raises NotAllowed for someone we do not know."""
    team = actor.channel.team if actor.channel else ""
    person = await tx.people.by_identity(actor.platform, actor.user, team)
    if person is None:
        raise NotAllowed(
            "I don't know you yet, so I can't do this for you.",
            fix="Ask an admin of this Housestyle to invite you as "
            f"`{account_words(account_of(actor))}`. A member already? Type `/link` in the account "
            "I know, and its code here.",
        )
    if not person.active:
        raise NotAllowed(
            "You are no longer a member here, so I can't do this for you.",
            fix="Ask an admin of this Housestyle to let you in again.",
        )
    not_blocked(person)
    return Caller(person=person, actor=actor)


async def kit_for(tx: Transaction, brand: str, actor: Actor) -> BrandKit:
    """The kit in force: the named brand, else the channel's, else the only one.

    Raises NotFound for an unknown brand and Mistake where several would do.
    """
    kits = await tx.kits.all()
    names = tuple(kit.id for kit in kits)
    if brand:
        for kit in kits:
            if brand.casefold() in (kit.id.casefold(), kit.name.casefold()):
                return kit
        raise NotFound(f"There is no brand `{brand}`.", fix="Brands: " + ", ".join(names))
    if not kits:
        raise NotFound(
            "No brand kit is loaded.",
            fix="Put one in the brands folder and run `housestyle brand lint`.",
        )
    here = [kit for kit in kits if _has_channel(kit, actor.channel)] or list(kits)
    if len(here) > 1:
        raise Mistake("Which brand is it for?", allowed=names, fix="Add `--brand NAME`.")
    return here[0]


def _has_channel(kit: BrandKit, channel: ChannelRef | None) -> bool:
    return channel is not None and any(is_at(item, channel) for item in kit.channels)
