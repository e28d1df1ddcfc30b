"""The Installs port."""

import asyncio
from dataclasses import replace

import pytest

from bot.core.errors import NotFound, StaleState
from bot.core.people import Identity
from bot.core.ports import Install
from storage.database import OpenStore
from tests.contract.strategies import examples, values
from tests.contract.values import NOW, later, make_install, make_person

ACME = make_install()
GRID = replace(ACME, enterprise="E1", team="T2")
ORG = replace(ACME, enterprise="E1", team="")


async def put(store: OpenStore, *installs: Install) -> None:
    async with store.write() as tx:
        for install in installs:
            await tx.installs.put(install)


async def of_team(store: OpenStore, key: str) -> Install | None:
    async with store.read() as tx:
        return await tx.installs.of_team("slack", key)


async def test_an_installation_comes_back_as_it_was_kept(store: OpenStore) -> None:
    for number, drawn in enumerate(examples(values(Install))):
        install = replace(drawn, team=f"T{number}")
        async with store.write() as tx:
            assert await tx.installs.put(install) == install
        async with store.read() as tx:
            ids = (install.platform, install.enterprise, install.team)
            assert await tx.installs.get(*ids) == install


async def test_installing_again_replaces_the_whole_row_and_outdates_its_holders(
    store: OpenStore,
) -> None:
    await put(store, replace(ACME, gone_at=later(1), rotating_by="w", rotating_until=later(9)))
    async with store.read() as tx:
        old = await tx.installs.get("slack", "", "T1")
    assert old is not None
    again = replace(ACME, sealed="1.new", scopes=("commands",), installed_at=later(60))
    async with store.write() as tx:
        assert await tx.installs.put(again) == replace(again, version=1)
    assert await of_team(store, "T1") == replace(again, version=1)
    async with store.write() as tx:
        with pytest.raises(StaleState):
            await tx.installs.update(replace(old, sealed="1.late"), was=old)


async def test_a_workspace_is_found_by_its_own_key_and_by_no_other(store: OpenStore) -> None:
    await put(store, ACME, GRID)
    assert await of_team(store, "T1") == ACME
    assert await of_team(store, "E1/T2") == GRID
    for key in ("", "T2", "E1", "E1/", "E1/T1", "E1/T9", "E2/T2", "/T1/", "T1/"):
        assert await of_team(store, key) is None, key
    async with store.read() as tx:
        assert await tx.installs.of_team("discord", "T1") is None
        assert await tx.installs.get("slack", "E1", "T1") is None


async def test_an_installation_for_an_enterprise_serves_all_its_workspaces(
    store: OpenStore,
) -> None:
    await put(store, ORG, GRID)
    assert await of_team(store, "E1/T2") == GRID
    assert await of_team(store, "E1/T3") == ORG
    assert await of_team(store, "E1/") == ORG
    assert await of_team(store, "E2/T3") is None
    async with store.write() as tx:
        await tx.installs.update(replace(GRID, gone_at=NOW), was=GRID)
    assert await of_team(store, "E1/T2") == ORG


async def test_those_in_force_are_listed_by_their_keys(store: OpenStore) -> None:
    gone = replace(ACME, team="T0", gone_at=NOW, sealed="")
    other = replace(ACME, platform="discord")
    await put(store, GRID, gone, ACME, ORG, other)
    async with store.read() as tx:
        assert list(await tx.installs.all("slack")) == [ORG, GRID, ACME]
        assert await tx.installs.get("slack", "", "T0") == gone


async def test_of_two_who_change_an_installation_at_once_one_is_refused(
    store: OpenStore,
) -> None:
    await put(store, ACME)

    async def lease(name: str) -> bool:
        try:
            async with store.write() as tx:
                new = replace(ACME, rotating_by=name, rotating_until=later(60))
                assert (await tx.installs.update(new, was=ACME)).version == 1
        except StaleState:
            return False
        return True

    won = await asyncio.gather(*(lease(f"w{number}") for number in range(5)))
    assert sum(won) == 1
    stored = await of_team(store, "T1")
    assert stored is not None
    assert stored.rotating_by == f"w{won.index(True)}"


async def test_an_update_keeps_to_its_own_workspace(store: OpenStore) -> None:
    await put(store, ACME, GRID)
    async with store.write() as tx:
        with pytest.raises(ValueError, match="workspace"):
            await tx.installs.update(replace(ACME, team="T2"), was=ACME)
        with pytest.raises(NotFound):
            await tx.installs.update(replace(ACME, team="T9"), was=replace(ACME, team="T9"))
        await tx.installs.update(replace(ACME, sealed="", gone_at=NOW), was=ACME)
    assert await of_team(store, "E1/T2") == GRID
    assert await of_team(store, "T1") is None


def test_tokens_do_not_show_where_an_installation_is_printed() -> None:
    assert "1.abc" not in repr(ACME)
    assert ACME.key == "T1"
    assert GRID.key == "E1/T2"
    assert ORG.key == "E1/"


async def test_who_installed_it_is_erased_in_their_own_workspace_alone(store: OpenStore) -> None:
    accounts = (
        Identity(platform="slack", user="U1", team="T1"),
        Identity(platform="slack", user="W7", team="E1/T2"),
    )
    person = make_person(identities=accounts)
    others = (
        replace(ACME, team="T9"),
        replace(ACME, platform="discord"),
        replace(GRID, enterprise="E2", installed_by="W7"),
    )
    own = (ACME, replace(GRID, installed_by="W7"), replace(ORG, installed_by="W7"))
    await put(store, *own, *others)
    async with store.write() as tx:
        await tx.people.add(person)
        await tx.erasure.erase(person, NOW)
    async with store.read() as tx:
        for each in (*own, *others):
            left = await tx.installs.get(each.platform, each.enterprise, each.team)
            assert left is not None
            assert left.installed_by == ("" if each in own else each.installed_by), each.key
