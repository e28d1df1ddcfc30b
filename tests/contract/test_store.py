"""Transactions of the Store port."""

import asyncio
from dataclasses import replace

import pytest

from bot.core.errors import Conflict, Mistake, NotFound, StaleState
from bot.core.ledger import Event
from bot.core.lives import JobState
from bot.core.ports import Store
from storage.database import OpenStore
from tests.contract.values import NOW, make_job, make_outgoing, make_person


class Broken(Exception):
    """Stands for anything that goes wrong inside a block."""


async def counts(store: Store) -> dict[str, int]:
    """How many messages the outbox has, by state."""
    async with store.read() as tx:
        return await tx.outbox.counts()


async def test_a_state_change_its_message_and_its_event_roll_back_together(
    store: OpenStore,
) -> None:
    job = make_job()
    async with store.write() as tx:
        await tx.jobs.add(job)

    async def cancel_and_break() -> None:
        async with store.write() as tx:
            await tx.jobs.update(replace(job, state=JobState.CANCELLED), was=job)
            await tx.outbox.add(make_outgoing(f"job:{job.id}"))
            await tx.ledger.append(Event(action="job.cancelled", subject=f"job:{job.id}", at=NOW))
            raise Broken

    with pytest.raises(Broken):
        await cancel_and_break()
    async with store.read() as tx:
        assert (await tx.jobs.get(job.id)) == job
        assert await tx.ledger.recent() == []
    assert await counts(store) == {}


async def test_what_a_block_did_is_there_after_it_and_inside_it(store: OpenStore) -> None:
    job = make_job()
    async with store.write() as tx:
        await tx.jobs.add(job)
        cancelled = await tx.jobs.update(replace(job, state=JobState.CANCELLED), was=job)
        assert await tx.jobs.get(job.id) == cancelled
    async with store.read() as tx:
        assert await tx.jobs.get(job.id) == cancelled


async def test_a_reader_sees_nothing_of_an_unfinished_write(store: OpenStore) -> None:
    job = make_job()
    async with store.write() as writing:
        await writing.jobs.add(job)
        async with store.read() as reading:
            with pytest.raises(NotFound):
                await reading.jobs.get(job.id)


async def test_a_reader_keeps_one_picture_while_others_write(store: OpenStore) -> None:
    first, second = make_job(), make_job()
    async with store.write() as tx:
        await tx.jobs.add(first)
    async with store.read() as reading:
        assert len(await reading.jobs.recent()) == 1
        async with store.write() as tx:
            await tx.jobs.add(second)
        assert len(await reading.jobs.recent()) == 1


async def test_a_reader_cannot_change_anything(store: OpenStore) -> None:
    async with store.read() as tx:
        with pytest.raises(RuntimeError, match=r"Store\.write"):
            await tx.jobs.add(make_job())


async def test_a_write_inside_a_write_is_refused_instead_of_waiting_for_ever(
    store: OpenStore,
) -> None:
    async with store.write():
        with pytest.raises(RuntimeError, match="inside a write"):
            async with store.write():
                pass
    async with store.write() as tx:  # and the first one has let go
        await tx.jobs.add(make_job())


async def test_a_refused_addition_leaves_the_transaction_usable(store: OpenStore) -> None:
    mia, other = make_person("Mia"), make_person("Ola")
    async with store.write() as tx:
        await tx.people.add(mia)
        with pytest.raises(Conflict):
            await tx.people.add(replace(mia, name="Mia again"))
        with pytest.raises(Conflict):
            await tx.people.add(replace(other, identities=mia.identities))
        await tx.people.add(other)
    async with store.read() as tx:
        assert await tx.people.all() == [mia, other]


async def test_a_cancelled_writer_rolls_back_and_lets_go(store: OpenStore) -> None:
    entered = asyncio.Event()

    async def write_and_hang() -> None:
        async with store.write() as tx:
            await tx.jobs.add(make_job())
            entered.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(write_and_hang())
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with store.write() as tx:
        assert await tx.jobs.recent() == []


async def test_writers_cancelled_at_any_moment_leave_the_store_whole(store: OpenStore) -> None:
    jobs = [make_job() for _ in range(40)]
    finished = []

    async def write(number: int) -> None:
        async with store.write() as tx:
            await tx.jobs.add(jobs[number])
            await tx.ledger.append(Event(action="job.queued", subject=jobs[number].id, at=NOW))
        finished.append(jobs[number].id)

    for number in range(len(jobs)):
        task = asyncio.create_task(write(number))
        await asyncio.sleep(number * 0.0002)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    async with store.write() as tx:
        stored = {job.id for job in await tx.jobs.recent(limit=100)}
        told = {event.subject for event in await tx.ledger.recent(limit=100)}
    assert set(finished) <= stored
    assert told == stored


async def test_of_many_writers_with_the_same_version_one_wins(store: OpenStore) -> None:
    job = make_job()
    async with store.write() as tx:
        await tx.jobs.add(job)

    async def cancel(reason: str) -> bool:
        try:
            async with store.write() as tx:
                new = replace(job, state=JobState.CANCELLED, error=reason)
                await tx.jobs.update(new, was=job)
        except StaleState:
            return False
        return True

    won = await asyncio.gather(*(cancel(str(number)) for number in range(12)))
    assert sum(won) == 1
    async with store.read() as tx:
        stored = await tx.jobs.get(job.id)
    assert stored.version == 1
    assert stored.error == str(won.index(True))


@pytest.mark.parametrize("text", ["nul \x00 here", "half \ud83d a character"])
async def test_text_that_no_database_keeps_is_refused_by_every_store(
    store: OpenStore, text: str
) -> None:
    for job in (make_job(error=text), make_job(brief=replace(make_job().brief, words=text))):
        with pytest.raises(Mistake):
            async with store.write() as tx:
                await tx.jobs.add(job)


async def test_an_update_may_not_turn_one_thing_into_another(store: OpenStore) -> None:
    job = make_job()
    async with store.write() as tx:
        await tx.jobs.add(job)
        with pytest.raises(ValueError, match="may not change the id"):
            await tx.jobs.update(replace(job, id="another"), was=job)
