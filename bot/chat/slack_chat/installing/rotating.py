"""Rotator: the tokens of installed workspaces, renewed in time by one process of all.

Slack's rotated tokens live 12 hours, and the refresh token changes at each use
(docs.slack.dev/authentication/using-token-rotation), so two who renew at once would lose the
workspace. A process takes a lease in the row by compare-and-set, asks Slack, and commits the new
pair in the row. Until then everybody goes on with the old token, which is renewed hours before
its end.

What can go wrong between Slack's answer and the commit: the database is away (the pair is kept in
memory and saved later), or the process dies (the refresh token is used up; the next one who tries
hears so from Slack, and the admins are told to install again before the old token ends).
"""

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from bot.chat.slack_chat.installing.pairs import Calls, Pair, opened, read_tokens, sealed
from bot.chat.slack_chat.installing.telling import tell_lost
from bot.chat.slack_chat.installing.vault import Vault
from bot.chat.slack_chat.methods import Method
from bot.chat.slack_chat.options import SlackOptions
from bot.chat.slack_chat.web import SlackRefused
from bot.core.errors import (
    ChatError,
    ChatRejected,
    ChatUnavailable,
    HousestyleError,
    StaleState,
    Unavailable,
)
from bot.core.ids import new_id
from bot.core.ports import Clock, Install, Store

log = logging.getLogger(__name__)

EARLY = timedelta(hours=2)
"""So long before its end a token is renewed: that long a failure may last unnoticed."""
LEASE = timedelta(seconds=60)
"""Longer than a call of Slack takes until it is given up."""
PAUSE = timedelta(seconds=30)
"""After a failed try nobody tries again for so long."""
LOOK_S = 0.5
"""How often one who needs the new token looks whether another has it."""
SAVE_AFTER_S = (0.0, 0.2, 1.0, 5.0)
"""Waits before each try to commit a new pair."""
USED_UP = frozenset({"invalid_refresh_token", "token_revoked", "account_inactive"})
"""Slack's words for a refresh token that renews nothing any more."""


@dataclass(frozen=True, kw_only=True)
class _Renewed:
    """What Slack gave for the pair `old`, which is void for renewing since."""

    old: Pair
    new: Pair
    ends: datetime | None


