"""Settings of the chats as the options that their adapters take, checked at the start.

The adapters' libraries take long to import, so they are imported where a chat is configured.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.types import ASGIApp

from bot.chat.discord_chat import options as discord_addresses
from bot.chat.discord_chat.options import DiscordOptions
from bot.chat.slack_chat.options import API_BASE_URL, AUTHORIZE_URL, Mode, SlackOptions
from bot.core.actions import REACTIONS
from bot.core.house import House
from bot.settings import LOOPBACK, DiscordSettings, Settings, SettingsInvalid, SlackSettings

if TYPE_CHECKING:
    from bot.chat.discord_chat.wiring import DiscordParts
    from bot.chat.slack_chat.wiring import SlackParts

SLACK = "slack"
DISCORD = "discord"
MODE_NEEDS = {
    Mode.HTTP: ("signing_secret", "which proves that a request comes from Slack"),
    Mode.SOCKET: ("app_token", "by which sockets are opened"),
}


def slack_options(settings: Settings) -> SlackOptions | None:
    """What the Slack adapter is told; None where Slack is not set up. Raises SettingsInvalid for
    half a configuration: better at the start than at the first command."""
    given = settings.slack
    if not _begun(given):
        return None
    mode = Mode(given.mode or ("socket" if given.app_token else "http"))
    _one_way_in(given)
    part, why = MODE_NEEDS[mode]
    if not getattr(given, part):
        other = "http" if mode is Mode.SOCKET else "socket"
        raise SettingsInvalid(
            f"Slack is set up by half: slack.{part} is missing, {why}.",
            fix=f"Set {_variable(part)}, or set slack.mode to {other} and what that needs.",
        )
    _apart(SLACK, given.approve_emoji, given.reject_emoji, str)
    _secure("slack.api_base_url", given.api_base_url)
    _secure("slack.authorize_url", given.authorize_url)
    return SlackOptions(
        mode=mode,
        base_url=settings.base_url,
        api_base_url=f"{given.api_base_url}/" if given.api_base_url else API_BASE_URL,
        authorize_url=given.authorize_url or AUTHORIZE_URL,
        bot_token=given.bot_token,
        app_token=given.app_token,
        signing_secret=given.signing_secret,
        client_id=given.client_id,
        client_secret=given.client_secret,
        token_keys=given.token_key,
        sockets=given.sockets,
        senders=given.senders,
        allowed_teams=given.allowed_teams,
        approve_emoji=given.approve_emoji,
        reject_emoji=given.reject_emoji,
    )


@asynccontextmanager
async def slack_parts(settings: Settings, house: House) -> AsyncIterator["SlackParts | None"]:
    """What speaks to Slack, or None where it is not set up. Raises SettingsInvalid."""
    options = slack_options(settings)
    if options is None:
        yield None
        return
    from bot.chat.slack_chat.wiring import open_slack

    async with open_slack(
        options, store=house.store, blobs=house.blobs, clock=house.clock, watch=house.watch
    ) as parts:
        yield parts


@asynccontextmanager
async def heard_in_slack(
    parts: "SlackParts | None", house: House, portal: ASGIApp, stop: asyncio.Event
) -> AsyncIterator[ASGIApp]:
    """The portal with what Slack calls in front of it, while what people do in Slack is taken in;
    the portal alone without `parts`."""
    if parts is None or house.door is None:
        yield portal
        return
    from bot.chat.slack_chat.incoming.http import SlackDoor
    from bot.chat.slack_chat.wiring import listening

    async with listening(parts, house, house.door, stop=stop) as slack:
        yield portal if slack is None else SlackDoor(portal, slack=slack)


def discord_options(settings: Settings) -> DiscordOptions | None:
    """What the Discord adapter is told; None where it is not set up. Raises SettingsInvalid."""
    given = settings.discord
    if not given.token:
        if given.guilds or given.api_base_url or given.gateway_url:
            raise SettingsInvalid(
                "Discord is set up by half: discord.token is missing, the bot's token.",
                fix="Set HOUSESTYLE_DISCORD_TOKEN; docs/discord.md says where it is from.",
            )
        return None
    from bot.chat.discord_chat.understanding.emoji import bare

    _apart(DISCORD, given.approve_emoji, given.reject_emoji, bare)
    _secure("discord.api_base_url", given.api_base_url)
    _secure("discord.gateway_url", given.gateway_url)
    _both_or_none(given)
    return DiscordOptions(
        token=given.token,
        base_url=settings.base_url,
        api_base_url=given.api_base_url or discord_addresses.API_BASE_URL,
        gateway_url=f"{given.gateway_url}/" if given.gateway_url else discord_addresses.GATEWAY_URL,
        shards=given.shards,
        senders=given.senders,
        guilds=given.guilds,
        approve_emoji=given.approve_emoji,
        reject_emoji=given.reject_emoji,
    )


@asynccontextmanager
async def discord_parts(settings: Settings, house: House) -> AsyncIterator["DiscordParts | None"]:
    """What speaks to Discord, or None where it is not set up. Raises SettingsInvalid."""
    options = discord_options(settings)
    if options is None:
        yield None
        return
    from bot.chat.discord_chat.wiring import open_discord

    async with open_discord(
        options, store=house.store, blobs=house.blobs, clock=house.clock, watch=house.watch
    ) as parts:
        yield parts


@asynccontextmanager
async def heard_in_discord(
    parts: "DiscordParts | None", house: House, stop: asyncio.Event
) -> AsyncIterator[None]:
    """What people do in Discord is taken in, if there are `parts`."""
    if parts is None or house.door is None:
        yield
        return
    from bot.chat.discord_chat.wiring import listening

    async with listening(parts, house, house.door, stop=stop):
        yield


def _both_or_none(given: DiscordSettings) -> None:
    """A token for one server must not go to another."""
    if bool(given.api_base_url) != bool(given.gateway_url):
        lacking = "gateway_url" if given.api_base_url else "api_base_url"
        raise SettingsInvalid(
            f"discord.{lacking} is missing: another server than Discord's own has both addresses.",
            fix=f"Set HOUSESTYLE_DISCORD_{lacking.upper()}, or take the other one out.",
        )


def _begun(given: SlackSettings) -> bool:
    """Whether anything is set that only makes sense with Slack."""
    secrets = (given.bot_token, given.app_token, given.signing_secret, given.client_secret)
    return any((*secrets, given.client_id, given.token_key, given.mode))


def _one_way_in(given: SlackSettings) -> None:
    """One workspace by its token, or many by OAuth, and that whole."""
    if not (given.client_id or given.client_secret or given.token_key):
        if not given.bot_token:
            raise SettingsInvalid(
                "Slack is set up by half: there is neither a bot token nor a client id.",
                fix=f"Set {_variable('bot_token')} for one workspace, or slack.client_id, "
                "slack.client_secret and slack.token_key for several.",
            )
        return
    if given.bot_token:
        raise SettingsInvalid(
            "slack.bot_token is for one workspace, slack.client_id for several; both are set.",
            fix="Take one of them out.",
        )
    parts = ("client_id", "client_secret", "token_key")
    lacking = [f"slack.{part}" for part in parts if not getattr(given, part)]
    if lacking:
        how = " `housestyle slack key` prints a key." if "slack.token_key" in lacking else ""
        raise SettingsInvalid(
            f"Slack is set up by half: {' and '.join(lacking)} is missing, for workspaces that "
            "install the app.",
            fix=f"Set it, or take the other two out.{how}",
        )


def _apart(
    chat: str, approve: tuple[str, ...], reject: tuple[str, ...], plain: Callable[[str], str]
) -> None:
    """Those that always count can't be given the other meaning. `plain` is what two ways to write
    the same emoji have in common."""
    approving, rejecting = {plain(one) for one in approve}, {plain(one) for one in reject}
    both = sorted(approving & rejecting)
    if both:
        raise SettingsInvalid(
            f"The emoji {', '.join(both)} can't both approve and reject.",
            fix=f"Take it out of {chat}.approve_emoji or of {chat}.reject_emoji.",
        )
    for name, chosen, does in (("approve", approving, "reject"), ("reject", rejecting, "approve")):
        fixed = sorted(chosen & {plain(one) for one, what in REACTIONS.items() if what == does})
        if fixed:
            raise SettingsInvalid(
                f"The emoji {', '.join(fixed)} always {does}s, so it can't {name}.",
                fix=f"Take it out of {chat}.{name}_emoji.",
            )


def _secure(name: str, address: str) -> None:
    """Tokens are sent there."""
    parts = urlsplit(address)
    if address and parts.scheme not in ("https", "wss") and parts.hostname not in LOOPBACK:
        secure = "wss" if parts.scheme == "ws" else "https"
        raise SettingsInvalid(
            f"{name} needs an address that starts with {secure}://, not {address}.",
            fix=f"Only a server on this very machine may be spoken to by {parts.scheme}.",
        )


def _variable(part: str) -> str:
    return f"HOUSESTYLE_SLACK_{part.upper()}"
