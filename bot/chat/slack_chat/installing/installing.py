"""Installing: to Slack's page of consent, and back with a code that becomes the workspace's row.

The order of https://docs.slack.dev/authentication/installing-with-oauth: a state that is bound to
the browser, the code for tokens once, the tokens sealed. What goes wrong is said on a page with a
reference id that the log has too; a code or a token stands in neither.
"""

import logging
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot.chat.slack_chat.installing.pages import page
from bot.chat.slack_chat.installing.pairs import Calls, Pair, Unreadable, read_tokens, sealed
from bot.chat.slack_chat.installing.states import LIFE, States
from bot.chat.slack_chat.installing.vault import Vault
from bot.chat.slack_chat.manifest import REDIRECT_PATH, scopes_wanted
from bot.chat.slack_chat.methods import Method
from bot.chat.slack_chat.options import SlackOptions
from bot.chat.slack_chat.places import PLATFORM
from bot.chat.slack_chat.web import SlackRefused
from bot.core.errors import ChatError, ChatUnavailable, HousestyleError, Unavailable
from bot.core.ledger import Event
from bot.core.ports import Clock, Install, Store
from bot.core.watching import reference

log = logging.getLogger(__name__)

COOKIE = "housestyle_slack_install"
PATH = "/slack"
_TEAM = re.compile(r"[TE][A-Z0-9]{1,30}")
_CODE = re.compile(r"[\x21-\x7e]{1,512}")


