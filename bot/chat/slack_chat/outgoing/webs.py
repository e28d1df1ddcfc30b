"""SlackWebs: the workspaces that the app is in, with one session and one throttle for all.

The token of the settings serves its one workspace; all others come from the records of
installations. What was read is kept: a form must open while the database is slow. A workspace
that was looked up a while ago is looked up again beside the work, and one whose token Slack
refuses at once.
"""

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Protocol, Self

from bot.chat.slack_chat.methods import Method
from bot.chat.slack_chat.options import SlackOptions
from bot.chat.slack_chat.outgoing.calling import Caller
from bot.chat.slack_chat.outgoing.throttle import Throttle
from bot.chat.slack_chat.outgoing.web import Badge, SlackWeb
from bot.chat.slack_chat.places import PLATFORM, parts_of, team_key
from bot.core.errors import ChatRejected, HousestyleError
from bot.core.ports import Clock, Install, Store
from bot.core.watching import Unwatched, Watch

log = logging.getLogger(__name__)

FRESH = timedelta(seconds=30)
"""So long what is known of a workspace counts as known."""
_INSTALL = "Install the app there; `housestyle doctor` says which workspaces it is in."


class Tokens(Protocol):
    """Opens the sealed tokens of installations, and has them renewed in time."""

    async def fresh(self, install: Install) -> tuple[Install, str]:
        """The installation as it stands now and a token that is valid. Raises ChatRejected,
        ChatUnavailable."""
        ...

    async def after_refusal(self, install: Install, token: str) -> tuple[Install, str]:
        """As `fresh`, after Slack has refused this token; the same one if there is no other."""
        ...


