"""Settings of the chats as the options that their adapters take, checked at the start.

The adapters' libraries take long to import, so they are imported where a chat is configured.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.types import ASGIApp

from bot.chat.slack_chat.options import API_BASE_URL, AUTHORIZE_URL, Mode, SlackOptions
from bot.core.house import House
from bot.settings import LOOPBACK, Settings, SettingsInvalid, SlackSettings

if TYPE_CHECKING:
    from bot.chat.slack_chat.wiring import SlackParts

SLACK = "slack"
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
    _apart(given.approve_emoji, given.reject_emoji)
    _secure("api_base_url", given.api_base_url)
    _secure("authorize_url", given.authorize_url)
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


def _apart(approve: tuple[str, ...], reject: tuple[str, ...]) -> None:
    both = sorted(set(approve) & set(reject))
    if both:
        raise SettingsInvalid(
            f"The emoji {', '.join(both)} can't both approve and reject.",
            fix="Take it out of slack.approve_emoji or of slack.reject_emoji.",
        )


def _secure(name: str, address: str) -> None:
    """Tokens are sent there."""
    parts = urlsplit(address)
    if address and parts.scheme != "https" and parts.hostname not in LOOPBACK:
        raise SettingsInvalid(
            f"slack.{name} needs an address that starts with https://, not {address}.",
            fix="Only a server on this very machine may be spoken to by http.",
        )


def _variable(part: str) -> str:
    return f"HOUSESTYLE_SLACK_{part.upper()}"
