"""The doctor's look at Slack: whether the settings are whole, and what Slack says to the tokens."""

import asyncio
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.cli.findings import Line, missing, ok, problem
from bot.core.errors import HousestyleError, Mistake
from bot.settings import Settings, SettingsInvalid

if TYPE_CHECKING:
    import httpx

    from bot.chat.slack_chat.installing.vault import Vault
    from bot.chat.slack_chat.options import SlackOptions
    from bot.core.ports import Install

NAME = "slack"
ANSWER_S = 10.0
KINDS = {
    "xoxb-": "a bot token",
    "xoxp-": "a user token",
    "xapp-": "an app-level token",
    "xoxe.xoxb-": "a bot token that ends after 12 hours",
    "xoxe.xoxp-": "a user token that ends after 12 hours",
    "xoxe-": "a refresh token or a token of the app's configuration",
    "xoxc-": "a token of a browser",
}
"""What a token is by its beginning (docs.slack.dev/authentication/tokens)."""
_SCOPES = (
    "Paste the manifest of `housestyle slack manifest` into the app's settings, then install the "
    "app again."
)
WRONG: Mapping[str, tuple[str, str]] = {
    "invalid_auth": ("Slack does not know this token", "Copy it again from the app's settings."),
    "account_inactive": ("the app was removed from the workspace", "Install it there again."),
    "token_revoked": ("the token was taken away", "Install the app again, and set its new token."),
    "token_expired": ("the token has ended", "Install the app again, and set its new token."),
    "not_allowed_token_type": ("it is another kind of token", "See docs/slack.md for which."),
    "missing_scope": ("the app-level token lacks connections:write", "Make one that has it."),
}


async def slack(settings: Settings) -> Iterable[Line]:
    """Its settings, its tokens and their scopes."""
    from bot.chats import slack_options

    if not settings.slack.bot_token and not settings.slack.client_id:
        says = "not connected: neither HOUSESTYLE_SLACK_BOT_TOKEN nor slack.client_id is set"
        fix = "docs/slack.md; `housestyle slack manifest` prints the app to make."
        return [missing(NAME, says, fix)]
    try:
        options = slack_options(settings)
    except SettingsInvalid as exc:
        return [problem(NAME, exc.message, exc.fix)]
    if options is None:
        return []
    lines = _kinds(options) or await _tokens(settings, options)
    return [*_reached(options), *lines]


def _kinds(options: "SlackOptions") -> list[Line]:
    """Tokens that are not what they are set as."""
    found = []
    wanted = (
        ("slack.bot_token", options.bot_token, "xoxb-"),
        ("slack.app_token", options.app_token, "xapp-"),
    )
    for name, token, begins in wanted:
        if token and not token.startswith(begins):
            kind = next((k for b, k in KINDS.items() if token.startswith(b)), "no token of Slack's")
            fix = f"It begins with {begins}."
            if token.startswith("xoxe.xoxb-"):
                fix = "Use an app without token rotation, or let workspaces install it (OAuth)."
            found.append(problem(NAME, f"{name} is {kind}", fix))
    return found


def _reached(options: "SlackOptions") -> list[Line]:
    """Whether Slack could deliver."""
    from bot.chat.slack_chat.manifest import checked_address
    from bot.chat.slack_chat.options import API_BASE_URL, Mode

    if options.mode is Mode.SOCKET and not options.distributed:
        return []
    if options.api_base_url != API_BASE_URL:  # another server may reach what Slack can't
        return []
    try:
        checked_address(options.base_url)
    except Mistake as exc:
        fix = "Set base_url to the https:// address that people outside reach"
        return [problem(NAME, exc.message, f"{fix}, or take slack.mode = socket.")]
    return []


async def _tokens(settings: Settings, options: "SlackOptions") -> list[Line]:
    import httpx

    async with httpx.AsyncClient(timeout=ANSWER_S, trust_env=False) as client:
        asked = []
        if options.bot_token:
            asked.append(_bot(client, options, options.bot_token))
        if options.app_token:
            asked.append(_app(client, options))
        if options.distributed:
            asked.append(_workspaces(client, options, settings))
        found = await asyncio.gather(*asked)
    return [line for lines in found for line in lines]


