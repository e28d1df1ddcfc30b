"""What a person typed, out of what Slack makes of it.

Slack escapes `& < >` and puts people, channels and links between angle brackets
(docs.slack.dev/messaging/formatting-message-text). Nothing here is trusted: what comes out is
plain text for the grammar, and whatever is said again is escaped anew.
"""

import re
from collections.abc import Mapping

_TOKEN = re.compile(r"<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>")
_SPACES = re.compile(r"[^\S\n]{2,}")
NAMELESS = ("directmessage", "privategroup")
"""What Slack calls channels whose names it does not tell."""


def typed_text(text: str, *, channels: Mapping[str, str] | None = None, bot_user: str = "") -> str:
    """The plain text. `channels` has names by Slack's channel id, which go before what Slack calls
    them; mentions of `bot_user` go."""
    named = channels or {}

    def plain(token: re.Match[str]) -> str:
        kind, name, label = token[1], token[2], token[3] or ""
        if kind == "@":
            return "" if bot_user and name == bot_user else f"@{label.lstrip('@') or name}"
        if kind == "#":
            return f"#{(named.get(name) or label or name).lstrip('#')}"
        if kind == "!":
            return label or name.partition("^")[0]
        return label or name

    return _unescaped(_SPACES.sub(" ", _TOKEN.sub(plain, text))).strip()


def addressed_text(
    text: str, *, channels: Mapping[str, str] | None = None, bot_user: str = ""
) -> str:
    """The same of a line that begins with a mention of us, also where Slack did not say our id."""
    first = _TOKEN.match(text.lstrip())
    if first is not None and first[1] == "@" and not bot_user:
        bot_user = first[2]
    return typed_text(text, channels=channels, bot_user=bot_user)


def channel_name(name: str) -> str:
    """A channel's name as Slack tells it; empty where it tells none."""
    return "" if name in NAMELESS or name.startswith("mpdm-") else name


def emoji_name(name: str) -> str:
    """An emoji without colons and skin tone: `+1::skin-tone-3` is `+1`."""
    return name.strip(":").partition("::")[0]


def _unescaped(text: str) -> str:
    """`&amp;` last, so that `&amp;lt;` stays the `&lt;` that was typed."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
