"""The words of the newest pictures, in memory: a form that changes them opens at once.

Discord gives a form three seconds and shows it no second time, so nothing is read for it. What is
not known here opens an empty form.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bot.core.assets import Asset, AssetQuery
from bot.core.errors import HousestyleError
from bot.core.house import House
from bot.core.ports import Transaction
from bot.core.wording import words_of

log = logging.getLogger(__name__)

MAX_PICTURES = 2_000
AT_START = 200
"""Pictures that are read when the process begins."""
TOPIC = "job:"


@dataclass(frozen=True, kw_only=True)
class Remembered:
    """What a form needs of a picture."""

    words: str
    brand: str
    requester: str


class LatestWords:
    """Fills while `following`; answers from memory."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._known: OrderedDict[str, Remembered] = OrderedDict()

    def of(self, asset: str) -> Remembered | None:
        """What is known of a picture by its id."""
        return self._known.get(asset)

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """The newest pictures are known, and each new one soon after it is done."""
        async with self._house.signals.subscribe(f"{TOPIC}*") as signals:
            await self._first()

            async def follow() -> None:
                async for signal in signals:
                    await self._read_or_log(signal.topic.removeprefix(TOPIC))

            task = asyncio.create_task(follow(), name="discord-latest-words")
            try:
                yield
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def _first(self) -> None:
        """Raises Unavailable."""
        async with self._house.store.read() as tx:
            for asset in reversed(await tx.assets.find(AssetQuery(limit=AT_START))):
                await self._note(tx, asset)

    async def _read_or_log(self, job: str) -> None:
        try:
            async with self._house.store.read() as tx:
                for asset in await tx.assets.of_job(job):
                    await self._note(tx, asset)
        except HousestyleError:
            log.warning("The words of a job's pictures can't be read; their form opens empty.")

    async def _note(self, tx: Transaction, asset: Asset) -> None:
        if asset.is_erased:
            self._known.pop(asset.id, None)
            return
        if asset.id in self._known:
            return
        kit, job = await tx.kits.current(asset.brand), await tx.jobs.get(asset.job)
        self._known[asset.id] = Remembered(
            words=words_of(asset, job, kit), brand=asset.brand, requester=asset.requester
        )
        while len(self._known) > MAX_PICTURES:
            self._known.popitem(last=False)
