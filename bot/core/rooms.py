"""Rooms: the channels of one platform that a person may read and write in."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.core.messages import Audience
from bot.core.people import Person
from brand.kit import BrandKit


@dataclass(frozen=True, kw_only=True)
class Room:
    """One channel as one person sees it. `brand` is empty for their own direct line."""

    channel: str
    name: str
    """Without the #."""
    audience: Audience
    brand: str = ""


def rooms_of(
    kits: Sequence[BrandKit], person: Person, platform: str, user: str
) -> tuple[Room, ...]:
    """The person's direct line, then each brand's channels, working ones first.

    Working channels show drafts, so only members of the brand see them; public ones anybody
    who may sign in.
    """
    own = Room(channel=f"@{user}", name="Only you", audience=Audience.REQUESTER)
    rooms = [own]
    for kit in kits:
        member = bool(person.roles_in(kit.id))
        seen = kit.working_channels * member + kit.publish_channels
        rooms += [
            Room(
                channel=channel.channel_id,
                name=channel.name.removeprefix("#"),
                audience=Audience(channel.audience),
                brand=kit.id,
            )
            for channel in seen
            if channel.platform == platform
        ]
    return tuple(rooms)
