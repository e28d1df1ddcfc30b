"""A job in hand that is paused: its renders wait in the generation service, its lease is kept.

The worker alone tells the service, so that what is told last is what was wanted last, also after
the service or the worker has begun anew.
"""

import asyncio
import logging
from collections.abc import Callable

from bot.core.errors import HousestyleError, NotFound
from bot.core.house import House
from bot.core.jobs import Job
from bot.core.waking import first_of
from brand.spec import Progress, RenderError

log = logging.getLogger(__name__)

POLL_S = 2.0
"""A lost signal costs at most so many seconds."""


class Heeding:
    """Brings one job's renders to what is wanted of them. `changed` is called when that changes."""

    def __init__(self, house: House, job: Job, changed: Callable[[], None]) -> None:
        self._house, self._job = house, job
        self._changed = changed
        self._told: dict[str, bool] = {}
        """Renders in the service, and whether each is paused there as far as is known."""
        self._look = asyncio.Event()
        self._may_go_on = asyncio.Event()
        self._may_go_on.set()

    @property
    def paused(self) -> bool:
        """Whether the job is wanted to wait."""
        return not self._may_go_on.is_set()

    async def begin(self, render_id: str) -> None:
        """Wait while the job is paused; then this render is handed to the service."""
        await self._may_go_on.wait()
        self._told[render_id] = False

    def end(self, render_id: str) -> None:
        """The render has ended."""
        self._told.pop(render_id, None)

    def note(self, render_id: str, event: Progress) -> None:
        """What the service says of a render: it may have begun anew and know of no pause."""
        self._told[render_id] = event.paused
        if event.paused != self.paused:
            self._look.set()

    async def watch(self) -> None:
        """Heed what is wanted until cancelled."""
        async with self._house.signals.subscribe(f"job:{self._job.id}") as signals:

            async def pump() -> None:
                async for signal in signals:
                    if signal.kind == "changed":
                        self._look.set()

            pumping = asyncio.create_task(pump())
            try:
                while True:
                    self._look.clear()
                    await self._heed()
                    await first_of(self._look.wait(), self._house.clock.sleep(POLL_S))
            finally:
                pumping.cancel()
                await asyncio.gather(pumping, return_exceptions=True)

    async def _heed(self) -> None:
        try:
            async with self._house.store.read() as tx:
                wanted = (await tx.jobs.get(self._job.id)).is_paused
            if wanted != self.paused:
                (self._may_go_on.clear if wanted else self._may_go_on.set)()
                self._changed()
            for render_id, told in list(self._told.items()):
                if told != wanted:
                    tell = self._house.renderer.pause if wanted else self._house.renderer.resume
                    await tell(render_id)
                    if render_id in self._told:
                        self._told[render_id] = wanted
        except NotFound:
            return  # erased meanwhile: its worker hears of it
        except (HousestyleError, RenderError) as exc:
            log.warning("A pause waits: %s", exc, extra={"action": "render.pause"})
