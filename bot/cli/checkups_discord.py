"""The doctor's look at Discord: the token, the application, and each channel of the kits."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from bot.cli.findings import Line, missing, ok, problem
from bot.cli.kits import kit_files
from bot.settings import Settings, SettingsInvalid
from brand.errors import KitInvalid
from brand.kit_loader import load_kit

if TYPE_CHECKING:
    from bot.chat.discord_chat.options import DiscordOptions
    from bot.cli.discord_asking import Asking

NAME = "discord"
PRIVILEGED = (
    ((1 << 12) | (1 << 13), "Presence"),
    ((1 << 14) | (1 << 15), "Server Members"),
    ((1 << 18) | (1 << 19), "Message Content"),
)
"""Flags of an application for an intent, full and limited (docs.discord.com, application flags)."""
THREADS = (10, 11, 12)
"""Types of a channel that are threads."""
SILENT = {4: "a category", 14: "a directory", 15: "a forum", 16: "a media channel"}
"""Types of a channel in which no message can stand by itself (docs.discord.com, channel types)."""
FEW_SESSIONS = 50
UNKNOWN_CHANNEL, NO_ACCESS = 10003, 50001
PORTAL = "discord.com/developers/applications"


async def discord(settings: Settings) -> Iterable[Line]:
    """Its settings, its token, its application, and what it may do in the kits' channels."""
    from bot.chats import discord_options

    try:
        options = discord_options(settings)
    except SettingsInvalid as exc:
        return [problem(NAME, exc.message, exc.fix)]
    if options is None:
        says = "not connected: HOUSESTYLE_DISCORD_TOKEN is not set"
        return [missing(NAME, says, "docs/discord.md; it takes ten minutes.")]
    from bot.cli.discord_asking import Asking, DiscordSaysNo

    try:
        async with Asking(options) as asking:
            return await _all(asking, options, _channels_of(settings))
    except DiscordSaysNo as exc:
        return [problem(NAME, exc.message, exc.fix)]


async def _all(
    asking: "Asking", options: "DiscordOptions", channels: Mapping[str, str]
) -> list[Line]:
    """Raises DiscordSaysNo where the token itself is refused, or nobody answers."""
    app = await asking.about("/applications/@me")
    me, guilds, gateway = await asyncio.gather(
        asking.about("/users/@me"),
        asking.all_of("/users/@me/guilds"),
        asking.about("/gateway/bot"),
    )
    user = str(me.get("id", ""))
    found = await asyncio.gather(
        _commands(asking, str(app.get("id", ""))),
        *(_channel(asking, options, user, name, id_) for id_, name in channels.items()),
    )
    said = [line for lines in found for line in lines]
    lines = [
        *application_lines(app),
        *_servers(app, guilds, options),
        *gateway_lines(gateway, options),
    ]
    if not channels and guilds:
        says = "no brand kit names a channel of Discord, so pictures come by direct message alone"
        said.append(missing(NAME, says, "docs/discord.md, Channels."))
    return [*lines, *said]


def _channels_of(settings: Settings) -> dict[str, str]:
    """What the kits name, id to name. A kit that is not in order is told of elsewhere."""
    found: dict[str, str] = {}
    for path in kit_files(settings.brands_dir):
        try:
            kit = load_kit(path)
        except KitInvalid:
            continue
        found |= {one.channel_id: one.name for one in kit.channels if one.platform == NAME}
    return found


# ------------------------------------------------------------------------------ application


def application_lines(app: Mapping[str, Any]) -> list[Line]:
    """What is switched on at the developer portal that is not needed, or in the way."""
    flags = app.get("flags")
    on = [name for bits, name in PRIVILEGED if isinstance(flags, int) and flags & bits]
    lines = []
    if on:
        says = f"privileged intents are on that nothing here needs: {', '.join(on)}"
        lines.append(missing(NAME, says, f"Switch them off at {PORTAL}, under Bot."))
    if app.get("interactions_endpoint_url"):
        says = "an Interactions Endpoint URL is set, so Discord sends commands there, not here"
        fix = f"Empty that field at {PORTAL}, under General Information."
        lines.append(problem(NAME, says, fix))
    if app.get("bot_require_code_grant"):
        says = "“Requires OAuth2 Code Grant” is on, so nobody can invite the app"
        lines.append(problem(NAME, says, f"Switch it off at {PORTAL}, under Bot."))
    return lines


