"""What a person typed, out of what Discord makes of it.

Whoever chooses a channel, a person or a role while typing sends its id between angle brackets
(docs.discord.com, reference, message formatting). The grammar knows channels by the kit's names,
people and roles as `discord:ID`.
"""

import re
from collections.abc import Sequence

from bot.chat.discord_chat.places import PLATFORM
from brand.kit import Channel

_MENTION = re.compile(r"<(#|@[!&]?)([0-9]{1,20})>")


def typed_text(text: str, channels: Sequence[Channel] = ()) -> str:
    """The plain text. A channel that is none of these keeps its id, so that nothing takes it for
    words."""
    named = {item.channel_id: item.name for item in channels if item.platform == PLATFORM}

    def plain(mention: re.Match[str]) -> str:
        kind, key = mention[1], mention[2]
        return f"#{named.get(key, key).removeprefix('#')}" if kind == "#" else f"{PLATFORM}:{key}"

    return _MENTION.sub(plain, text)