class Installing:
    """The InstallPages of `incoming/http.py`."""

    def __init__(
        self, options: SlackOptions, *, store: Store, vault: Vault, clock: Clock, calls: Calls
    ) -> None:
        self._options = options
        self._store = store
        self._vault = vault
        self._clock = clock
        self._calls = calls
        self._states = States(secret=options.client_secret, store=store, clock=clock)

    async def begin(self, request: Request) -> Response:
        """To Slack's page of consent."""
        state = self._states.new()
        asked = {
            "client_id": self._options.client_id,
            "scope": ",".join(scopes_wanted()),
            "redirect_uri": self._back,
            "state": state,
        }
        team = request.query_params.get("team", "")
        if _TEAM.fullmatch(team):
            asked["team"] = team
        away = RedirectResponse(f"{self._options.authorize_url}?{urlencode(asked)}", 302)
        away.headers["Cache-Control"] = "no-store"
        away.set_cookie(
            COOKIE,
            self._states.cookie_of(state),
            max_age=int(LIFE.total_seconds()),
            path=PATH,
            httponly=True,
            samesite="lax",
            secure=self._options.base_url.startswith("https:"),
        )
        return away

    async def finish(self, request: Request) -> Response:
        """Back from it, with a code."""
        try:
            answer = await self._finished(request)
        except HousestyleError as exc:
            answer = self._failed(exc)
        answer.delete_cookie(COOKIE, path=PATH)
        return answer

    async def _finished(self, request: Request) -> Response:
        query = request.query_params
        if "error" in query:
            return self._page(
                "Nothing was installed",
                "Slack says that the installation was cancelled.",
                again=True,
            )
        cookie = request.cookies.get(COOKIE, "")
        if not await self._states.take(query.get("state", ""), cookie):
            return self._page(
                "Please begin again",
                "This way back from Slack was used before, is older than ten minutes, or began in "
                "another browser.",
                again=True,
                status=400,
            )
        if not _CODE.fullmatch(query.get("code", "")):
            return self._page("Please begin again", "Slack sent no code.", again=True, status=400)
        return await self._with_code(query["code"])

    async def _with_code(self, code: str) -> Response:
        answer = await self._calls.call(
            Method.OAUTH_ACCESS,
            "",
            {
                "client_id": self._options.client_id,
                "client_secret": self._options.client_secret,
                "code": code,
                "redirect_uri": self._back,
            },
        )
        pair, ends = read_tokens(answer, self._clock.now())
        install = replace(_install(answer, self._clock.now()), expires_at=ends)
        if not self._is_welcome(install):
            log.warning("A workspace that may not install it: %s", install.key)
            await self._give_back(install, pair)
            return self._page(
                "This workspace may not install it",
                f"{install.name or install.key} is not among the workspaces that the owner of "
                "this Housestyle lets in. Remove the app from it again in Slack.",
                status=403,
            )
        install = await self._keep(await self._looked_up(install, pair), pair)
        return self._installed(install)

    def _is_welcome(self, install: Install) -> bool:
        allowed = self._options.allowed_teams
        return not allowed or bool({install.team, install.enterprise, install.key} & set(allowed))

    async def _give_back(self, install: Install, pair: Pair) -> None:
        """Void the token of a workspace that is not let in; what renews it is kept nowhere."""
        try:
            await self._calls.call(Method.AUTH_REVOKE, pair.token, {})
        except ChatError as exc:
            log.warning("Slack keeps the token of %s alive: %s", install.key, exc.message)

    async def _looked_up(self, install: Install, pair: Pair) -> Install:
        """With what only the new token tells. It is kept without where Slack is slow."""
        try:
            said = await self._calls.call(Method.AUTH_TEST, pair.token, {})
        except ChatUnavailable as exc:
            log.warning("Slack does not say where %s is: %s", install.key, exc.message)
            return install
        return replace(
            install,
            url=_text(said, "url"),
            bot_id=_text(said, "bot_id"),
            bot_user=install.bot_user or _text(said, "user_id"),
        )

    async def _keep(self, install: Install, pair: Pair) -> Install:
        install = replace(install, sealed=sealed(self._vault, install, pair))
        async with self._store.write() as tx:
            stored = await tx.installs.put(install)
            who = await tx.people.by_identity(PLATFORM, install.installed_by, install.key)
            await tx.ledger.append(
                Event(
                    action="workspace.installed",
                    subject=f"workspace:{install.key}",
                    at=install.installed_at,
                    actor=who.id if who else "",
                    facts={"platform": PLATFORM, "again": stored.version > 0},
                )
            )
        log.info("The app is in %s now", install.key, extra={"action": "workspace.installed"})
        return stored

    def _installed(self, install: Install) -> Response:
        name = install.name or install.key
        lacking = sorted(set(scopes_wanted()) - set(install.scopes))
        if lacking:
            return self._page(
                f"Installed in {name}, but not everything will work",
                f"The app was not given: {', '.join(lacking)}. Paste the manifest of "
                "`housestyle slack manifest` into the app's settings, then install it again.",
                again=True,
            )
        where = install.url if install.url.startswith("https://") else ""
        return page(
            f"Installed in {name}",
            "Type /imagine in Slack for your first picture; /imagine help shows the rest.",
            "In a channel of your brand, type /invite @Housestyle first.",
            link=(where, "Open Slack") if where else None,
        )

    def _failed(self, exc: HousestyleError) -> Response:
        """What went wrong outside, for the person and for the log."""
        later = isinstance(exc, Unavailable | ChatUnavailable)
        why = exc.error if isinstance(exc, SlackRefused) else exc.message
        log.warning("An installation failed: %s", why, extra={"action": "workspace.refused"})
        return self._page(
            "Slack is not reached just now" if later else "That didn't work",
            exc.message if isinstance(exc, ChatError) else "The database does not answer.",
            *([exc.fix] if exc.fix else []),
            f"Reference: {reference()}" if reference() else "",
            again=True,
            status=503 if later else 400,
        )

    def _page(
        self, title: str, *lines: str, again: bool = False, status: int = 200
    ) -> HTMLResponse:
        link = (f"{self._options.base_url}{PATH}/install", "Begin again") if again else None
        return page(title, *filter(None, lines), link=link, status=status)

    @property
    def _back(self) -> str:
        return f"{self._options.base_url}{REDIRECT_PATH}"


def _install(answer: Mapping[str, Any], now: datetime) -> Install:
    """The row of an answer of `oauth.v2.access`, without its tokens
    (docs.slack.dev/reference/methods/oauth.v2.access). Raises Unreadable."""
    team, enterprise = _part(answer, "team"), _part(answer, "enterprise")
    everywhere = answer.get("is_enterprise_install") is True
    if not _text(enterprise if everywhere else team, "id"):
        raise Unreadable("Slack does not say which workspace it is.")
    return Install(
        platform=PLATFORM,
        enterprise=_text(enterprise, "id"),
        team="" if everywhere else _text(team, "id"),
        app=_text(answer, "app_id"),
        name=_text(enterprise if everywhere else team, "name"),
        url="",
        bot_user=_text(answer, "bot_user_id"),
        bot_id="",
        scopes=tuple(sorted(filter(None, _text(answer, "scope").split(",")))),
        installed_by=_text(_part(answer, "authed_user"), "id"),
        installed_at=now,
        sealed="",
    )


def _part(answer: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = answer.get(name)
    return part if isinstance(part, dict) else {}


def _text(part: Mapping[str, Any], name: str) -> str:
    text = part.get(name)
    return text if isinstance(text, str) else ""
