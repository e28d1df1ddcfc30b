"""hearing: Discord's interactions and reactions as Heard. Pure; what is not ours is None.

Payloads: docs.discord.com, interactions/receiving-and-responding and events/gateway-events.
"""

from collections.abc import Iterator
from dataclasses import replace
from enum import IntEnum
from typing import Any

from bot.chat.discord_chat.heard import Did, Heard
from bot.chat.discord_chat.incoming.components import pictures_in
from bot.chat.discord_chat.incoming.shape import is_id
from bot.chat.discord_chat.options import DiscordOptions
from bot.chat.discord_chat.surfaces import (
    ACTION_PREFIX,
    ASK_PREFIX,
    COMMANDS,
    FORM_PREFIX,
    MENUS,
    PICK_PREFIX,
    SHOWN_PREFIX,
    Kind,
)
from bot.chat.discord_chat.understanding.emoji import meanings
from bot.core.ids import new_id
from bot.core.payloads import Body, part_of, parts_in, text_in

UNKNOWN = "unknown"
"""The action of a button that is not ours any more: whoever pressed it is told."""
MAX_FIELDS = 25
"""Options of a command and fields of a form; more are left out."""


class Asked(IntEnum):
    """Types of an interaction."""

    COMMAND = 2
    COMPONENT = 3
    AUTOCOMPLETE = 4
    MODAL = 5


_THREADS = (10, 11, 12)
_DIRECT, _SLASH, _OF_MESSAGE = 1, 1, 3


def heard_of(interaction: Body, *, own: str, at: float) -> Heard | None:
    """What somebody did; None where it is nothing that is worked off. `interaction` is sound (see
    shape), `own` is the app's user, `at` in seconds since 1970."""
    reader = {
        Asked.COMMAND: _command,
        Asked.AUTOCOMPLETE: _slash,
        Asked.COMPONENT: _component,
        Asked.MODAL: _submit,
    }.get(interaction["type"])
    said = reader(interaction) if reader else None
    base = _base(interaction)
    if said is None or not is_id(base["user"]):
        return None
    heard = Heard(**(base | {"at": at} | said))
    if heard.did is Did.MENU:
        author = text_in(part_of(_meant(interaction), "author"), "id")
        return replace(heard, of_us=author == own)
    return heard


def reaction_of(event: Body, options: DiscordOptions, *, own: str, added: bool) -> Heard | None:
    """A reaction that may mean something: of a person, with an emoji that does, and where Discord
    tells whose the message is, on one of ours. `own` is the app's user."""
    user, author = text_in(event, "user_id"), text_in(event, "message_author_id")
    emoji = part_of(event, "emoji")
    is_bot = part_of(part_of(event, "member"), "user").get("bot") is True
    if user == own or is_bot or (author and author != own):
        return None
    heard = Heard(
        did=Did.REACTED if added else Did.UNREACTED,
        key=f"reaction:{new_id()}",
        user=user,
        name=_name(part_of(event, "member"), part_of(part_of(event, "member"), "user")),
        guild=text_in(event, "guild_id"),
        roles=_roles(part_of(event, "member")),
        channel=text_in(event, "channel_id"),
        message=text_in(event, "message_id"),
        of_us=bool(author),
        emoji=text_in(emoji, "name"),
        emoji_id=text_in(emoji, "id"),
    )
    return heard if meanings(heard, options) else None


def resync(message: str = "") -> Heard:
    """That events were missed; with a message, only those of the emoji on it."""
    return Heard(did=Did.RESYNC, key=f"resync:{new_id()}", message=message)


def focused_in(interaction: Body) -> tuple[str, str]:
    """(name, text typed so far) of the option that somebody is typing; empty if none."""
    for option in parts_in(part_of(interaction, "data"), "options"):
        if option.get("focused") is True:
            return text_in(option, "name"), _text(option.get("value"))
    return "", ""


def chosen_in(interaction: Body) -> str:
    """The custom id that a click stands for: a button's own, or what was chosen in a card's
    menu."""
    data = part_of(interaction, "data")
    custom_id, values = text_in(data, "custom_id"), data.get("values")
    if not custom_id.startswith(PICK_PREFIX):
        return custom_id
    first = values[0] if isinstance(values, list) and values else ""
    chosen = first if isinstance(first, str) else ""
    known = (ACTION_PREFIX, ASK_PREFIX)
    return chosen if chosen.startswith(known) or not chosen else f"{ACTION_PREFIX}{chosen}"