class StaticBadge:
    """The token of the settings."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def token(self) -> str:
        """See Badge."""
        return self._token

    async def other_than(self, refused: str) -> str:
        """See Badge: there is no other."""
        return ""


class InstallBadge:
    """The token of an installation."""

    def __init__(self, install: Install, tokens: Tokens) -> None:
        self.install = install
        self._tokens = tokens

    async def token(self) -> str:
        """See Badge."""
        self.install, token = await self._tokens.fresh(self.install)
        return token

    async def other_than(self, refused: str) -> str:
        """See Badge."""
        self.install, token = await self._tokens.after_refusal(self.install, refused)
        return token


class SlackWebs:
    """The Webs port. A context manager. It owns its session unless it is given a caller, which
    whoever renews tokens needs before."""

    def __init__(
        self,
        options: SlackOptions,
        *,
        store: Store,
        clock: Clock,
        tokens: Tokens | None = None,
        watch: Watch | None = None,
        caller: Caller | None = None,
    ) -> None:
        self._options = options
        self._store = store
        self._clock = clock
        self._tokens = tokens
        self._own_caller = caller is None
        self.caller = caller or Caller(options, watch=watch or Unwatched())
        self.throttle = Throttle(clock)
        self._own: SlackWeb | None = None
        self._asking: asyncio.Task[SlackWeb] | None = None
        self._known: dict[str, tuple[SlackWeb, InstallBadge, datetime]] = {}
        self._looking: dict[str, asyncio.Task[None]] = {}

    async def __aenter__(self) -> Self:
        """Open the session, unless somebody else has."""
        if self._own_caller:
            await self.caller.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop looking and close the session."""
        under_way: list[asyncio.Task[Any]] = [*self._looking.values()]
        under_way += [self._asking] if self._asking else []
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        if self._own_caller:
            await self.caller.__aexit__(kind, error, trace)

    async def web(self, team: str) -> SlackWeb:
        """See the port. Besides raises ChatUnavailable, and Unavailable for a workspace that is
        not known yet while the database doesn't answer."""
        if self._options.bot_token:
            own = await self._own_web()
            if team in ("", own.team) or self._tokens is None:
                return _same(own, team)
        if not team:
            team = await self._only_one()
        known = self._known.get(team)
        if known is None:
            return await self._look_up(team)
        web, badge, at = known
        if self._tokens and self._clock.now() - at > FRESH and team not in self._looking:
            task = asyncio.create_task(self._look_again(team, badge, self._tokens))
            self._looking[team] = task
            task.add_done_callback(lambda _: self._looking.pop(team, None))
        return web

    async def teams(self) -> Sequence[str]:
        """See the port."""
        own = [(await self._own_web()).team] if self._options.bot_token else []
        return list(dict.fromkeys([*own, *(install.key for install in await self._installs())]))

    async def _own_web(self) -> SlackWeb:
        """Slack tells once which workspace the settings' token is for. All who need it while
        Slack is asked share its answer, also where it is that nothing came."""
        if self._own is None:
            if self._asking is None:
                self._asking = asyncio.create_task(self._ask_whose())
                self._asking.add_done_callback(self._asked)
            self._own = await asyncio.shield(self._asking)
        return self._own

    async def _ask_whose(self) -> SlackWeb:
        token = self._options.bot_token
        said = await self.caller.call(Method.AUTH_TEST, token, {})
        return self._made(
            team=team_key(said.get("enterprise_id"), said.get("team_id")),
            bot_user=str(said.get("user_id", "")),
            url=str(said.get("url", "")),
            badge=StaticBadge(token),
        )

    def _asked(self, task: asyncio.Task[SlackWeb]) -> None:
        self._asking = None
        if not task.cancelled() and (why := task.exception()) is not None:
            log.info("Slack does not say whose the token is: %s", why)

    async def _only_one(self) -> str:
        installs = await self._installs()
        if len(installs) == 1:
            return installs[0].key
        many = "Slack knows several workspaces of this house, and none is named."
        raise ChatRejected(
            many if installs else "The app is in no Slack workspace.",
            fix="Name the team of each channel in the brand kit." if installs else _INSTALL,
        )

    async def _installs(self) -> Sequence[Install]:
        if self._tokens is None:
            return ()
        async with self._store.read() as tx:
            return await tx.installs.all(PLATFORM)

    async def _look_up(self, team: str) -> SlackWeb:
        """The workspace as it is recorded. Raises ChatRejected."""
        async with self._store.read() as tx:
            install = await tx.installs.of_team(PLATFORM, team)
        if install is None or self._tokens is None:
            self._known.pop(team, None)
            raise ChatRejected(f"The app is not in the Slack workspace {team}.", fix=_INSTALL)
        return self._remember(team, install, self._tokens)

    async def _look_again(self, team: str, badge: InstallBadge, tokens: Tokens) -> None:
        """What changed of the installation counts from now on, also that it is gone."""
        try:
            async with self._store.read() as tx:
                install = await tx.installs.of_team(PLATFORM, team)
        except HousestyleError as exc:
            log.info("Workspace %s can't be looked up now: %s", team, exc.message)
            return
        if install is None:
            self._known.pop(team, None)
        elif install != badge.install:
            self._remember(team, install, tokens)
        else:
            web, _, _ = self._known[team]
            self._known[team] = (web, badge, self._clock.now())

    def _remember(self, team: str, install: Install, tokens: Tokens) -> SlackWeb:
        badge = InstallBadge(install, tokens)
        web = self._made(
            team=team,
            bot_user=install.bot_user,
            url=install.url,
            badge=badge,
            team_id="" if install.team else parts_of(team)[1],
        )
        self._known[team] = (web, badge, self._clock.now())
        return web

    def _made(
        self, *, team: str, bot_user: str, url: str, badge: Badge, team_id: str = ""
    ) -> SlackWeb:
        return SlackWeb(
            team=team,
            bot_user=bot_user,
            url=url,
            badge=badge,
            caller=self.caller,
            throttle=self.throttle,
            clock=self._clock,
            api=self._options.api_base_url,
            team_id=team_id,
        )


def _same(own: SlackWeb, team: str) -> SlackWeb:
    """The settings' workspace, if it is the one that is meant. Raises ChatRejected."""
    if team not in ("", own.team):
        raise ChatRejected(f"The app is not in the Slack workspace {team}.", fix=_INSTALL)
    return own
