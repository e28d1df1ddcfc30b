"""The People and Keys ports."""

import asyncio
from dataclasses import replace

import pytest

from bot.core.errors import Conflict, NotFound, StaleState
from bot.core.people import ANY_BRAND, Identity, KeyKind, Person, Role
from storage.database import OpenStore
from tests.contract.values import later, make_key, make_person

SLACK = Identity(platform="slack", user="U1", team="T1")


async def put(store: OpenStore, *people: Person) -> None:
    """Store people in this order."""
    async with store.write() as tx:
        for person in people:
            await tx.people.add(person)


async def test_a_person_comes_back_with_roles_and_identities_in_order(store: OpenStore) -> None:
    roles = ((ANY_BRAND, Role.ADMIN), ("acme", Role.APPROVER), ("acme", Role.REQUESTER))
    person = make_person("Zoë 👩🏽‍🎨", roles=roles)
    person = replace(person, identities=(SLACK, *person.identities))
    await put(store, person, make_person("Ann", roles=(), identities=()))
    async with store.read() as tx:
        assert await tx.people.get(person.id) == person
        assert [one.name for one in await tx.people.all()] == ["Ann", person.name]
        assert await tx.people.name(person.id) == person.name
        assert await tx.people.name("nobody") == ""
        with pytest.raises(NotFound):
            await tx.people.get("nobody")


async def test_an_account_belongs_to_one_person(store: OpenStore) -> None:
    mia = make_person("Mia", identities=(SLACK,))
    ola = make_person("Ola")
    await put(store, mia, ola)
    with pytest.raises(Conflict, match="Eve or one of these accounts"):
        await put(store, make_person("Eve", identities=(SLACK,)))
    async with store.write() as tx:
        with pytest.raises(Conflict):
            await tx.people.update(replace(ola, identities=(SLACK,)), was=ola)
    async with store.read() as tx:
        assert await tx.people.by_identity("slack", "U1", "T1") == mia
        assert await tx.people.by_identity("slack", "U1") is None
        assert await tx.people.by_identity("local", "ola") == ola
        assert await tx.people.by_identity("local", "eve") is None


async def test_erasing_frees_the_accounts_and_keeps_the_id(store: OpenStore) -> None:
    mia = make_person("Mia")
    await put(store, mia)
    async with store.write() as tx:
        erased = await tx.people.update(replace(mia, name="", identities=(), roles=()), was=mia)
        assert await tx.people.get(mia.id) == erased
    await put(store, make_person("Mia"))


async def test_of_two_changes_of_a_person_the_second_is_refused(store: OpenStore) -> None:
    mia = make_person("Mia")
    await put(store, mia)
    async with store.write() as tx:
        new = replace(mia, roles=(*mia.roles, ("acme", Role.APPROVER)))
        changed = await tx.people.update(new, was=mia)
        assert changed == replace(new, version=1)
        with pytest.raises(StaleState):
            await tx.people.update(replace(mia, name="M."), was=mia)
        assert await tx.people.get(mia.id) == changed


async def test_a_key_opens_only_what_it_was_made_for(store: OpenStore) -> None:
    key = make_key(scopes=("assets", "jobs"), used_at=later(1))
    async with store.write() as tx:
        await tx.keys.add(key)
        with pytest.raises(Conflict):
            await tx.keys.add(key)
    async with store.read() as tx:
        assert await tx.keys.get(KeyKind.LINK, key.id) == key
        with pytest.raises(NotFound):
            await tx.keys.get(KeyKind.SESSION, key.id)


async def test_a_one_time_link_is_used_once(store: OpenStore) -> None:
    key = make_key()
    async with store.write() as tx:
        await tx.keys.add(key)

    async def use() -> bool:
        async with store.read() as tx:
            seen = await tx.keys.get(KeyKind.LINK, key.id)
        if seen.used_at is not None:
            return False
        try:
            async with store.write() as tx:
                await tx.keys.update(replace(seen, used_at=later(1)), was=seen)
        except StaleState:
            return False
        return True

    assert sum(await asyncio.gather(*(use() for _ in range(8)))) == 1


async def test_a_removed_key_is_gone(store: OpenStore) -> None:
    key = make_key()
    async with store.write() as tx:
        await tx.keys.add(key)
        await tx.keys.remove(key.id)
        await tx.keys.remove(key.id)
        with pytest.raises(NotFound):
            await tx.keys.get(KeyKind.LINK, key.id)
