"""Ears: what one connection to Discord tells goes to the intake, each thing in its own task."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any

from bot.chat.discord_chat.incoming.acks import Acking
from bot.chat.discord_chat.incoming.intake import DiscordIntake
from bot.core.errors import Unavailable
from bot.core.ports import Clock

log = logging.getLogger(__name__)

DROPS, DROPS_S = 10, 30.0
"""A connection that breaks so often in so many seconds gets a new client, after a pause:
discord.py would resume without one."""
AGAIN_S = 5.0
"""Before a resync is written down that could not be."""


class Ears:
    """Hears one connection, whichever client holds it (see client.Hears)."""

    def __init__(
        self, intake: DiscordIntake, acks: Acking, clock: Clock, *, patience_s: float
    ) -> None:
        self._intake = intake
        self._acks = acks
        self._clock = clock
        self.patience_s = patience_s
        """How long discord.py may try to come back by itself."""
        self.is_open = False
        self.reason = ""
        """Why it is not open."""
        self.idle = asyncio.Event()
        """Set while all that came in is answered."""
        self.idle.set()
        self._own = ""
        self._leaving = False
        self._in_hand: set[asyncio.Task[None]] = set()
        self._resyncing: asyncio.Task[None] | None = None
        self.is_worn = asyncio.Event()
        """Set where the client of now breaks all the time."""
        self._drops: deque[float] = deque(maxlen=DROPS)
        self._down_since = 0.0
        self._first_open_at: float | None = None

    def begin(self) -> None:
        """A new client holds it."""
        self.is_open = False
        self._first_open_at = None
        self.is_worn.clear()
        self._drops.clear()
        self._down_since = _now()

    def held_s(self) -> float:
        """Seconds since the client of now got its first session; 0 where it has had none."""
        return 0.0 if self._first_open_at is None else _now() - self._first_open_at

    def is_away(self) -> bool:
        """Whether the client has been away for too long."""
        return not self.is_open and _now() - self._down_since > self.patience_s

    def leave(self) -> None:
        """Take nothing from here on."""
        self._leaving = True
        if self._resyncing is not None:
            self._resyncing.cancel()

    def ready(self, own: str) -> None:
        """See Hears."""
        self._own = own
        self._opened("A connection to Discord is open")
        if self._resyncing is None or self._resyncing.done():
            self._resyncing = asyncio.create_task(self._missed())

    def resumed(self) -> None:
        """See Hears."""
        self._opened("A connection to Discord is open again, and nothing was missed")

    def left(self) -> None:
        """See Hears."""
        if self.is_open:
            log.warning(
                "A connection to Discord broke; it comes back", extra={"action": "discord.gateway"}
            )
            self._down_since = _now()
        self.is_open = False
        self._drops.append(_now())
        if len(self._drops) == DROPS and _now() - self._drops[0] < DROPS_S:
            self.is_worn.set()

    def interaction(self, payload: object) -> None:
        """See Hears."""
        if isinstance(payload, dict) and not self._leaving:
            self._do(self._intake.taken(payload, self._acks, own=self._own))

    def reaction(self, payload: object, *, added: bool) -> None:
        """See Hears."""
        if isinstance(payload, dict) and not self._leaving:
            taking = partial(self._intake.reacted, payload, own=self._own, added=added)
            self._do(self._noted(taking))

    def cleared(self, payload: object) -> None:
        """See Hears."""
        if isinstance(payload, dict) and not self._leaving:
            self._do(self._noted(partial(self._intake.cleared, payload)))

    def _opened(self, words: str) -> None:
        self.is_open = True
        if self._first_open_at is None:
            self._first_open_at = _now()
        self.reason = ""
        log.info(words, extra={"action": "discord.gateway"})

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._in_hand.add(task)
        self.idle.clear()
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._in_hand.discard(task)
        if not self._in_hand:
            self.idle.set()
        if not task.cancelled() and task.exception() is not None:
            log.error("What Discord told tripped over a bug", exc_info=task.exception())

    async def _noted(self, taking: Callable[[], Awaitable[None]]) -> None:
        try:
            await taking()
        except Unavailable:
            log.exception("A reaction could not be written down; they are read anew later")
            if self._resyncing is None or self._resyncing.done():
                self._resyncing = asyncio.create_task(self._missed(after_s=AGAIN_S))

    async def _missed(self, after_s: float = 0.0) -> None:
        """Until it is written down."""
        while True:
            if after_s:
                await self._clock.sleep(after_s)
            try:
                await self._intake.missed()
            except Unavailable:
                log.exception("That reactions were missed could not be written down yet")
                after_s = AGAIN_S
            else:
                return


def _now() -> float:
    return asyncio.get_running_loop().time()
