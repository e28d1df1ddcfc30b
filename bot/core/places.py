"""Where a kit's channel is on its platform, and whether a place is that channel."""

from collections.abc import Sequence
from dataclasses import replace

from bot.core.messages import ChannelRef
from brand.kit import Channel
from brand.kit_rules import MAX_FILE


def place_of(channel: Channel) -> ChannelRef:
    """The place that a kit's channel names."""
    return ChannelRef(platform=channel.platform, channel=channel.channel_id, team=channel.team)


def is_at(channel: Channel, place: ChannelRef) -> bool:
    """Whether the place is this channel. Where the kit names a workspace, it must be that one; a
    kit that names none means the channel wherever its id is known."""
    same = (channel.platform, channel.channel_id) == (place.platform, place.channel)
    return same and channel.team in ("", place.team)


def file_limit(channels: Sequence[Channel], place: ChannelRef | None) -> int | None:
    """Bytes of the largest file that this place takes; None: no limit that counts."""
    if place is None:
        return None
    named = next((channel for channel in channels if is_at(channel, place)), None)
    return named.max_file if named else MAX_FILE.get(place.platform)


def settled(channels: Sequence[Channel], place: ChannelRef) -> ChannelRef:
    """The place with its workspace. What was noted before the kit named workspaces means the one
    channel of that id; where the kit has several, or none, it stays as it is."""
    if place.team:
        return place
    named = (place.platform, place.channel)
    same = [channel for channel in channels if (channel.platform, channel.channel_id) == named]
    return replace(place, team=same[0].team) if len(same) == 1 else place
