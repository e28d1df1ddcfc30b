"""The Jobs port."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.core.errors import Conflict, LeaseLost, NotFound, StaleState
from bot.core.jobs import INTERACTIVE, OVERNIGHT, Job, Pace, QueuePlace
from bot.core.lives import JobState
from storage.database import OpenStore
from tests.contract.values import DRAFTS, LEASE, NOW, later, make_job, make_spec
from tests.contract.waiting import a_writer_waits
from tests.fakes.waiting import until


async def put(store: OpenStore, *jobs: Job) -> None:
    """Store jobs in this order."""
    async with store.write() as tx:
        for job in jobs:
            await tx.jobs.add(job)


async def claim(store: OpenStore, worker: str = "w", after: float = 0) -> Job | None:
    """One claim in a transaction of its own."""
    async with store.write() as tx:
        return await tx.jobs.claim(worker, now=later(after), lease=LEASE)


async def test_a_job_comes_back_as_it_was_stored(store: OpenStore) -> None:
    item = make_job().items[0]
    job = make_job(
        origin=DRAFTS,
        private=True,
        items=(item, replace(item, index=2, spec=make_spec(seed=2**63 - 1), change="more teal")),
        error="It ran out of memory 🫖",
        lease_until=later(5),
        seconds=1.25,
    )
    await put(store, job)
    async with store.read() as tx:
        assert await tx.jobs.get(job.id) == job


async def test_a_job_is_stored_once(store: OpenStore) -> None:
    job = make_job()
    await put(store, job)
    with pytest.raises(Conflict):
        await put(store, job)


async def test_an_unknown_job_is_not_found(store: OpenStore) -> None:
    async with store.write() as tx:
        with pytest.raises(NotFound):
            await tx.jobs.get("nothing")
        with pytest.raises(NotFound):
            await tx.jobs.place("nothing")
        with pytest.raises(NotFound):
            await tx.jobs.renew(make_job(), until=NOW)
        with pytest.raises(NotFound):
            await tx.jobs.update(make_job(id="nothing"), was=make_job(id="nothing"))
        with pytest.raises(NotFound):
            await tx.jobs.recent(before="nothing")


async def test_a_claim_takes_the_highest_priority_then_the_oldest(store: OpenStore) -> None:
    overnight = make_job(priority=OVERNIGHT, created_at=later(-60))
    second = make_job(priority=INTERACTIVE, created_at=later(2))
    first = make_job(priority=INTERACTIVE, created_at=later(1))
    twin = make_job(priority=INTERACTIVE, created_at=later(2))
    await put(store, overnight, second, first, twin)
    claimed = [await claim(store) for _ in range(5)]
    ids = [job.id if job else None for job in claimed]
    assert ids == [first.id, second.id, twin.id, overnight.id, None]


async def test_a_claimed_job_renders_with_a_grown_fence_and_a_lease(store: OpenStore) -> None:
    job = make_job()
    await put(store, job)
    claimed = await claim(store, "worker-1", after=3)
    assert claimed == replace(
        job,
        state=JobState.RENDERING,
        fence=1,
        starts=1,
        worker="worker-1",
        lease_until=later(3) + LEASE,
        updated_at=later(3),
        version=1,
    )
    async with store.read() as tx:
        assert await tx.jobs.get(job.id) == claimed


async def test_a_claim_can_leave_out_what_is_less_urgent(store: OpenStore) -> None:
    overnight = make_job(priority=OVERNIGHT)
    await put(store, overnight)
    async with store.write() as tx:
        assert await tx.jobs.claim("w", now=NOW, lease=LEASE, least=INTERACTIVE) is None
    urgent = make_job(priority=INTERACTIVE, created_at=later(1))
    await put(store, urgent)
    async with store.write() as tx:
        first = await tx.jobs.claim("w", now=NOW, lease=LEASE, least=INTERACTIVE)
        second = await tx.jobs.claim("w", now=NOW, lease=LEASE, least=OVERNIGHT)
    assert [job and job.id for job in (first, second)] == [urgent.id, overnight.id]


async def test_a_paused_job_is_not_claimed_and_holds_nobody_up(store: OpenStore) -> None:
    first, second = make_job(paused_at=NOW), make_job()
    await put(store, first, second)
    async with store.read() as tx:
        assert await tx.jobs.place(first.id) == QueuePlace(ahead=0, waiting=1)
        assert await tx.jobs.place(second.id) == QueuePlace(ahead=0, waiting=1)
        assert {job.id for job in await tx.jobs.unfinished()} == {first.id, second.id}
    claimed = await claim(store)
    assert claimed is not None
    assert claimed.id == second.id
    assert await claim(store) is None
    async with store.write() as tx:
        stored = await tx.jobs.get(first.id)
        await tx.jobs.update(replace(stored, paused_at=None), was=stored)
    claimed = await claim(store)
    assert claimed is not None
    assert claimed.id == first.id


async def test_a_paused_job_whose_worker_died_stays_paused(store: OpenStore) -> None:
    await put(store, make_job())
    claimed = await claim(store)
    assert claimed is not None
    async with store.write() as tx:
        await tx.jobs.update(replace(claimed, paused_at=later(1)), was=claimed)
        assert await tx.jobs.release_expired(later(10_000)) == 1
        freed = await tx.jobs.get(claimed.id)
        assert (freed.state, freed.paused_at) == (JobState.QUEUED, later(1))
    assert await claim(store, after=10_000) is None


async def test_jobs_that_are_paused_for_long_are_found(store: OpenStore) -> None:
    old, young, ended = make_job(paused_at=NOW), make_job(paused_at=later(60)), make_job()
    ended = replace(ended, state=JobState.DONE, paused_at=NOW)
    await put(store, old, young, ended, make_job())
    async with store.read() as tx:
        assert [job.id for job in await tx.jobs.paused_before(later(30), limit=9)] == [old.id]
        assert len(await tx.jobs.paused_before(later(60), limit=9)) == 2
        assert len(await tx.jobs.paused_before(later(60), limit=1)) == 1


async def test_a_claim_can_pass_over_the_jobs_of_some_people(store: OpenStore) -> None:
    first, second = make_job(requester="mia"), make_job(requester="ola", created_at=later(1))
    await put(store, first, second)
    async with store.write() as tx:
        nobody = await tx.jobs.claim("w", now=NOW, lease=LEASE, besides=("mia", "ola"))
        olas = await tx.jobs.claim("w", now=NOW, lease=LEASE, besides=("mia",))
        assert nobody is None
        assert olas is not None
        assert olas.id == second.id
        assert [job.id for job in await tx.jobs.running()] == [second.id]
        await tx.jobs.update(replace(olas, state=JobState.CHECKING), was=olas)
        assert [job.id for job in await tx.jobs.running()] == [second.id]


async def test_an_expired_lease_requeues_and_the_old_worker_is_refused(store: OpenStore) -> None:
    await put(store, make_job())
    old = await claim(store, "frozen")
    assert old is not None
    async with store.write() as tx:
        assert await tx.jobs.release_expired(later(59)) == 0
        assert await tx.jobs.release_expired(later(60)) == 1
    with pytest.raises(StaleState):
        async with store.write() as tx:
            await tx.jobs.update(replace(old, state=JobState.CHECKING), was=old)
    new = await claim(store, "awake", after=61)
    assert new is not None
    assert new.fence == 2
    for step in (old, replace(old, version=new.version)):  # only the fence tells them apart
        async with store.write() as tx:
            with pytest.raises(StaleState):
                await tx.jobs.update(replace(step, state=JobState.CHECKING), was=step)
            with pytest.raises(LeaseLost):
                await tx.jobs.renew(step, until=later(999))
    async with store.read() as tx:
        assert await tx.jobs.get(old.id) == new


async def test_a_checked_job_too_is_requeued_when_its_lease_runs_out(store: OpenStore) -> None:
    await put(store, make_job())
    job = await claim(store)
    assert job is not None
    async with store.write() as tx:
        await tx.jobs.update(replace(job, state=JobState.CHECKING), was=job)
        assert await tx.jobs.release_expired(later(61)) == 1
        freed = await tx.jobs.get(job.id)
    assert (freed.state, freed.worker, freed.lease_until) == (JobState.QUEUED, "", None)


async def test_a_renewal_is_no_change_that_the_worker_stumbles_over(store: OpenStore) -> None:
    await put(store, make_job())
    job = await claim(store)
    assert job is not None
    async with store.write() as tx:
        renewed = await tx.jobs.renew(job, until=later(500))
    assert renewed == replace(job, lease_until=later(500))
    async with store.write() as tx:
        checking = await tx.jobs.update(replace(job, state=JobState.CHECKING), was=job)
        assert checking.lease_until == later(500)
        assert await tx.jobs.get(job.id) == checking
        assert await tx.jobs.release_expired(later(400)) == 0


async def test_the_lease_of_a_job_that_has_ended_cannot_be_renewed(store: OpenStore) -> None:
    await put(store, make_job())
    job = await claim(store)
    assert job is not None
    async with store.write() as tx:
        await tx.jobs.update(replace(job, state=JobState.CANCELLED), was=job)
        with pytest.raises(LeaseLost):
            await tx.jobs.renew(job, until=later(500))


async def test_many_workers_at_once_never_share_a_job(store: OpenStore) -> None:
    jobs = [make_job(created_at=later(number)) for number in range(40)]
    await put(store, *jobs)

    async def work(worker: str) -> list[str]:
        mine = []
        while job := await claim(store, worker):
            assert job.worker == worker
            mine.append(job.id)
        return mine

    taken = await asyncio.gather(*(work(f"worker-{number}") for number in range(8)))
    everything = [job_id for mine in taken for job_id in mine]
    assert sorted(everything) == sorted(job.id for job in jobs)


async def test_the_place_in_the_queue_counts_running_and_earlier_jobs(store: OpenStore) -> None:
    running, first, overnight, second = (
        make_job(created_at=later(0)),
        make_job(created_at=later(1)),
        make_job(created_at=later(0), priority=OVERNIGHT),
        make_job(created_at=later(1)),
    )
    ended = make_job(state=JobState.DONE)
    await put(store, running, first, overnight, second, ended)
    await claim(store)
    async with store.read() as tx:
        places = [await tx.jobs.place(j.id) for j in (running, first, second, overnight, ended)]
    assert places == [QueuePlace(ahead=ahead, waiting=3) for ahead in (0, 1, 2, 3, 0)]


async def test_unfinished_jobs_stand_in_the_order_of_their_turn(store: OpenStore) -> None:
    late = make_job(created_at=later(9))
    early = make_job(created_at=later(1), requester="ola")
    overnight = make_job(created_at=later(0), priority=OVERNIGHT, brand="other")
    running = make_job(created_at=later(20), state=JobState.CHECKING)
    await put(store, late, early, overnight, running, make_job(state=JobState.FAILED))
    async with store.read() as tx:
        assert await tx.jobs.unfinished() == [running, early, late, overnight]
        assert await tx.jobs.unfinished(requester="ola") == [early]
        assert await tx.jobs.unfinished(brand="other") == [overnight]


async def test_recent_jobs_come_newest_first_page_by_page(store: OpenStore) -> None:
    # Several of the same instant: the later added one is the newer one.
    jobs = [make_job(created_at=later(number // 3)) for number in range(8)]
    await put(store, *jobs, make_job(brand="other"), make_job(requester="ola"))
    pages, before = [], ""
    async with store.read() as tx:
        while page := await tx.jobs.recent(brand="acme", requester="mia", before=before, limit=3):
            pages.append(len(page))
            assert list(page) == list(reversed(jobs))[sum(pages) - len(page) : sum(pages)]
            before = page[-1].id
        assert pages == [3, 3, 2]
        assert len(await tx.jobs.recent()) == 10
        assert len(await tx.jobs.recent(requester="ola")) == 1
        assert len(await tx.jobs.recent(brand="other")) == 1


async def test_a_lease_counts_from_any_time_zone(store: OpenStore) -> None:
    berlin = later(0).astimezone(ZoneInfo("Europe/Berlin"))
    await put(store, make_job())
    async with store.write() as tx:
        job = await tx.jobs.claim("w", now=berlin, lease=timedelta(seconds=1))
    assert job is not None
    async with store.read() as tx:
        assert (await tx.jobs.get(job.id)).lease_until == later(1)


async def test_the_pace_counts_what_the_newest_jobs_took(store: OpenStore) -> None:
    item = make_job().items[0]
    two = (item, replace(item, index=1))
    taken = (replace(item, index=2, reuse="other"), replace(item, index=3, inherited=True))
    done = {"state": JobState.DONE}
    jobs = [
        make_job(created_at=later(1), seconds=90.0, **done),
        make_job(created_at=later(2), seconds=4.0, items=(*two, *taken), **done),
        make_job(created_at=later(3), seconds=1.5, **done),
        make_job(created_at=later(4), seconds=7.0, state=JobState.FAILED),
        make_job(created_at=later(5), seconds=0.0, **done),
        make_job(created_at=later(6), seconds=50.0, brand="other", **done),
    ]
    await put(store, *jobs)
    async with store.read() as tx:
        assert await tx.jobs.pace("acme", of=4) == Pace(jobs=2, pictures=3, seconds=5.5)
        assert await tx.jobs.pace("nobody", of=4) == Pace()


@pytest.mark.parametrize("first", ["holds", "ends"])
async def test_whoever_holds_a_job_knows_whether_it_has_ended(store: OpenStore, first: str) -> None:
    await put(store, make_job())
    job = await claim(store)
    assert job is not None
    under_way, seen = asyncio.Event(), list[str]()

    async def wait_for_the_other(name: str) -> None:
        """Stay in the transaction until the other one has come as far as it can."""
        if name == first:
            under_way.set()
            await until(lambda: a_writer_waits(store))

    async def holds() -> None:
        async with store.write() as tx:
            held = await tx.jobs.hold(job.id)
            await wait_for_the_other("holds")
            seen.append(f"held {held.state.value}")

    async def ends() -> None:
        async with store.write() as tx:
            await tx.jobs.update(replace(job, state=JobState.CANCELLED), was=job)
            await wait_for_the_other("ends")
            seen.append("ended")

    async def second() -> None:
        await under_way.wait()
        await (ends() if first == "holds" else holds())

    await asyncio.gather(holds() if first == "holds" else ends(), second())
    assert seen == (
        ["held rendering", "ended"] if first == "holds" else ["ended", "held cancelled"]
    )


async def test_a_job_that_is_not_there_is_not_held(store: OpenStore) -> None:
    async with store.write() as tx:
        with pytest.raises(NotFound):
            await tx.jobs.hold("nothing")


async def test_open_jobs_are_counted_by_person_and_by_place_without_the_calendar(
    store: OpenStore,
) -> None:
    here = {"place": "discord:1", "groups": ("discord:7",)}
    async with store.write() as tx:
        for change in ({}, here, {**here, "requester": "ola"}, {**here, "slot": "s"}):
            await tx.jobs.add(make_job(**change))
        await tx.jobs.add(make_job(brand="nord", **here))
        await tx.jobs.add(make_job(state=JobState.DONE, **here))
        await tx.jobs.add(make_job(state=JobState.RENDERING))
    async with store.read() as tx:
        assert await tx.jobs.open_count("acme") == 4
        assert await tx.jobs.open_count("acme", requester="mia") == 3
        assert await tx.jobs.open_count("acme", place="discord:1") == 2
        assert await tx.jobs.open_count("acme", requester="mia", place="discord:1") == 1