def _servers(
    app: Mapping[str, Any], guilds: list[dict[str, Any]], options: "DiscordOptions"
) -> list[Line]:
    name, inside = str(app.get("name", "the app")), {str(one.get("id")) for one in guilds}
    if not guilds:
        says = f"the token is {name}'s, and it is in no server yet"
        return [missing(NAME, says, "`housestyle discord invite` prints the address to open.")]
    names = ", ".join(str(one.get("name", "")) for one in guilds)
    lines = [ok(NAME, f"connected as {name}, in {names}")]
    absent = [guild for guild in options.guilds if guild not in inside]
    if absent:
        says = f"discord.guilds names servers that it is not in: {', '.join(absent)}"
        fix = f"Open the address of `housestyle discord invite --guild {absent[0]}`."
        lines.append(problem(NAME, says, fix))
    return lines


def gateway_lines(gateway: Mapping[str, Any], options: "DiscordOptions") -> list[Line]:
    """How many connections Discord lets us begin, and how many it wants."""
    limit = gateway.get("session_start_limit")
    left = limit.get("remaining") if isinstance(limit, dict) else None
    wanted = gateway.get("shards")
    lines = []
    if isinstance(left, int) and left < FEW_SESSIONS:
        says = f"only {left} connections may be begun until Discord counts anew"
        fix = "Something connects again and again: look at the log, and stop other copies."
        lines.append(problem(NAME, says, fix))
    if isinstance(wanted, int) and wanted > options.shards:
        says = f"for so many servers Discord wants {wanted} connections, not {options.shards}"
        lines.append(problem(NAME, says, f"Set discord.shards = {wanted}."))
    return lines


async def _commands(asking: "Asking", app: str) -> list[Line]:
    from bot.chat.discord_chat.commands import digest, payloads

    if digest(await asking.all_of(f"/applications/{app}/commands")) == digest(payloads()):
        return []
    says = "Discord does not have the commands of this version yet"
    return [missing(NAME, says, "`serve` tells it; `housestyle discord commands --sync` does now.")]


# --------------------------------------------------------------------------------- channels


async def _channel(
    asking: "Asking", options: "DiscordOptions", user: str, name: str, id_: str
) -> list[Line]:
    """What the app may do in one channel of a kit."""
    from bot.cli.discord_asking import DiscordSaysNo

    if not (id_.isascii() and id_.isdigit()):
        fix = (
            "In Discord: Settings, Advanced, Developer Mode; then right-click it, Copy Channel ID."
        )
        return [problem(NAME, f"the kit's channel {name} has no Discord id, but “{id_}”", fix)]
    try:
        channel = await asking.about(f"/channels/{id_}")
        return await _rights(asking, options, user, name, channel)
    except DiscordSaysNo as exc:
        return [_unseen(exc.error, exc.message, exc.fix, name)]


async def _rights(
    asking: "Asking",
    options: "DiscordOptions",
    user: str,
    name: str,
    channel: Mapping[str, Any],
) -> list[Line]:
    """Raises DiscordSaysNo."""
    from bot.chat.discord_chat.permissions import lacking, permissions_in

    guild_id = str(channel.get("guild_id", ""))
    if not guild_id:
        fix = "Name a channel of a server in the kit."
        return [problem(NAME, f"{name} is a direct conversation, no channel", fix)]
    if options.guilds and guild_id not in options.guilds:
        says = f"{name} is in the server {guild_id}, which discord.guilds leaves out"
        return [problem(NAME, says, "Add it to discord.guilds, or name another channel.")]
    if channel.get("type") in SILENT:
        says = f"{name} is {SILENT[channel['type']]}, where no message can be put"
        return [problem(NAME, says, "Name a text channel in the kit.")]
    above, lines = channel, []
    if channel.get("type") in THREADS:
        parent = channel.get("parent_id")
        says = f"{name} is a thread: what is asked for in it counts as asked in its channel"
        fix = f"Name that channel in the kit instead: {parent}. Its threads count as it."
        lines.append(missing(NAME, says, fix))
        above = await asking.about(f"/channels/{parent}")
    guild = await asking.about(f"/guilds/{guild_id}")
    member = await asking.about(f"/guilds/{guild_id}/members/{user}")
    held = [str(role) for role in member.get("roles", ())]
    missed = lacking(permissions_in(dict(guild), dict(above), user, held))
    if missed:
        says = f"in {name} ({guild.get('name', guild_id)}) the app lacks {', '.join(missed)}"
        fix = "In the channel's settings, Permissions: add the app, and allow them."
        return [*lines, problem(NAME, says, fix)]
    says = f"may do all it needs in {name} ({guild.get('name', guild_id)})"
    return [*lines, ok(NAME, says)]


def _unseen(code: int, message: str, fix: str, name: str) -> Line:
    if code == UNKNOWN_CHANNEL:
        return problem(NAME, f"{name} is not in Discord any more", "Correct its id in the kit.")
    if code == NO_ACCESS:
        says = f"the app can't see {name}"
        how = "Invite it to that server (`housestyle discord invite`)"
        return problem(NAME, says, f"{how}, or allow it View Channels in the channel's settings.")
    return problem(NAME, f"{name}: {message}", fix)
