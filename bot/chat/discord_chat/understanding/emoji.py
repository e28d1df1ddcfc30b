"""What an emoji means on a message of ours."""

import re
from dataclasses import replace
from enum import Enum

from bot.chat.discord_chat.heard import Heard
from bot.chat.discord_chat.options import DiscordOptions
from bot.chat.discord_chat.surfaces import (
    APPROVE_EMOJI,
    DELETE_EMOJI,
    RECIPE_EMOJI,
    REJECT_EMOJI,
)

_VARIATION = "\ufe0f"
"""Asks for the coloured form of a character: some clients send it, some do not."""
_OWN = re.compile(r"<a?:(\w+):\d+>")
"""A guild's own emoji, as Discord writes it in a text: `<:shipit:42>`."""
_TONES = frozenset(chr(0x1F3FB + tone) for tone in range(5))


class Meaning(Enum):
    """What somebody wants who puts it there."""

    APPROVE = "approve"
    REJECT = "reject"
    RECIPE = "recipe"
    DELETE = "delete"


def meanings(heard: Heard, options: DiscordOptions) -> frozenset[Meaning]:
    """All that this emoji may mean; which of it counts is decided by the card it is on."""
    name = bare(heard.emoji)
    own = frozenset() if heard.emoji_id else _own(name)
    chosen = {
        Meaning.APPROVE: {bare(one) for one in options.approve_emoji},
        Meaning.REJECT: {bare(one) for one in options.reject_emoji},
    }
    return own | {meaning for meaning, names in chosen.items() if name in names}


def as_asked(heard: Heard) -> str:
    """The emoji as `Rest` takes it."""
    return f"{heard.emoji}:{heard.emoji_id}" if heard.emoji_id else heard.emoji


def with_emoji(heard: Heard, emoji: str) -> Heard:
    """The same with an emoji as `Rest` says it."""
    name, _, emoji_id = emoji.partition(":")
    return replace(heard, emoji=name, emoji_id=emoji_id)


def bare(emoji: str) -> str:
    """Without skin tone, colons and what asks for the coloured form; of a guild's own its name."""
    plain = _OWN.sub(r"\1", emoji.replace(_VARIATION, "")).strip(":")
    return "".join(char for char in plain if char not in _TONES)


def _own(name: str) -> frozenset[Meaning]:
    table = {
        Meaning.APPROVE: APPROVE_EMOJI,
        Meaning.REJECT: REJECT_EMOJI,
        Meaning.RECIPE: (RECIPE_EMOJI,),
        Meaning.DELETE: (DELETE_EMOJI,),
    }
    return frozenset(
        meaning for meaning, emoji in table.items() if name in {bare(one) for one in emoji}
    )
