"""shape: whether a delivery of Discord can be taken in at all.

discord.py takes the shapes of payloads for granted, and an error while it reads one ends its
connection. So interactions and reactions are taken as plain JSON (see client), and read from there
without trusting a type.

Payloads: docs.discord.com, interactions (receiving and responding) and gateway events.
"""

import re

from bot.core.payloads import Body, is_plain, text_in

_ID = re.compile(r"[0-9]{1,20}")
_TOKEN = re.compile(r"[A-Za-z0-9._~=+-]{1,4096}")


def is_id(text: str) -> bool:
    """Whether this can be an id of Discord's, and can stand in an address."""
    return _ID.fullmatch(text) is not None


def can_be_answered(interaction: Body) -> bool:
    """Whether it names an interaction: then Discord waits for an answer, however odd the rest."""
    return is_id(text_in(interaction, "id")) and bool(
        _TOKEN.fullmatch(text_in(interaction, "token"))
    )


def is_sound(interaction: Body) -> bool:
    """Whether what it holds can be kept and is of a known kind, from someone who has an id."""
    kind = interaction.get("type")
    return (
        can_be_answered(interaction)
        and isinstance(kind, int)
        and not isinstance(kind, bool)
        and isinstance(interaction.get("data"), dict)
        and is_plain(interaction)
    )


def is_reaction(event: Body) -> bool:
    """Whether it is the event of a reaction, with all the ids that one has."""
    has_ids = is_clearing(event) and is_id(text_in(event, "user_id"))
    return has_ids and isinstance(event.get("emoji"), dict) and is_plain(event)


def is_clearing(event: Body) -> bool:
    """Whether it says of which message in which channel emoji were taken."""
    guild = text_in(event, "guild_id")
    ids = [text_in(event, name) for name in ("channel_id", "message_id")]
    return all(is_id(one) for one in (*ids, *([guild] if guild else ())))