def _base(interaction: Body) -> dict[str, Any]:
    member, channel = part_of(interaction, "member"), part_of(interaction, "channel")
    user = part_of(member, "user") or part_of(interaction, "user")
    guild = text_in(interaction, "guild_id")
    room = text_in(channel, "id") or text_in(interaction, "channel_id")
    parent = text_in(channel, "parent_id") if channel.get("type") in _THREADS else ""
    return {
        "key": f"interaction:{text_in(interaction, 'id')}",
        "user": text_in(user, "id"),
        "name": _name(member, user),
        "guild": guild,
        "roles": _roles(member),
        "channel": parent or room,
        "thread": room if parent else "",
        "channel_name": text_in(channel, "name"),
        "is_direct": not guild and _is_direct(interaction, channel),
        "token": text_in(interaction, "token"),
    }


def _is_direct(interaction: Body, channel: Body) -> bool:
    """Groups and other people's conversations are none with the app."""
    context = interaction.get("context")
    return context == _DIRECT if context is not None else channel.get("type") == _DIRECT


def _name(member: Body, user: Body) -> str:
    return text_in(member, "nick") or text_in(user, "global_name") or text_in(user, "username")


def _roles(member: Body) -> tuple[str, ...]:
    roles = member.get("roles")
    return tuple(one for one in roles if isinstance(one, str)) if isinstance(roles, list) else ()


def _command(interaction: Body) -> dict[str, Any] | None:
    data = part_of(interaction, "data")
    if data.get("type") == _OF_MESSAGE:
        return _menu(interaction)
    return _slash(interaction) if data.get("type", _SLASH) == _SLASH else None


def _slash(interaction: Body) -> dict[str, Any] | None:
    data = part_of(interaction, "data")
    name = text_in(data, "name")
    if name not in COMMANDS:
        return None
    attached = part_of(part_of(data, "resolved"), "attachments")
    options = parts_in(data, "options")[:MAX_FIELDS]
    files = [_text(one.get("value")) for one in options if one.get("type") == Kind.FILE]
    return {
        "did": Did.COMMAND,
        "command": name,
        "options": tuple((text_in(one, "name"), _text(one.get("value"))) for one in options),
        "files": _addresses(attached, files),
    }


def _menu(interaction: Body) -> dict[str, Any] | None:
    data = part_of(interaction, "data")
    name, target = text_in(data, "name"), text_in(data, "target_id")
    if name not in MENUS or not target:
        return None
    return {
        "did": Did.MENU,
        "command": name,
        "message": target,
        "files": tuple(pictures_in(_meant(interaction))),
    }


def _meant(interaction: Body) -> Body:
    """The message in whose menu a command was chosen."""
    data = part_of(interaction, "data")
    messages = part_of(part_of(data, "resolved"), "messages")
    return part_of(messages, text_in(data, "target_id"))


def _component(interaction: Body) -> dict[str, Any] | None:
    """Only messages of ours have buttons that come to us."""
    chosen = chosen_in(interaction)
    if chosen.startswith(SHOWN_PREFIX):
        return None
    action = UNKNOWN
    if chosen.startswith(ACTION_PREFIX):
        action = chosen.removeprefix(ACTION_PREFIX)
    elif chosen.startswith(ASK_PREFIX):
        action = chosen.removeprefix(ASK_PREFIX).partition(":")[2]
    message = text_in(part_of(interaction, "message"), "id")
    return {"did": Did.ACTION, "action": action or UNKNOWN, "message": message, "of_us": True}


def _submit(interaction: Body) -> dict[str, Any] | None:
    data = part_of(interaction, "data")
    custom_id = text_in(data, "custom_id")
    if not custom_id.startswith(FORM_PREFIX):
        return None
    fields = list(_fields(data))[:MAX_FIELDS]
    attached = part_of(part_of(data, "resolved"), "attachments")
    picked = [one for _, values in fields for one in values if one in attached]
    options = tuple((name, values[0] if values else "") for name, values in fields)
    message = text_in(part_of(interaction, "message"), "id")
    return {
        "did": Did.SUBMIT,
        "action": custom_id.removeprefix(FORM_PREFIX),
        "options": options,
        "said": options[0][1] if len(options) == 1 else "",
        "message": message,
        "of_us": bool(message),
        "files": _addresses(attached, picked),
    }


def _fields(form: Body) -> Iterator[tuple[str, list[str]]]:
    """(custom id, values) of what was filled in: inputs stand in rows, or below labels."""
    for row in parts_in(form, "components"):
        for field in [*parts_in(row, "components"), part_of(row, "component")]:
            if not text_in(field, "custom_id"):
                continue
            values = field.get("values")
            given = values if isinstance(values, list) else [field.get("value")]
            yield text_in(field, "custom_id"), [_text(one) for one in given if one is not None]


def _addresses(attached: Body, ids: list[str]) -> tuple[str, ...]:
    found = (text_in(part_of(attached, one), "url") for one in ids)
    return tuple(url for url in found if url)


def _text(value: object) -> str:
    """An option's value as people would type it; yes is `true`."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else ""
