"""Leaving: what happens when a workspace takes the app out, or takes its token away."""

import logging
from dataclasses import replace

from bot.chat.slack_chat.incoming.heard import Heard
from bot.chat.slack_chat.places import PLATFORM, parts_of
from bot.core.errors import StaleState
from bot.core.ledger import Event
from bot.core.ports import Clock, Install, Store, Transaction

log = logging.getLogger(__name__)

UNINSTALLED = "app_uninstalled"


class Leaving:
    """Works off the deliveries of Kind.LEFT."""

    def __init__(self, *, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def left(self, heard: Heard) -> None:
        """The workspace's tokens go. Of what it was told before the app was installed again
        nothing counts; twice is as once."""
        while True:
            try:
                async with self._store.write() as tx:
                    # That of a whole enterprise does not go because one workspace left it.
                    install = await tx.installs.get(PLATFORM, *parts_of(heard.team))
                    if install is not None and _means(heard, install):
                        await self._take_out(tx, install, heard)
            except StaleState:
                log.debug("The row of %s changed meanwhile", heard.team)
                continue
            return

    async def _take_out(self, tx: Transaction, install: Install, heard: Heard) -> None:
        now = self._clock.now()
        gone = replace(install, sealed="", gone_at=now, expires_at=None)
        gone = replace(gone, rotating_until=None, rotating_by="")
        await tx.installs.update(gone, was=install)
        why = heard.detail if heard.detail == UNINSTALLED else "tokens_revoked"
        facts = {"platform": PLATFORM, "why": why}
        subject = f"workspace:{install.key}"
        event = Event(action="workspace.left", subject=subject, at=now, facts=facts)
        await tx.ledger.append(event)
        log.warning("The app is out of %s (%s)", install.key, why)


def _means(heard: Heard, install: Install) -> bool:
    """Whether it is told of this very installation. Slack's times are whole seconds."""
    if install.gone_at is not None:
        return False
    if heard.at and heard.at < int(install.installed_at.timestamp()):
        return False
    revoked = heard.detail.split(",")
    return heard.detail == UNINSTALLED or not install.bot_user or install.bot_user in revoked
