"""The Budgets port, and the counters under many hands."""

import asyncio

from bot.core.budget import Account, Budget, Change, Scope, accounts_of, brand_account
from storage.database import OpenStore
from tests.contract.values import NOW, later

MARCH, APRIL = "2026-03", "2026-04"
ACME = brand_account("acme")
MIA = Account(scope=Scope.PERSON.value, key="mia")
DESIGN = Account(scope=Scope.TEAM.value, key="Design: print", brand="acme")


def budget(account: Account = ACME, **limits: object) -> Budget:
    """A budget of 100 pictures."""
    plain: dict[str, object] = {"pictures": 100, "cost": None, "set_by": "ida", "set_at": NOW}
    return Budget(
        scope=account.scope,
        key=account.key,
        brand=account.brand,
        **{**plain, **limits},  # type: ignore[arg-type]
    )


async def test_a_budget_is_set_changed_and_taken_away(store: OpenStore) -> None:
    async with store.write() as tx:
        await tx.budgets.put(budget(cost=12.5))
        await tx.budgets.put(budget(DESIGN))
        await tx.budgets.put(budget(pictures=None, cost=3.0, set_at=later(5)))
        changed = budget(pictures=None, cost=3.0, set_at=later(5))
        assert await tx.budgets.all() == [changed, budget(DESIGN)]
        assert await tx.budgets.of([DESIGN, MIA, ACME]) == [budget(DESIGN), changed]
        assert await tx.budgets.of([]) == []
        await tx.budgets.remove(ACME)
        await tx.budgets.remove(ACME)
        assert await tx.budgets.all() == [budget(DESIGN)]


async def test_a_budget_of_one_brand_is_none_of_all_brands(store: OpenStore) -> None:
    in_acme = Account(scope="person", key="mia", brand="acme")
    async with store.write() as tx:
        await tx.budgets.put(budget(in_acme, pictures=1))
        await tx.budgets.put(budget(MIA, pictures=2))
        assert [b.pictures for b in await tx.budgets.of([MIA, in_acme])] == [2, 1]
        await tx.budgets.remove(MIA)
        assert [b.pictures for b in await tx.budgets.of([MIA, in_acme])] == [1]


async def test_counters_add_up_by_account_and_month(store: OpenStore) -> None:
    accounts = accounts_of("mia", "Design", "acme")
    reserve = Change(reserved_pictures=4, reserved_ms=8_000)
    async with store.write() as tx:
        await tx.budgets.count(accounts, MARCH, reserve)
    async with store.write() as tx:
        used = Change(pictures=3, ms=9_000)
        after = await tx.budgets.count([MIA, ACME], MARCH, used)
        assert [spend.account for spend in after] == [MIA, ACME]
        assert [(s.pictures, s.reserved_pictures) for s in after] == [(3, 4), (3, 4)]
        assert [(s.ms, s.reserved_ms) for s in after] == [(9_000, 8_000)] * 2
        (none,) = await tx.budgets.count([MIA], APRIL, -reserve + used)
        assert (none.month, none.pictures, none.reserved_pictures) == (APRIL, 3, -4)
    async with store.read() as tx:
        assert {s.account for s in await tx.budgets.spends(MARCH)} == set(accounts)
        assert [s.account for s in await tx.budgets.spends(MARCH)] == sorted(accounts)
        assert [s.account for s in await tx.budgets.spends(MARCH, [ACME, DESIGN])] == [ACME]
        assert await tx.budgets.spends("2026-05") == []
        assert await tx.budgets.spends(MARCH, []) == []


async def test_people_are_warned_once_in_a_month(store: OpenStore) -> None:
    async with store.write() as tx:
        assert not await tx.budgets.mark_warned(ACME, MARCH)
        for month in (MARCH, APRIL):
            await tx.budgets.count([ACME, MIA], month, Change(pictures=1))
        assert await tx.budgets.mark_warned(ACME, MARCH)
        assert not await tx.budgets.mark_warned(ACME, MARCH)
        assert await tx.budgets.mark_warned(MIA, MARCH)
        (spend,) = await tx.budgets.count([ACME], MARCH, Change(pictures=1))
        assert (spend.warned, spend.pictures) == (True, 2)
    async with store.write() as tx:
        assert not await tx.budgets.mark_warned(ACME, MARCH)
        assert await tx.budgets.mark_warned(ACME, APRIL)


async def test_no_count_is_lost_among_many_at_once(store: OpenStore) -> None:
    people = [accounts_of(f"p{number % 7}", f"t{number % 3}", "acme") for number in range(100)]

    async def one(number: int) -> int:
        mine = people[number] if number % 2 else people[number][::-1]
        async with store.write() as tx:
            after = await tx.budgets.count(mine, MARCH, Change(reserved_pictures=1))
            return next(s.reserved_pictures for s in after if s.account == ACME)

    seen = await asyncio.gather(*(one(number) for number in range(len(people))))
    assert sorted(seen) == list(range(1, len(people) + 1))  # each saw a count of its own


async def test_somebody_with_hundreds_of_roles_is_looked_up_at_once(store: OpenStore) -> None:
    roles = [Account(scope="role", key=f"discord:{n}", brand="acme") for n in range(600)]
    wanted = [*roles, *(role.each_day for role in roles)]
    set_here = [roles[3], roles[599].each_day]
    async with store.write() as tx:
        for account in set_here:
            await tx.budgets.put(budget(account))
    async with store.read() as tx:
        assert [b.account for b in await tx.budgets.of(wanted)] == set_here
