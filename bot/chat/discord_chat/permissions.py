"""What the app may do in a channel, and the address by which it is invited.

Source: docs.discord.com, permissions (how overwrites are applied) and OAuth2 (bot authorization).
"""

from collections.abc import Collection, Mapping
from urllib.parse import urlencode

from bot.chat.discord_chat.surfaces import PERMISSIONS
from bot.core.payloads import Body, parts_in, text_in

AUTHORIZE_URL = "https://discord.com/oauth2/authorize"
SCOPES = "bot applications.commands"
WANTED = sum(PERMISSIONS.values())
"""All that the invitation asks for, as Discord's number."""
ADMINISTRATOR = 1 << 3
VIEW = PERMISSIONS["View Channels"]
EVERYTHING = (1 << 53) - 1
_ROLE, _MEMBER = 0, 1


def invitation(app: str, *, guild: str = "") -> str:
    """Where an administrator of a server lets the app in; `guild` is chosen there already."""
    chosen = {"guild_id": guild, "disable_guild_select": "true"} if guild else {}
    asked = {"client_id": app, "scope": SCOPES, "permissions": str(WANTED), **chosen}
    return f"{AUTHORIZE_URL}?{urlencode(asked)}"


def permissions_in(guild: Body, channel: Body, user: str, held: Collection[str]) -> int:
    """The permissions of a member in a channel; a thread's are those of its parent. `guild` and
    `channel` are as Discord gives them, `held` the member's roles."""
    if text_in(guild, "owner_id") == user:
        return EVERYTHING
    everyone = text_in(guild, "id")
    bits = 0
    for role in parts_in(guild, "roles"):
        if text_in(role, "id") in {everyone, *held}:
            bits |= _number(role, "permissions")
    if bits & ADMINISTRATOR:
        return EVERYTHING
    rules = parts_in(channel, "permission_overwrites")
    of_roles = [rule for rule in rules if rule.get("type") == _ROLE]
    for applied in (
        [rule for rule in of_roles if text_in(rule, "id") == everyone],
        [rule for rule in of_roles if text_in(rule, "id") in held],
        [rule for rule in rules if rule.get("type") == _MEMBER and text_in(rule, "id") == user],
    ):
        bits = _overwritten(bits, applied)
    return bits if bits & VIEW else 0


def lacking(bits: int) -> list[str]:
    """Names of the permissions that the app needs and doesn't have."""
    return [name for name, bit in PERMISSIONS.items() if not bits & bit]


def _overwritten(bits: int, rules: list[Body]) -> int:
    """Of rules of the same kind an allowance wins over a ban."""
    for rule in rules:
        bits &= ~_number(rule, "deny")
    for rule in rules:
        bits |= _number(rule, "allow")
    return bits


def _number(part: Mapping[str, object], name: str) -> int:
    value = part.get(name)
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else 0
