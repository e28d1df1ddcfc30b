"""commands: what Discord is told to offer people, and telling it only when that has changed.

Discord takes 200 new commands a day and server, and every change makes clients load the set
anew. So the set that was told last is remembered by its digest, and one look at what Discord has
precedes the first telling: a house that is set up again tells nothing either.

Everyone may see the commands: who may do what is asked when they are used, since a person's rights
are the house's own. They work in servers and in the conversation with the app, not in other
people's conversations.

Source: docs.discord.com, interactions/application-commands.
"""

import hashlib
import json
import logging
from collections.abc import Iterable, Mapping
from typing import Any

from bot.chat.discord_chat.options import DiscordOptions
from bot.chat.discord_chat.places import PLATFORM
from bot.chat.discord_chat.rest import Rest
from bot.chat.discord_chat.surfaces import COMMANDS, MENUS, Kind, Option, SlashCommand
from bot.core.errors import ChatError, ChatUnavailable, Unavailable
from bot.core.ports import Clock, SentFile, Store

log = logging.getLogger(__name__)

SLASH, OF_MESSAGE = 1, 3
"""Types of a command."""
IN_GUILDS, WITH_APP = 0, 1
"""Contexts: servers, and the conversation of two with the app."""
GUILD_INSTALL = 0
KEY = "commands"
"""Names the digest of the set among what stands in Discord already."""
AGAIN_S = 10.0
"""Before Discord is told again where it was away, or the house's records were."""


def payloads() -> list[dict[str, Any]]:
    """All commands as Discord takes them."""
    slash = [_slash(name, command) for name, command in COMMANDS.items()]
    return [*slash, *(_everywhere(name, OF_MESSAGE, "") for name in MENUS)]


def digest(commands: Iterable[Mapping[str, Any]]) -> str:
    """A hash of what people see of these commands: the same for what we tell and for what Discord
    has, which adds ids, versions and its own defaults."""
    seen = sorted((_seen(one) for one in commands), key=lambda one: (one["type"], one["name"]))
    return hashlib.sha256(json.dumps(seen, sort_keys=True).encode()).hexdigest()


async def until_told(
    rest: Rest, store: Store, clock: Clock, options: DiscordOptions
) -> ChatError | None:
    """`sync`, again and again while Discord or the house's records are away; what Discord refuses
    is left to a person: it is returned."""
    while True:
        try:
            await sync(rest, store, clock, options)
        except (ChatUnavailable, Unavailable) as exc:
            log.warning("Discord is not told the commands yet: %s", exc.message)
            again_s = exc.retry_after_s if isinstance(exc, ChatUnavailable) else 0.0
            await clock.sleep(max(again_s, AGAIN_S))
        except ChatError as exc:
            log.warning("Discord's commands can't be set: %s %s", exc.message, exc.fix)
            return exc
        else:
            return None


async def sync(rest: Rest, store: Store, clock: Clock, options: DiscordOptions) -> bool:
    """Tell Discord the commands if it was not told these; whether it was. Raises ChatError and
    Unavailable."""
    ours = payloads()
    told = digest(ours)
    app = (await rest.myself()).app
    # Another server than the one that was told knows nothing of it.
    team = f"{options.api_base_url}#{app}"
    async with store.read() as tx:
        last = await tx.sent_files.get(PLATFORM, team, KEY)
    if last is not None and last.file == told:
        return False
    has_them = digest(await rest.commands()) == told
    if not has_them:
        await rest.register(ours)
    async with store.write() as tx:
        await tx.sent_files.put(
            SentFile(platform=PLATFORM, team=team, key=KEY, file=told, ready=True, at=clock.now())
        )
    return not has_them


def _slash(name: str, command: SlashCommand) -> dict[str, Any]:
    return _everywhere(name, SLASH, command.about) | {
        "options": [_option(one) for one in command.options]
    }


def _everywhere(name: str, kind: int, about: str) -> dict[str, Any]:
    told: dict[str, Any] = {
        "type": kind,
        "name": name,
        "contexts": [IN_GUILDS, WITH_APP],
        "integration_types": [GUILD_INSTALL],
        "default_member_permissions": None,
    }
    return told | ({"description": about} if about else {})


def _option(option: Option) -> dict[str, Any]:
    told: dict[str, Any] = {
        "type": int(option.kind),
        "name": option.name,
        "description": option.about,
        "required": option.required,
    }
    if option.suggests:
        told["autocomplete"] = True
    if option.kind is Kind.TEXT and option.longest is not None:
        told["max_length"] = option.longest
    if option.kind is Kind.WHOLE:
        limits = {"min_value": option.low, "max_value": option.high}
        told |= {name: value for name, value in limits.items() if value is not None}
    return told


def _seen(command: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": command.get("type") or SLASH,
        "name": command["name"],
        "description": command.get("description") or "",
        "contexts": sorted(command.get("contexts") or ()),
        "integration_types": sorted(command.get("integration_types") or ()),
        "default_member_permissions": command.get("default_member_permissions"),
        "options": [_seen_option(one) for one in command.get("options") or ()],
    }


def _seen_option(option: Mapping[str, Any]) -> dict[str, Any]:
    """What is left out means no."""
    names = ("type", "name", "description", "max_length", "min_value", "max_value")
    seen = {name: option[name] for name in names if option.get(name) is not None}
    flags = {name: True for name in ("required", "autocomplete") if option.get(name)}
    return seen | flags
