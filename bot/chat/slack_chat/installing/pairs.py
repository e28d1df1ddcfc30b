"""The tokens of one installation, sealed into its row and read out of Slack's answers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from bot.chat.slack_chat.installing.vault import Unsealable, Vault
from bot.chat.slack_chat.methods import Method
from bot.core.errors import ChatRejected
from bot.core.ports import Install

BOT = "bot"
"""The only type of token that is asked for."""


class Calls(Protocol):
    """Calls a method of the Web API, once."""

    async def call(self, method: Method, token: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Slack's answer. Raises SlackRefused, ChatUnavailable."""
        ...


@dataclass(frozen=True, kw_only=True)
class Pair:
    """An access token and what renews it."""

    token: str = field(repr=False)
    refresh: str = field(default="", repr=False)
    """Good for one renewal; empty where the token needs none, or can't be renewed any more."""
    why: str = ""
    """Slack's word for why it can't be renewed any more."""


class Unreadable(ChatRejected):
    """Slack's answer holds no bot token: check that the app asks for bot scopes, and that
    `slack.api_base_url` is Slack's."""

    title = "No token came"


def opened(vault: Vault, install: Install) -> Pair:
    """The tokens of a row. Raises Unsealable; ChatRejected where they were taken away."""
    if not install.sealed:
        raise ChatRejected(
            f"The app is not in {install.name or install.key} any more.",
            fix="Install it there again.",
        )
    held = vault.open(install.sealed, about=_about(install))
    try:
        return Pair(**json.loads(held))
    except (TypeError, ValueError) as exc:
        message = f"The stored token of {install.key} is of another version of the program."
        raise Unsealable(message, fix="Install the app again.") from exc


def sealed(vault: Vault, install: Install, pair: Pair) -> str:
    """The tokens as they stand in this very row."""
    held = {"token": pair.token, "refresh": pair.refresh, "why": pair.why}
    return vault.seal(json.dumps(held), about=_about(install))


def read_tokens(answer: Mapping[str, Any], now: datetime) -> tuple[Pair, datetime | None]:
    """The tokens of an answer of `oauth.v2.access`, and when the access token ends. Raises
    Unreadable."""
    token, refresh = answer.get("access_token"), answer.get("refresh_token") or ""
    seconds = answer.get("expires_in")
    if answer.get("token_type", BOT) != BOT:
        raise Unreadable("Slack sent another kind of token than a bot's.")
    if not isinstance(token, str) or not token or not isinstance(refresh, str):
        raise Unreadable("Slack sent no bot token.")
    ends = now + timedelta(seconds=seconds) if isinstance(seconds, int) and seconds > 0 else None
    return Pair(token=token, refresh=refresh), ends


def _about(install: Install) -> str:
    return f"{install.platform}/{install.enterprise}/{install.team}"
