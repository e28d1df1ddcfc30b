"""Leaving: what happens when a workspace takes the app out, or takes its token away.

What it says is only a reason to look: it may be late, of an installation before this one, or of
another token, and its time is of another clock than ours. Slack's answer to the token that is
kept decides (docs.slack.dev/reference/methods/auth.test).
"""

import logging
from dataclasses import replace

from bot.chat.slack_chat.incoming.heard import Heard
from bot.chat.slack_chat.installing.pairs import Calls, Pair, opened
from bot.chat.slack_chat.installing.rotating import Rotator
from bot.chat.slack_chat.installing.vault import Unsealable, Vault
from bot.chat.slack_chat.methods import Method
from bot.chat.slack_chat.places import PLATFORM, parts_of
from bot.chat.slack_chat.web import SlackRefused
from bot.core.errors import ChatRejected, ChatUnavailable, StaleState, Unavailable
from bot.core.ledger import Event
from bot.core.ports import Clock, Install, Store

log = logging.getLogger(__name__)

UNINSTALLED = "app_uninstalled"
OUT = frozenset({"account_inactive", "invalid_auth", "token_revoked"})
"""Slack's words for a token that was taken away."""
ENDED = "token_expired"
"""Its word for one that only ended: whether another comes for it says the rest."""


class Leaving:
    """Works off the deliveries of Kind.LEFT."""

    def __init__(
        self, *, store: Store, clock: Clock, vault: Vault, calls: Calls, tokens: Rotator
    ) -> None:
        self._store = store
        self._clock = clock
        self._vault = vault
        self._calls = calls
        self._tokens = tokens

    async def left(self, heard: Heard) -> None:
        """Tokens that Slack does not take any more go; twice is as once. Raises Unavailable
        where Slack can't be asked now."""
        enterprise, team = parts_of(heard.team)
        # Of a whole enterprise Slack tells as of one of its workspaces.
        own, whole = (enterprise, team), (enterprise, "")
        for key in (own, whole) if enterprise and team else (own,):
            await self._look_at(*key, heard)

    async def _look_at(self, enterprise: str, team: str, heard: Heard) -> None:
        while True:
            async with self._store.read() as tx:
                install = await tx.installs.get(PLATFORM, enterprise, team)
            if install is None or install.gone_at is not None or not await self._is_out(install):
                return
            try:
                await self._take_out(install, heard)
            except StaleState:  # installed again meanwhile, or its token was renewed
                log.debug("The row of %s changed meanwhile", install.key)
                continue
            return

    async def _is_out(self, install: Install) -> bool:
        """Whether Slack has taken the kept tokens away."""
        try:
            pair = opened(self._vault, install)
        except Unsealable as exc:
            log.warning("Whether the app is still in %s: %s", install.key, exc.message)
            return False
        try:
            await self._calls.call(Method.AUTH_TEST, pair.token, {})
        except SlackRefused as exc:
            return exc.error in OUT or (exc.error == ENDED and await self._is_lost(install, pair))
        except ChatUnavailable as exc:
            raise Unavailable(f"Whether the app is in {install.key}: {exc.message}") from exc
        return False

    async def _is_lost(self, install: Install, pair: Pair) -> bool:
        """Whether no token comes any more for one that has ended."""
        try:
            await self._tokens.after_refusal(install, pair.token)
        except ChatRejected:
            return True
        except ChatUnavailable as exc:
            raise Unavailable(f"Whether the app is in {install.key}: {exc.message}") from exc
        return False

    async def _take_out(self, install: Install, heard: Heard) -> None:
        now = self._clock.now()
        gone = replace(install, sealed="", gone_at=now, expires_at=None)
        gone = replace(gone, rotating_until=None, rotating_by="")
        why = heard.detail if heard.detail == UNINSTALLED else "tokens_revoked"
        facts = {"platform": PLATFORM, "why": why}
        subject = f"workspace:{install.key}"
        event = Event(action="workspace.left", subject=subject, at=now, facts=facts)
        async with self._store.write() as tx:
            await tx.installs.update(gone, was=install)
            await tx.ledger.append(event)
        log.warning("The app is out of %s (%s)", install.key, why)