async def _bot(
    client: "httpx.AsyncClient", options: "SlackOptions", token: str, *, again: str = ""
) -> list[Line]:
    """What the token of a workspace may do there. `again` is how it is installed anew where
    workspaces do that."""
    from bot.chat.slack_chat.manifest import scopes_wanted

    answer, headers = await _asked(client, options, "auth.test", token)
    if not answer.get("ok"):
        return [_refused(answer, "its token" if again else "slack.bot_token", again=again)]
    given = {scope.strip() for scope in headers.get("x-oauth-scopes", "").split(",")}
    lacking = [scope for scope in scopes_wanted() if scope not in given]
    where = str(answer.get("team") or answer.get("team_id") or "a workspace")
    if lacking:
        return [problem(NAME, f"in {where} the app lacks {', '.join(lacking)}", _SCOPES)]
    return [ok(NAME, f"connected to {where} as {answer.get('user')}, by {options.mode.value}")]


async def _app(client: "httpx.AsyncClient", options: "SlackOptions") -> list[Line]:
    """Whether sockets open. The ticket that comes is not used."""
    answer, _ = await _asked(client, options, "apps.connections.open", options.app_token)
    if answer.get("ok") or answer.get("error") == "ratelimited":
        return []
    return [_refused(answer, "slack.app_token")]


async def _workspaces(
    client: "httpx.AsyncClient", options: "SlackOptions", settings: Settings
) -> list[Line]:
    """The workspaces that installed it."""
    from bot.chat.slack_chat.installing.vault import Vault

    try:
        vault = Vault(options.token_keys)
        installs = await _installed(settings)
    except HousestyleError as exc:
        return [problem(NAME, exc.message, exc.fix)]
    if not installs:
        where = f"Open {options.base_url}/slack/install"
        return [missing(NAME, "ready, but no workspace has installed the app yet", where)]
    found = await asyncio.gather(*(_workspace(client, options, vault, one) for one in installs))
    return [line for lines in found for line in lines]


async def _workspace(
    client: "httpx.AsyncClient", options: "SlackOptions", vault: "Vault", install: "Install"
) -> list[Line]:
    from bot.chat.slack_chat.installing.pairs import opened
    from bot.clock import SystemClock

    again = f"Install the app there again: {options.base_url}/slack/install"
    try:
        pair = opened(vault, install)
    except HousestyleError as exc:
        return [problem(NAME, exc.message, exc.fix)]
    name = install.name or install.key
    if pair.why:
        return [problem(NAME, f"the token for {name} can't be renewed ({pair.why})", again)]
    if pair.refresh and install.expires_at and install.expires_at <= SystemClock().now():
        return [ok(NAME, f"in {name} the token has ended, and is renewed at the next call")]
    return await _bot(client, options, pair.token, again=again)


async def _installed(settings: Settings) -> "list[Install]":
    from bot.chat.slack_chat.places import PLATFORM
    from storage.database import open_store

    kind, _, path = settings.database_url.partition(":///")
    if kind == "sqlite" and not await asyncio.to_thread(Path(path).exists):
        return []
    store = await open_store(settings.database_url)
    try:
        async with store.read() as tx:
            return list(await tx.installs.all(PLATFORM))
    finally:
        await store.close()


async def _asked(
    client: "httpx.AsyncClient", options: "SlackOptions", method: str, token: str
) -> tuple[Mapping[str, Any], Mapping[str, str]]:
    """Slack's answer and its headers; an `error` of our own where none came."""
    import httpx

    try:
        response = await client.post(
            f"{options.api_base_url}{method}", headers={"Authorization": f"Bearer {token}"}
        )
        answer = response.json()
    except (httpx.HTTPError, ValueError) as exc:
        why = f"{options.api_base_url} does not answer: {type(exc).__name__}"
        return {"ok": False, "unreached": why}, {}
    return answer if isinstance(answer, dict) else {"ok": False}, response.headers


def _refused(answer: Mapping[str, Any], token: str, *, again: str = "") -> Line:
    if unreached := answer.get("unreached"):
        return problem(NAME, str(unreached), "Check slack.api_base_url and the network.")
    word = str(answer.get("error") or "no reason given")
    why, fix = WRONG.get(word, (f"Slack refuses it: {word}", "docs/slack.md has the steps."))
    return problem(NAME, f"{token}: {why}", again if again and word in WRONG else fix)
