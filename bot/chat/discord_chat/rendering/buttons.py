"""A card's button in Discord. All that it knows is in its custom id, so it works after a restart:
`do:ACTION`, or `ask:WHAT:ACTION` where it asks for something first."""

import re
from typing import Any

import discord

from bot.chat.discord_chat.rendering.text import LABEL, plain
from bot.chat.discord_chat.surfaces import ACTION_PREFIX, ASK_PREFIX, ASKS, MAX_CUSTOM_ID
from bot.core.messages import Button, Style
from bot.core.readable import length

OURS = re.compile(
    rf"(?:{ACTION_PREFIX}|{ASK_PREFIX}(?P<asks>{'|'.join(ASKS)}):)?"
    r"(?P<action>(?!do:|ask:|pick:|form:|shown:)[a-z_]{1,20}:[0-9A-Za-z]{22}(?::[^\x00-\x1f\x7f\ud800-\udfff]{1,70})?)"
)
"""A button's custom id, and the value of a menu's option, which has no `do:`."""
STYLES = {
    Style.PRIMARY: discord.ButtonStyle.success,
    Style.DANGER: discord.ButtonStyle.danger,
    Style.QUIET: discord.ButtonStyle.secondary,
}
ICONS = {
    "approve": "✅",
    "attach": "📎",
    "cancel": "✖️",
    "download": "💾",
    "edit": "✏️",
    "info": "ℹ️",
    "pause": "⏸️",
    "reject": "❌",
    "reroll": "🔄",
    "send": "📨",
    "undo": "↩️",
    "upscale": "🔍",
    "vary": "🎨",
}


def card_button(button: Button, label: str = "") -> discord.ui.Button[Any]:
    """The button, under its own words or others. Raises ValueError for an action that is none of
    ours (see `fits`)."""
    if not fits(button):
        raise ValueError(f"{button.action!r} can't be carried by a button.")
    return discord.ui.Button(
        style=STYLES[button.style],
        label=plain(label or button.label, LABEL) or "…",
        custom_id=custom_id(button),
        emoji=ICONS.get(button.icon),
    )


def custom_id(button: Button) -> str:
    """What the button carries."""
    prefix = f"{ASK_PREFIX}{button.asks}:" if button.asks else ACTION_PREFIX
    return f"{prefix}{button.action}"


def option_value(button: Button) -> str:
    """The same as the value of a menu's option: the action, with `ask:` where it asks."""
    return custom_id(button) if button.asks else button.action


def fits(button: Button) -> bool:
    """Whether the button can be carried by a custom id: a channel's name may be too long."""
    carried = custom_id(button)
    return length(carried) <= MAX_CUSTOM_ID and OURS.fullmatch(carried) is not None
