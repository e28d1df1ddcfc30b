"""A process of its own that asks for pictures all at once: `python -m tests.contract.spender
ADDRESS COUNT`. It prints how many of its jobs may go and how many are held, once all are stored.
"""

import asyncio
import sys
from collections import Counter
from dataclasses import replace

from bot.core.commands import Imagine
from bot.core.dispatch import Dispatch
from bot.core.messages import Actor
from bot.core.tariff import Tariff
from brand.templates import Brief
from storage.database import OpenStore, SqlStore
from storage.engines import create_engine
from tests.contract.ledger_worker import house_of
from tests.fakes.town import WORKING

TARIFF = Tariff(per_hour=36.0)
PEOPLE = ("mia", "ana")


async def ask_at_once(store: OpenStore, count: int) -> Counter[str]:
    """Ask for so many pictures at the same time; how many go, wait and failed."""
    house = replace(house_of(store), tariff=TARIFF)
    door = Dispatch(house)

    async def ask(number: int) -> str:
        user = PEOPLE[number % len(PEOPLE)]
        actor = Actor(platform="local", user=user, name=user.title(), channel=WORKING)
        command = Imagine(brief=Brief(words="a red mug"))
        card = await door.dispatch(command, actor)
        while card.state == "store_busy":  # all connections are taken: nothing was queued
            card = await door.dispatch(command, actor)
        if card.kind != "job":
            return f"{card.title}: {card.lines}"
        return "held" if card.status.startswith("Held") else "free"

    return Counter(await asyncio.gather(*(ask(number) for number in range(count))))


async def main(url: str, count: int) -> None:
    """Open the store and ask."""
    store = SqlStore(create_engine(url))
    for what, many in (await ask_at_once(store, count)).items():
        print(f"{what}={many}")  # noqa: T201  (the test reads it)
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
