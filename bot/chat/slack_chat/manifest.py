"""The app's manifest: what an administrator pastes at api.slack.com/apps, made from the tables that
the handlers are made from. Fields: docs.slack.dev/reference/app-manifest.
"""

from typing import Any
from urllib.parse import urlsplit

from bot.chat.slack_chat.methods import scopes_needed
from bot.chat.slack_chat.options import Mode
from bot.chat.slack_chat.surfaces import COMMANDS, EVENTS, SHORTCUTS, event_scopes
from bot.core.errors import Mistake

NAME = "Housestyle"
EVENTS_PATH = "/slack/events"
REDIRECT_PATH = "/slack/oauth_redirect"
MAX_NAME = 35
_GAPS = frozenset(" \t\r\n")
_ABOUT = "On-brand pictures from chat"
_LONG = (
    "Type /imagine and what you want to see: the words pass through your brand's templates and "
    "rules, your own machine makes the pictures, an approver decides, and what is approved is "
    "posted. Every picture keeps the record of how it came about."
)


def scopes_wanted() -> tuple[str, ...]:
    """All bot scopes, in order: those of the methods called and of the events heard."""
    return tuple(sorted(scopes_needed() | event_scopes()))


def manifest(
    url: str, *, mode: Mode = Mode.HTTP, distributed: bool = False, name: str = NAME
) -> dict[str, Any]:
    """The manifest as plain JSON. `url` is the house's address, which Slack needs in HTTP mode and
    where several workspaces install the app (`distributed`). Raises Mistake."""
    reached = mode is Mode.HTTP or distributed
    base = checked_address(url) if reached else ""
    events = f"{base}{EVENTS_PATH}" if mode is Mode.HTTP else ""
    return {
        "_metadata": {"major_version": 2},
        "display_information": {
            "name": _named(name),
            "description": _ABOUT,
            "long_description": _LONG,
            "background_color": "#0f4c5c",
        },
        "features": _features(name, events),
        "oauth_config": {
            **({"redirect_urls": [f"{base}{REDIRECT_PATH}"]} if distributed else {}),
            "scopes": {"bot": list(scopes_wanted())},
        },
        "settings": _settings(events, distributed=distributed),
    }


def _features(name: str, events: str) -> dict[str, Any]:
    return {
        "app_home": {
            "home_tab_enabled": True,
            "messages_tab_enabled": True,
            "messages_tab_read_only_enabled": False,
        },
        "bot_user": {"display_name": name.strip(), "always_online": True},
        "shortcuts": [
            {
                "name": shortcut.name,
                "type": shortcut.kind,
                "callback_id": callback,
                "description": shortcut.description,
            }
            for callback, shortcut in SHORTCUTS.items()
        ],
        "slash_commands": [
            {
                "command": command,
                **_only(url=events),
                "description": about.description,
                "usage_hint": about.usage_hint,
                # Escaped, a private channel's name would be gone from what was typed.
                "should_escape": False,
            }
            for command, about in COMMANDS.items()
        ],
    }


def _settings(events: str, *, distributed: bool) -> dict[str, Any]:
    return {
        "event_subscriptions": {**_only(request_url=events), "bot_events": list(EVENTS)},
        "interactivity": {
            "is_enabled": True,
            **_only(request_url=events, message_menu_options_url=events),
        },
        "org_deploy_enabled": distributed,
        "socket_mode_enabled": not events,
        # A token that is set by hand can't be renewed, and rotation can't be switched off again.
        "token_rotation_enabled": distributed,
    }


def _only(**texts: str) -> dict[str, str]:
    return {name: text for name, text in texts.items() if text}


def _named(name: str) -> str:
    shown = name.strip()
    if not 0 < len(shown) <= MAX_NAME or not shown.isprintable():
        raise Mistake(
            f"Slack takes names of 1 to {MAX_NAME} characters, not {len(shown)}.",
            fix="Choose a shorter one with --name.",
            field="name",
        )
    return shown


def checked_address(url: str) -> str:
    """An address that Slack can deliver to, without a slash at its end. Raises Mistake."""
    if not _is_plain(url.strip()):
        raise Mistake(
            f"Slack reaches an app at an https:// address only, not at `{url}`.",
            fix="Name the address that people outside reach with --url, for instance "
            "https://pictures.example.com; or take --mode socket, which needs none.",
            field="url",
        )
    return url.strip().rstrip("/")


def _is_plain(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    odd = parts.query or parts.fragment or parts.username or port == 0
    return parts.scheme == "https" and bool(parts.hostname) and not odd and not set(url) & _GAPS
