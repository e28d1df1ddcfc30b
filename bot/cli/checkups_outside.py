"""Checks of what lies around the product: fonts of this machine, tokens of the chats."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

from bot.cli.findings import Line, missing, ok, problem
from bot.settings import Settings

SLACK_SCOPES = (
    "app_mentions:read", "channels:history", "chat:write", "commands", "files:write", "im:write",
    "reactions:read", "users:read",
)  # fmt: skip
_FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "/Library/Fonts", "~/.fonts",
                 "~/.local/share/fonts")  # fmt: skip


async def fonts(_settings: Settings) -> Iterable[Line]:
    """Only for a browser on this machine; the portal brings its own icons."""
    if await asyncio.to_thread(_has_fonts):
        return [ok("fonts", "found")]
    return [
        missing(
            "fonts",
            "none here; a browser on this machine shows boxes instead of letters",
            "sudo apt install fonts-dejavu-core fonts-noto-color-emoji",
        )
    ]


def _has_fonts() -> bool:
    folders = (Path(name).expanduser() for name in _FONT_FOLDERS)
    return any(next(folder.rglob("*.[ot]tf"), None) for folder in folders if folder.is_dir())


async def slack(settings: Settings) -> Iterable[Line]:
    """Its tokens."""
    given = settings.slack
    wanted = {
        "HOUSESTYLE_SLACK_BOT_TOKEN": given.bot_token,
        "HOUSESTYLE_SLACK_APP_TOKEN or HOUSESTYLE_SLACK_SIGNING_SECRET": (
            given.app_token or given.signing_secret
        ),
    }
    lacking = [name for name, value in wanted.items() if not value]
    if lacking:
        scopes = ", ".join(SLACK_SCOPES)
        return [
            missing(
                "slack",
                f"not connected: {' and '.join(lacking)} not set",
                f"Make an app with the scopes {scopes}, and set what is missing.",
            )
        ]
    wrong = given.bot_token[:5] != "xoxb-" or given.app_token[:5] not in ("", "xapp-")
    if wrong:
        return [
            problem(
                "slack",
                "a token has the wrong beginning",
                "The bot token starts with xoxb-, the app token with xapp-.",
            )
        ]
    return [
        missing("slack", "tokens are set; this version does not connect yet", "docs/roadmap.md")
    ]


async def discord(settings: Settings) -> Iterable[Line]:
    """Its token."""
    if settings.discord.token:
        says = "a token is set; this version does not connect yet"
        return [missing("discord", says, "docs/roadmap.md")]
    return [
        missing(
            "discord",
            "not connected: HOUSESTYLE_DISCORD_TOKEN not set",
            "Make an application with a bot at Discord, and set its token.",
        )
    ]
