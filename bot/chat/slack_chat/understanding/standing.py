"""Where something was said, in the words of the core, and who may read along there."""

from collections.abc import Sequence
from dataclasses import replace

from bot.chat.slack_chat.incoming.heard import Heard, Kind
from bot.chat.slack_chat.places import PLATFORM, is_direct
from bot.chat.slack_chat.surfaces import VIEW_ASK
from bot.chat.slack_chat.understanding.words import channel_name
from bot.core.lines import Standing, standing_at
from bot.core.messages import Actor, ChannelRef, MessageRef
from bot.core.policy import direct_line
from brand.kit import BrandKit

OWN = "our direct messages"
"""How people call their direct line in Slack."""


def place_of(heard: Heard) -> ChannelRef:
    """The channel with its thread. Every conversation of two is the person's direct line: the app
    can write to them nowhere else, and a command may come out of a talk with somebody else. So a
    thread counts there only where it is surely one of the talk with us."""
    thread = "" if heard.thread == heard.message else heard.thread
    if not heard.channel or is_direct(heard.channel):
        with_us = heard.kind in (Kind.TALK, Kind.ACTION) or heard.command == VIEW_ASK
        line = direct_line(PLATFORM, heard.user, heard.team)
        return replace(line, thread=thread if with_us and heard.channel else "")
    return ChannelRef(platform=PLATFORM, channel=heard.channel, thread=thread, team=heard.team)


def message_of(heard: Heard) -> MessageRef:
    """The message that it is about."""
    return MessageRef(
        platform=PLATFORM, channel=heard.channel, message=heard.message, team=heard.team
    )


def actor_of(heard: Heard) -> Actor:
    """Who says it, and from where. The delivery's key makes it count once."""
    return Actor(
        platform=PLATFORM,
        user=heard.user,
        name=heard.name or heard.user,
        channel=place_of(heard),
        delivery=heard.key,
        place=f"{PLATFORM}:{heard.team}" if heard.team else "",
    )


def standing_of(heard: Heard, kits: Sequence[BrandKit]) -> Standing:
    """The place by the kits, of which there must be one."""
    return standing_at(place_of(heard), kits, room_name=channel_name(heard.channel_name))
