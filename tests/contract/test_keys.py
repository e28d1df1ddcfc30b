"""The Keys and AccountLinks ports, and the admins of the People port."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.errors import Conflict, NotFound, StaleState
from bot.core.ids import new_id
from bot.core.lives import LinkState
from bot.core.people import ANY_BRAND, AccountLink, Identity, KeyKind, Role
from bot.core.policy import keeps_an_admin
from storage.database import OpenStore
from tests.contract.values import NOW, digest, later, make_key, make_person
from tests.contract.waiting import a_writer_waits
from tests.fakes.waiting import until

SLACK = Identity(platform="slack", user="U1", team="T1")
DISCORD = Identity(platform="discord", user="42")
WITHIN = timedelta(minutes=15)
ADMIN = ((ANY_BRAND, Role.ADMIN),)


def make_link(**change: object) -> AccountLink:
    """An open code of Mia's, asked for on Slack."""
    plain: dict[str, object] = {
        "id": new_id(),
        "person": "mia",
        "code_hash": digest("code"),
        "asked_from": SLACK,
        "created_at": NOW,
        "expires_at": later(600),
    }
    return AccountLink(**{**plain, **change})  # type: ignore[arg-type]


async def test_a_persons_keys_are_listed_by_kind_oldest_first(store: OpenStore) -> None:
    new = make_key(kind=KeyKind.API, created_at=later(5), label="ci 🔑", scopes=("read",))
    old = make_key(kind=KeyKind.API, expires_at=later(-5))
    async with store.write() as tx:
        for key in (new, old, make_key(), make_key(kind=KeyKind.API, person="ola")):
            await tx.keys.add(key)
    async with store.read() as tx:
        assert await tx.keys.of_person("mia", KeyKind.API) == [old, new]
        assert await tx.keys.of_person("mia", KeyKind.SESSION) == []


async def test_all_keys_of_a_person_go_at_once_or_by_kind(store: OpenStore) -> None:
    async with store.write() as tx:
        for kind in KeyKind:
            await tx.keys.add(make_key(kind=kind))
        await tx.keys.add(make_key(person="ola"))
        assert await tx.keys.remove_of("mia", KeyKind.SESSION, KeyKind.INVITE) == 2
        assert await tx.keys.of_person("mia", KeyKind.SESSION) == []
        assert len(await tx.keys.of_person("mia", KeyKind.API)) == 1
        assert await tx.keys.remove_of("mia") == 2
        assert await tx.keys.remove_of("mia") == 0
        assert len(await tx.keys.of_person("ola", KeyKind.LINK)) == 1


async def test_keys_that_ended_before_a_time_are_forgotten(store: OpenStore) -> None:
    gone, stays = make_key(expires_at=later(-1)), make_key(expires_at=NOW)
    async with store.write() as tx:
        await tx.keys.add(gone)
        await tx.keys.add(stays)
        assert await tx.keys.purge(NOW) == 1
        assert await tx.keys.get(KeyKind.LINK, stays.id) == stays
        with pytest.raises(NotFound):
            await tx.keys.get(KeyKind.LINK, gone.id)


async def test_a_code_comes_back_and_moves_along_its_life(store: OpenStore) -> None:
    link = make_link()
    async with store.write() as tx:
        await tx.links.add(link)
        with pytest.raises(Conflict):
            await tx.links.add(link)
        assert await tx.links.get(link.id) == link
        claim = replace(link, state=LinkState.CLAIMED, claim=DISCORD, claim_name="Mia 🎨")
        claimed = await tx.links.update(claim, was=link)
        assert claimed == replace(claim, version=1)
        with pytest.raises(StaleState):
            await tx.links.update(claim, was=link)
        with pytest.raises(StaleState):
            await tx.links.update(replace(claimed, state=LinkState.OPEN), was=claimed)
        assert await tx.links.of_person("mia") == [claimed]
        with pytest.raises(NotFound):
            await tx.links.get("nothing")


