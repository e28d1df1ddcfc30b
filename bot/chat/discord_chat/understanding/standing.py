"""Where something was done, and by whom, in the words of the core."""

from collections.abc import Sequence

from bot.chat.discord_chat.heard import Heard
from bot.chat.discord_chat.places import PLATFORM
from bot.core.lines import Standing, standing_at
from bot.core.messages import Actor, ChannelRef, MessageRef
from bot.core.policy import direct_line
from brand.kit import BrandKit

OWN = "our direct messages"
"""How people call their direct line in Discord."""


def own_places(portal: str) -> str:
    """Where somebody finds what is theirs alone. Discord tells nobody beforehand whether they take
    direct messages from an app, so the portal is always named too."""
    gallery = f" ({portal}/gallery)" if portal else ""
    return f"{OWN}, or in the portal's gallery{gallery} where you take none from me"


def line_of(user: str) -> ChannelRef:
    """Somebody's direct messages."""
    return direct_line(PLATFORM, user)


def place_of(heard: Heard) -> ChannelRef:
    """The channel with its thread. What belongs to no guild is the person's direct line: the app
    speaks nowhere else outside guilds."""
    if heard.is_direct or not heard.guild:
        return line_of(heard.user)
    return ChannelRef(platform=PLATFORM, channel=heard.channel, thread=heard.thread)


def message_ref(heard: Heard) -> MessageRef:
    """The message that it is about, in the channel or thread in which it really stands."""
    return MessageRef(platform=PLATFORM, channel=heard.room, message=heard.message)


def actor_of(heard: Heard) -> Actor:
    """Who does it, and from where. The delivery's key makes it count once."""
    return Actor(
        platform=PLATFORM,
        user=heard.user,
        name=heard.name or heard.user,
        channel=place_of(heard),
        delivery=heard.key,
        groups=frozenset(f"{PLATFORM}:{role}" for role in heard.roles),
        place=f"{PLATFORM}:{heard.guild}" if heard.guild else "",
    )


def standing_of(heard: Heard, kits: Sequence[BrandKit]) -> Standing:
    """The place by the kits, of which there must be one."""
    return standing_at(place_of(heard), kits, room_name=heard.channel_name)
