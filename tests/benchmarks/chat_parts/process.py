"""One process of the product, wired as `bot.app` wires it; a bot's store may kill it."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.app import Roles, open_house, serve
from bot.core.dispatch import Dispatch
from bot.core.ports import Store
from tests.benchmarks.chat_parts.plan import Plan
from tests.chaos.failpoints import FailingStore, Failpoints


class NotingStore:
    """A store that writes down which delivery it takes, so that after a kill it is known whose
    commit never came, and which jobs came of it. SQLite has one writer at a time: the last one
    noted is the one killed."""

    def __init__(self, store: Store, folder: Path) -> None:
        self._store = store
        self._taken = folder / "taken" / str(os.getpid())
        self._made = folder / "made" / str(os.getpid())

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Any]:
        """As the store's."""
        async with self._store.write() as tx:
            tx.deliveries = _Deliveries(tx.deliveries, self._taken)
            tx.jobs = _Jobs(tx.jobs, tx.deliveries, self._made)
            yield tx

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  (all else is the store's own)
        return getattr(self._store, name)


class _Deliveries:
    def __init__(self, deliveries: Any, note: Path) -> None:  # noqa: ANN401
        self._deliveries = deliveries
        self._note = note
        self.delivery = ""

    async def take(self, platform: str, delivery: str, at: datetime) -> bool:
        self._note.write_text(delivery)
        self.delivery = delivery
        return bool(await self._deliveries.take(platform, delivery, at))

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._deliveries, name)


class _Jobs:
    def __init__(self, jobs: Any, deliveries: _Deliveries, note: Path) -> None:  # noqa: ANN401
        self._jobs = jobs
        self._deliveries = deliveries
        self._note = note

    async def add(self, job: Any) -> Any:  # noqa: ANN401
        with self._note.open("a") as note:
            note.write(f"{job.id} {self._deliveries.delivery}\n")
        return await self._jobs.add(job)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._jobs, name)


async def main(role: str, plan: Plan) -> None:
    """Run one role until SIGTERM, or until it is killed."""
    settings = plan.settings(role)
    async with open_house(settings, generation=False) as house:
        roles = Roles(worker=True, scheduler=True, sequencer=True)
        if role.startswith("bot"):
            noting = NotingStore(house.store, plan.folder)
            store = FailingStore(noting, Failpoints(plan.folder), "bot")
            house = replace(house, store=store)
            house = replace(house, door=Dispatch(house))
            roles = Roles(bot=True)
        await serve(settings, house, roles, asyncio.Event())
