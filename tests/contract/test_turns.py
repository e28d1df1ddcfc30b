"""Whose turn it is: fairness between people, and what a budget holds."""

import asyncio
from dataclasses import replace

from bot.core.errors import StaleState
from bot.core.jobs import INTERACTIVE, OVERNIGHT, Job, JobItem, QueuePlace
from bot.core.lives import JobState
from storage.database import OpenStore
from tests.contract.values import LEASE, NOW, later, make_job, make_spec

HOLD = "brand:acme:acme"


async def ask(
    store: OpenStore, who: str, pictures: int = 1, *, after: float = 0, **change: object
) -> Job:
    """A new job with its turn."""
    items = tuple(JobItem(index=n, spec=make_spec()) for n in range(pictures))
    job = make_job(requester=who, items=items, created_at=later(after), **change)
    async with store.write() as tx:
        turn = await tx.jobs.take_turn(who, priority=job.priority, pictures=pictures)
        job = replace(job, turn=turn)
        await tx.jobs.add(job)
    return job


async def claim(store: OpenStore) -> Job | None:
    """The next one."""
    async with store.write() as tx:
        return await tx.jobs.claim("w", now=NOW, lease=LEASE)


async def claimed(store: OpenStore, count: int) -> list[str]:
    """Whose jobs the next ones are."""
    jobs = [await claim(store) for _ in range(count)]
    return [job.requester for job in jobs if job]


async def test_ones_job_is_among_the_next_two_after_the_500_of_another(store: OpenStore) -> None:
    async with store.write() as tx:
        for number in range(500):
            turn = await tx.jobs.take_turn("mia", priority=INTERACTIVE, pictures=1)
            await tx.jobs.add(make_job(requester="mia", turn=turn, created_at=later(number)))
    assert await claimed(store, 7) == ["mia"] * 7
    await ask(store, "ola", after=900)
    assert "ola" in await claimed(store, 2)


async def test_two_people_take_turns_however_many_one_has(store: OpenStore) -> None:
    for number in range(20):
        await ask(store, "mia", after=number)
    for number in range(5):
        await ask(store, "ola", after=100 + number)
    assert (await claimed(store, 10)).count("ola") == 5


async def test_turns_count_pictures_and_not_jobs(store: OpenStore) -> None:
    for number in range(4):
        await ask(store, "mia", pictures=4, after=number)
    for number in range(16):
        await ask(store, "ola", after=50 + number)
    first_ten = await claimed(store, 10)
    assert (first_ten.count("mia"), first_ten.count("ola")) == (2, 8)


async def test_who_rendered_alone_pays_nothing_for_it_later(store: OpenStore) -> None:
    for number in range(30):
        await ask(store, "mia", after=number)
    assert len(await claimed(store, 30)) == 30
    for number in range(3):
        await ask(store, "ola", after=100 + number)
        await ask(store, "mia", after=100.5 + number)
    assert await claimed(store, 6) == ["ola", "mia"] * 3


async def test_a_second_try_keeps_its_turn_and_gives_newcomers_none(store: OpenStore) -> None:
    for number in range(6):
        await ask(store, "mia", after=number)
    first = await claim(store)
    assert first is not None
    await claimed(store, 3)
    async with store.write() as tx:
        checking = await tx.jobs.update(replace(first, state=JobState.CHECKING), was=first)
        await tx.jobs.update(replace(checking, state=JobState.QUEUED), was=checking)
        assert await tx.jobs.take_turn("ola", priority=INTERACTIVE, pictures=1) == 4
    again = await claim(store)
    assert again is not None
    assert again.id == first.id


async def test_priorities_have_turns_of_their_own(store: OpenStore) -> None:
    for number in range(5):
        await ask(store, "mia", after=number, priority=OVERNIGHT)
    await ask(store, "ola", after=9)
    job = await ask(store, "mia", after=10)
    assert job.turn == 0
    assert await claimed(store, 3) == ["ola", "mia", "mia"]


async def test_ones_turns_asked_for_at_once_are_all_different(store: OpenStore) -> None:
    async def turn(_: int) -> int:
        async with store.write() as tx:
            return await tx.jobs.take_turn("mia", priority=INTERACTIVE, pictures=2)

    turns = await asyncio.gather(*(turn(number) for number in range(20)))
    assert len(set(turns)) == 20


async def test_a_held_job_is_not_claimed_and_stands_last(store: OpenStore) -> None:
    held = await ask(store, "mia", hold=HOLD)
    free = await ask(store, "ola", after=5)
    async with store.read() as tx:
        assert await tx.jobs.unfinished() == [free, held]
        assert await tx.jobs.place(held.id) == QueuePlace(ahead=0, waiting=1)
        assert await tx.jobs.place(free.id) == QueuePlace(ahead=0, waiting=1)
    assert await claimed(store, 2) == ["ola"]
    async with store.write() as tx:
        await tx.jobs.update(replace(held, hold=""), was=held)
    assert await claimed(store, 2) == ["mia"]


async def test_held_jobs_are_found_by_their_account_oldest_first(store: OpenStore) -> None:
    other = make_job(hold="team::design", created_at=later(0))
    late = make_job(hold=HOLD, created_at=later(9))
    overnight = make_job(hold=HOLD, created_at=later(1), priority=OVERNIGHT)
    twins = [make_job(hold=HOLD, created_at=later(3)) for _ in range(2)]
    ended = make_job(hold=HOLD, created_at=later(0), state=JobState.CANCELLED)
    order = [*twins, late, overnight]
    async with store.write() as tx:
        assert await tx.jobs.holds() == []
        for job in (other, late, overnight, *twins, ended, make_job()):
            await tx.jobs.add(job)
        assert await tx.jobs.holds() == [HOLD, "team::design"]
        assert await tx.jobs.held(HOLD) == order
        assert await tx.jobs.held(HOLD, limit=2) == order[:2]
        # The last of a page has moved on before the next page is asked for.
        await tx.jobs.update(replace(order[1], hold="", turn=77), was=order[1])
        assert await tx.jobs.held(HOLD, after=order[1], limit=2) == order[2:]
        assert await tx.jobs.held(HOLD, after=order[3]) == []


async def test_two_who_free_the_same_job_free_it_once(store: OpenStore) -> None:
    held = make_job(hold=HOLD)
    async with store.write() as tx:
        await tx.jobs.add(held)

    async def free() -> bool:
        try:
            async with store.write() as tx:
                await tx.jobs.update(replace(held, hold=""), was=held)
        except StaleState:
            return False
        return True

    assert sorted(await asyncio.gather(free(), free())) == [False, True]