class Rotator:
    """The Tokens port of `outgoing`."""

    def __init__(
        self, options: SlackOptions, *, store: Store, vault: Vault, clock: Clock, calls: Calls
    ) -> None:
        self._options = options
        self._store = store
        self._vault = vault
        self._clock = clock
        self._calls = calls
        self._name = new_id()
        self._unsaved: dict[str, _Renewed] = {}
        self._under_way: set[asyncio.Task[tuple[Install, str]]] = set()

    async def fresh(self, install: Install) -> tuple[Install, str]:
        """The installation as it stands now and a token that is valid. While the old one is, nobody
        waits for the next: a form must open before Slack's trigger ends, also where Slack is slow
        to renew. Raises ChatRejected where there is none any more, ChatUnavailable where it can't
        be renewed now."""
        pair = opened(self._vault, install)
        if not self._is_due(install):
            return install, pair.token
        try:
            return await self._renewed(install, refused="")
        except Unavailable:
            token = self._known(install, pair)
            if not token:
                raise
            log.warning("The database is away: Slack's token of %s stays", install.key)
            return install, token

    async def after_refusal(self, install: Install, token: str) -> tuple[Install, str]:
        """As `fresh`, after Slack has refused this token; the same one if there is no other."""
        return await self._renewed(install, refused=token)

    async def finish(self) -> None:
        """Wait for renewals in hand: what Slack has answered must be saved."""
        while self._under_way:
            await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _renewed(self, install: Install, *, refused: str) -> tuple[Install, str]:
        while True:
            stored = await self._stored(install)
            pair = opened(self._vault, stored)
            unsaved = self._unsaved.get(stored.key)
            if unsaved is not None and unsaved.new.token != refused:
                return await self._save(stored, unsaved)
            if pair.token != refused and not self._is_due(stored):
                return stored, pair.token
            if not pair.refresh:
                return stored, self._last(stored, pair)
            if leased := await self._leased(stored):
                exchange = self._in_hand(self._exchanged(leased, pair, refused=refused))
                if pair.token != refused and self._is_valid(stored):
                    return leased, pair.token
                return await asyncio.shield(exchange)
            if pair.token != refused and self._is_valid(stored):
                return stored, pair.token
            await self._wait_for(stored)

    async def _stored(self, install: Install) -> Install:
        async with self._store.read() as tx:
            stored = await tx.installs.get(install.platform, install.enterprise, install.team)
        if stored is None or stored.gone_at is not None:
            raise ChatRejected(
                f"The app is not in {install.name or install.key} any more.",
                fix="Install it there again.",
            )
        return stored

    async def _leased(self, stored: Install) -> Install | None:
        """The row with our lease in it; None where somebody else has it, or after a failure."""
        now = self._clock.now()
        if stored.rotating_until is not None and stored.rotating_until > now:
            return None
        new = replace(stored, rotating_until=now + LEASE, rotating_by=self._name)
        try:
            async with self._store.write() as tx:
                return await tx.installs.update(new, was=stored)
        except StaleState:
            return None

    async def _wait_for(self, stored: Install) -> None:
        """Another process renews, or it has just failed. Raises ChatUnavailable if it has."""
        until = stored.rotating_until
        if until is not None and not stored.rotating_by:
            left = (until - self._clock.now()).total_seconds()
            if left > 0:
                raise ChatUnavailable("Slack's token can't be renewed now.", retry_after_s=left)
        await self._clock.sleep(LOOK_S)

    def _in_hand(
        self, work: Coroutine[Any, Any, tuple[Install, str]]
    ) -> asyncio.Task[tuple[Install, str]]:
        """It is done to its end even where the caller is cancelled, or waits for nothing."""
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[tuple[Install, str]]) -> None:
        self._under_way.discard(task)
        if not task.cancelled() and (why := task.exception()) is not None:
            bug = None if isinstance(why, HousestyleError) else why
            log.warning("A token of Slack could not be renewed: %s", why, exc_info=bug)

    async def _exchanged(self, leased: Install, pair: Pair, *, refused: str) -> tuple[Install, str]:
        arguments = {
            "client_id": self._options.client_id,
            "client_secret": self._options.client_secret,
            "grant_type": "refresh_token",
            "refresh_token": pair.refresh,
        }
        try:
            answer = await self._calls.call(Method.OAUTH_ACCESS, "", arguments)
            new, ends = read_tokens(answer, self._clock.now())
        except ChatError as exc:
            if isinstance(exc, SlackRefused) and exc.error in USED_UP:
                return await self._used_up(leased, pair, exc.error, refused=refused)
            await self._pause(leased, exc)
            if pair.token != refused and self._is_valid(leased):
                return leased, pair.token
            message = f"Slack does not renew the app's token now: {exc.message}"
            raise ChatUnavailable(message, retry_after_s=PAUSE.total_seconds()) from exc
        log.info("Slack's token of %s was renewed", leased.key)
        return await self._save(leased, _Renewed(old=pair, new=new, ends=ends))

    async def _pause(self, leased: Install, why: ChatError) -> None:
        """Nobody tries again for a while. What Slack did with the refresh token is not known where
        its answer was lost: the next try shows it."""
        log.warning("Slack's token of %s could not be renewed: %s", leased.key, why.message)
        until = self._clock.now() + PAUSE
        try:
            async with self._store.write() as tx:
                paused = replace(leased, rotating_until=until, rotating_by="")
                await tx.installs.update(paused, was=leased)
        except (StaleState, Unavailable) as exc:
            log.debug("The lease ends by itself: %s", exc.message)

    async def _used_up(
        self, leased: Install, pair: Pair, why: str, *, refused: str
    ) -> tuple[Install, str]:
        """The pair renews nothing any more: write it down once, and tell the admins."""
        last = replace(pair, refresh="", why=why)
        held = sealed(self._vault, leased, last)
        new = replace(leased, sealed=held, rotating_until=None, rotating_by="")
        try:
            async with self._store.write() as tx:
                stored = await tx.installs.update(new, was=leased)
                await tell_lost(tx, stored, self._options.base_url, self._clock.now())
        except StaleState:  # installed again meanwhile, or another process was faster
            return await self._renewed(leased, refused=refused)
        log.error("Slack renews no token of %s any more (%s): install it again", leased.key, why)
        return stored, self._last(stored, last)

    def _last(self, stored: Install, pair: Pair) -> str:
        """A token that nothing follows. Raises ChatRejected once it has ended."""
        if self._is_valid(stored):
            return pair.token
        raise ChatRejected(
            f"The app's token for {stored.name or stored.key} ran out and can't be renewed.",
            fix=f"Install the app there again: {self._options.base_url}/slack/install",
        )

    async def _save(self, install: Install, renewed: _Renewed) -> tuple[Install, str]:
        """Commit what Slack gave; where the database stays away, keep it for the next call."""
        self._unsaved[install.key] = renewed
        for wait in SAVE_AFTER_S:
            await self._clock.sleep(wait)
            try:
                saved = await self._put(install, renewed)
            except Unavailable as exc:
                log.warning(
                    "Slack's new token of %s is not saved yet: %s", install.key, exc.message
                )
                continue
            except ChatRejected:
                self._unsaved.pop(install.key, None)
                raise
            self._unsaved.pop(install.key, None)
            return saved
        log.error("Slack's new token of %s is in memory only: keep this running", install.key)
        return install, renewed.new.token

    async def _put(self, install: Install, renewed: _Renewed) -> tuple[Install, str]:
        """Replace the old pair in whatever row holds it now. A row with other tokens is newer."""
        while True:
            stored = await self._stored(install)
            pair = opened(self._vault, stored)
            if pair.token != renewed.old.token:
                return stored, pair.token
            held = sealed(self._vault, stored, renewed.new)
            new = replace(stored, sealed=held, expires_at=renewed.ends)
            new = replace(new, rotating_until=None, rotating_by="")
            try:
                async with self._store.write() as tx:
                    return await tx.installs.update(new, was=stored), renewed.new.token
            except StaleState:
                log.debug("The row of %s changed meanwhile", stored.key)

    def _known(self, install: Install, pair: Pair) -> str:
        """A token that works without the database; empty if none does."""
        unsaved = self._unsaved.get(install.key)
        if unsaved is not None and unsaved.old.token == pair.token:
            return unsaved.new.token
        return pair.token if self._is_valid(install) else ""

    def _is_due(self, install: Install) -> bool:
        return install.expires_at is not None and not self._ends_after(install, EARLY)

    def _is_valid(self, install: Install) -> bool:
        return install.expires_at is None or self._ends_after(install, timedelta(0))

    def _ends_after(self, install: Install, left: timedelta) -> bool:
        return install.expires_at is not None and install.expires_at - self._clock.now() > left
