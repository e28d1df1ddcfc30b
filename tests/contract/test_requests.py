"""The Requests port."""

import asyncio
from dataclasses import replace

import pytest

from bot.core.errors import Conflict
from bot.core.ids import new_id
from bot.core.ports import KeptRequest
from storage.database import OpenStore
from tests.contract.values import NOW, digest, later, make_job

KEPT = KeptRequest(
    person="mia",
    key=digest("key"),
    content=digest("content"),
    job=new_id(),
    answer={"id": "j", "n": 2, "words": "a «red» mug 🔑", "seed": None},
    created_at=NOW,
)


async def test_a_request_comes_back_as_it_was_kept(store: OpenStore) -> None:
    async with store.write() as tx:
        await tx.requests.add(KEPT)
    async with store.read() as tx:
        assert await tx.requests.get("mia", KEPT.key) == KEPT
        assert await tx.requests.get("ola", KEPT.key) is None, "keys are each person's own"
        assert await tx.requests.get("mia", digest("other")) is None


async def test_a_key_is_used_once_and_the_transaction_of_the_second_leaves_nothing(
    store: OpenStore,
) -> None:
    job = make_job()
    async with store.write() as tx:
        await tx.requests.add(KEPT)

    async def again() -> None:
        async with store.write() as tx:
            await tx.jobs.add(job)
            await tx.requests.add(replace(KEPT, job=job.id))

    with pytest.raises(Conflict):
        await again()
    async with store.read() as tx:
        assert not await tx.jobs.unfinished()
        assert await tx.requests.get("mia", KEPT.key) == KEPT


async def test_a_dropped_request_leaves_its_key_free_and_the_others(store: OpenStore) -> None:
    other = replace(KEPT, key=digest("other"))
    async with store.write() as tx:
        await tx.requests.add(KEPT)
        await tx.requests.add(other)
        await tx.requests.drop(KEPT)
        await tx.requests.drop(replace(other, job=new_id()))
        await tx.requests.add(replace(KEPT, content=digest("new")))
    async with store.read() as tx:
        kept = await tx.requests.get("mia", KEPT.key)
        assert kept is not None
        assert kept.content == digest("new")
        assert await tx.requests.get("mia", other.key) == other


async def test_of_many_at_once_one_is_kept(store: OpenStore) -> None:
    async def keep() -> bool:
        try:
            async with store.write() as tx:
                await tx.requests.add(replace(KEPT, job=new_id()))
        except Conflict:
            return False
        return True

    assert sum(await asyncio.gather(*(keep() for _ in range(10)))) == 1


async def test_old_requests_go_and_so_do_those_of_somebody_who_is_erased(store: OpenStore) -> None:
    async with store.write() as tx:
        await tx.requests.add(KEPT)
        await tx.requests.add(replace(KEPT, key=digest("new"), created_at=later(60)))
        await tx.requests.add(replace(KEPT, person="ola"))
        assert await tx.requests.purge(later(1)) == 2
        assert await tx.requests.forget("ola") == 0
        assert await tx.requests.forget("mia") == 1
        assert await tx.requests.get("mia", digest("new")) is None
