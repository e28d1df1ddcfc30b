"""Limits of platform roles, places, days and requests under way hold for whoever asks at once."""

import asyncio
from collections import Counter
from dataclasses import replace

import pytest

from bot.core.budget import Account, Budget, day_of, month_of
from bot.core.commands import Imagine
from bot.core.dispatch import Dispatch
from bot.core.messages import Actor
from brand.brief import Brief
from brand.kit import Limits
from storage.database import OpenStore
from tests.contract.conftest import POSTGRESQL
from tests.contract.ledger_worker import house_of
from tests.contract.values import NOW
from tests.fakes.town import KIT, WORKING, make_town

AT_ONCE = 20
ROOM = 7
GUILD, DESIGNERS = "discord:100", "discord:22"
STORES = pytest.mark.parametrize("store", ["sqlite", POSTGRESQL], indirect=True)


async def ask_at_once(store: OpenStore, people: tuple[str, ...]) -> Counter[str]:
    """So many requests at the same moment, in one server; how many go, wait and are refused."""
    door = Dispatch(house_of(store))

    async def ask(number: int) -> str:
        user = people[number % len(people)]
        actor = Actor(platform="local", user=user, name=user.title(), channel=WORKING)
        actor = replace(actor, place=GUILD, groups=frozenset({DESIGNERS}))
        command = Imagine(brief=Brief(words="a red mug"))
        card = await door.dispatch(command, actor)
        while card.state == "store_busy":  # all connections are taken: nothing was queued
            card = await door.dispatch(command, actor)
        if card.kind != "job":
            return next((key for key in ("_person", "_place") if key in str(card.lines)), card.kind)
        return "held" if card.status.startswith("Held") else "free"

    return Counter(await asyncio.gather(*(ask(number) for number in range(AT_ONCE))))


@STORES
async def test_one_person_has_no_more_under_way_than_the_kit_allows(store: OpenStore) -> None:
    await make_town(replace(KIT, limits=Limits(open_jobs_person=ROOM)), store=store)
    assert await ask_at_once(store, ("mia",)) == {"free": ROOM, "_person": AT_ONCE - ROOM}


@STORES
async def test_all_in_one_place_have_no_more_under_way_than_the_kit_allows(
    store: OpenStore,
) -> None:
    await make_town(replace(KIT, limits=Limits(open_jobs_place=ROOM)), store=store)
    answers = await ask_at_once(store, ("mia", "ana"))
    assert answers == {"free": ROOM, "_place": AT_ONCE - ROOM}


@STORES
@pytest.mark.parametrize(
    ("account", "day"),
    [
        (Account(scope="role", key=DESIGNERS), False),
        (Account(scope="place", key=GUILD, brand="acme"), True),
        (Account(scope="brand", key="acme", brand="acme"), True),
    ],
)
async def test_no_crowd_overruns_a_limit_of_a_role_a_place_or_a_day(
    store: OpenStore, account: Account, day: bool
) -> None:
    account = account.each_day if day else account
    await make_town(store=store)
    scope, key, brand = account.scope, account.key, account.brand
    async with store.write() as tx:
        await tx.budgets.put(Budget(scope=scope, key=key, brand=brand, pictures=ROOM, set_at=NOW))
    answers = await ask_at_once(store, ("mia", "ana"))
    assert answers == {"free": ROOM, "held": AT_ONCE - ROOM}
    house = house_of(store)
    now = house.clock.now()
    async with store.read() as tx:
        [spend] = await tx.budgets.spends(day_of(now) if day else month_of(now), [account])
    assert spend.reserved_pictures == ROOM
