"""Where a kit's channel is on its platform, and whether a place is that channel."""

from bot.core.messages import ChannelRef
from brand.kit import Channel


def place_of(channel: Channel) -> ChannelRef:
    """The place that a kit's channel names."""
    return ChannelRef(platform=channel.platform, channel=channel.channel_id, team=channel.team)


def is_at(channel: Channel, place: ChannelRef) -> bool:
    """Whether the place is this channel. Where the kit names a workspace, it must be that one; a
    kit that names none means the channel wherever its id is known."""
    same = (channel.platform, channel.channel_id) == (place.platform, place.channel)
    return same and channel.team in ("", place.team)