async def test_a_code_is_found_while_it_is_open(store: OpenStore) -> None:
    older, newer = make_link(), make_link(person="ola")
    async with store.write() as tx:
        await tx.links.add(older)
        await tx.links.add(newer)
        assert await tx.links.by_code(digest("code")) == newer
        await tx.links.update(replace(newer, state=LinkState.REFUSED), was=newer)
        assert await tx.links.by_code(digest("code")) == older
        assert await tx.links.by_code(digest("other")) is None


async def test_tries_count_per_account_and_begin_anew_after_the_window(store: OpenStore) -> None:
    async def count(account: Identity, seconds: float) -> int:
        async with store.write() as tx:
            return await tx.links.count_try(account, later(seconds), WITHIN)

    assert [await count(SLACK, n) for n in (0, 1, 2)] == [1, 2, 3]
    assert await count(DISCORD, 2) == 1
    assert await count(replace(SLACK, team="T2"), 2) == 1
    assert await count(SLACK, WITHIN.total_seconds()) == 1
    async with store.write() as tx:
        await tx.links.forget_tries(SLACK)
        await tx.links.forget_tries(SLACK)
    assert await count(SLACK, 901) == 1


async def test_tries_that_come_at_once_all_count(store: OpenStore) -> None:
    async def count() -> int:
        async with store.write() as tx:
            return await tx.links.count_try(SLACK, NOW, WITHIN)

    assert sorted(await asyncio.gather(*(count() for _ in range(8)))) == list(range(1, 9))


async def test_old_codes_and_tries_are_forgotten(store: OpenStore) -> None:
    async with store.write() as tx:
        await tx.links.add(make_link(expires_at=later(-1)))
        await tx.links.add(make_link(expires_at=later(1)))
        await tx.links.count_try(SLACK, later(-1), WITHIN)
        await tx.links.count_try(DISCORD, later(1), WITHIN)
        assert await tx.links.purge(NOW) == 2
        assert len(await tx.links.of_person("mia")) == 1
        assert await tx.links.count_try(SLACK, NOW, WITHIN) == 1
        assert await tx.links.count_try(DISCORD, later(2), WITHIN) == 2


async def test_admins_are_the_active_ones_of_all_brands(store: OpenStore) -> None:
    ida = make_person("Ida", roles=ADMIN)
    ann = make_person("Ann", roles=(*ADMIN, ("acme", Role.REQUESTER)))
    left = make_person("Lea", roles=ADMIN, active=False)
    part = make_person("Pam", roles=(("acme", Role.ADMIN), (ANY_BRAND, Role.AUDITOR)))
    async with store.write() as tx:
        for person in (ida, ann, left, part):
            await tx.people.add(person)
        assert await tx.people.admins() == [ann, ida]


async def test_of_two_who_dismiss_each_other_one_is_refused(store: OpenStore) -> None:
    ida, ann = make_person("Ida", roles=ADMIN), make_person("Ann", roles=ADMIN)
    async with store.write() as tx:
        await tx.people.add(ida)
        await tx.people.add(ann)
    asked, have_read = asyncio.Barrier(2), set[str]()

    async def dismiss(name: str) -> None:
        await asked.wait()
        async with store.write() as tx:
            admins = await tx.people.admins()
            have_read.add(name)

            async def other_has_read_or_waits() -> bool:
                return len(have_read) == 2 or await a_writer_waits(store)

            await until(other_has_read_or_waits)
            person = next((one for one in admins if one.name == name), None)
            if person is not None:
                keeps_an_admin(person, admins)
                await tx.people.update(replace(person, roles=()), was=person)

    ended = await asyncio.gather(dismiss("Ida"), dismiss("Ann"), return_exceptions=True)
    assert not any(isinstance(one, TimeoutError) for one in ended)
    async with store.read() as tx:
        assert len(await tx.people.admins()) == 1
