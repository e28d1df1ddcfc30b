"""Device time that was used counts, also where no picture came of it."""

import asyncio
from dataclasses import replace

from bot.core.commands import Cancel, Imagine
from bot.core.dispatch import Dispatch
from bot.core.jobs import Job
from bot.core.lives import JobState
from bot.core.picturing import AT_ONCE
from bot.core.rendering import RenderingWorker
from bot.core.tariff import Tariff
from brand.spec import RenderCancelled, RenderFailed, RenderRequest
from brand.templates import Brief
from tests.fakes.town import Town
from tests.fakes.waiting import until

SEED = 7
EACH_S = 0.5
"""What the pretended device takes for a picture."""
STOPPED_S = 0.2


async def newest(town: Town) -> Job:
    async with town.house.store.read() as tx:
        return (await tx.jobs.recent(limit=1))[0]


async def spent_ms(town: Town) -> set[int]:
    """Of the person and the brand in this month."""
    async with town.house.store.read() as tx:
        spends = await tx.budgets.spends("2026-03")
    assert all(not spend.reserved_ms and not spend.reserved_pictures for spend in spends)
    return {spend.ms for spend in spends}


async def ask(town: Town, n: int) -> None:
    await town.say(Imagine(brief=Brief(words="a mug", n=n, seed=SEED)))


def stopped_after(seconds: float) -> RenderCancelled:
    error = RenderCancelled("Cancelled on request.")
    error.seconds = seconds
    return error


async def test_a_cancelled_job_pays_for_what_it_rendered(town: Town) -> None:
    town.house = replace(town.house, tariff=Tariff(per_hour=3600.0))
    town.house = replace(town.house, door=Dispatch(town.house))
    held = asyncio.Event()

    async def hold(request: RenderRequest) -> None:
        if request.spec.seed == SEED + 2:
            held.set()
            await town.renderer.until_cancelled(request.render_id)
            raise stopped_after(STOPPED_S)

    town.renderer.before_picture = hold
    await ask(town, n=3)
    work = asyncio.create_task(RenderingWorker(town.house, "w").run_one())
    await held.wait()
    live = (await newest(town)).id
    await until(lambda: town.house.live.get(live).picture == 3)  # type: ignore[union-attr]
    await town.say(Cancel())
    assert await spent_ms(town) == {0}
    await work
    job = await newest(town)
    assert (job.state, job.charge) == (JobState.CANCELLED, None)
    assert job.seconds == 2 * EACH_S + STOPPED_S
    assert await spent_ms(town) == {1200}
    async with town.house.store.read() as tx:
        events = await tx.ledger.recent(subject=f"job:{job.id}")
        [charged] = [event for event in events if event.action == "job.charged"]
    assert charged.facts["seconds"] == job.seconds
    assert charged.facts["cost"] == 1.2


async def test_a_failed_job_pays_for_what_it_rendered(town: Town) -> None:
    begun = asyncio.Event()

    async def fail(request: RenderRequest) -> None:
        if request.spec.seed == SEED:
            begun.set()
            await town.renderer.until_cancelled(request.render_id)
            await asyncio.to_thread(bool)  # it hears of it in its own thread, not at once
            raise stopped_after(STOPPED_S)
        await begun.wait()
        error = RenderFailed("the model gave no numbers")
        error.seconds = 0.3
        raise error

    town.renderer.before_picture = fail
    await ask(town, n=2)
    await RenderingWorker(town.house, "w").run_one()
    job = await newest(town)
    assert job.state is JobState.FAILED
    assert job.seconds == 0.5
    assert await spent_ms(town) == {500}
    async with town.house.store.read() as tx:
        events = await tx.ledger.recent(subject=f"job:{job.id}")
    assert next(e for e in events if e.action == "job.failed").facts["seconds"] == 0.5


async def test_a_picture_that_was_counted_already_is_not_charged_again(town: Town) -> None:
    """Cancelled while the gates look at it."""
    looked_at, may_go, real = asyncio.Event(), asyncio.Event(), town.studio.check

    async def check(*given: object) -> object:
        looked_at.set()
        await may_go.wait()
        return await real(*given)  # type: ignore[arg-type]

    town.studio.check = check  # type: ignore[method-assign, assignment]
    await ask(town, n=1)
    work = asyncio.create_task(RenderingWorker(town.house, "w").run_one())
    await looked_at.wait()
    await town.say(Cancel())
    may_go.set()
    await work
    job = await newest(town)
    assert (job.state, job.seconds) == (JobState.CANCELLED, EACH_S)
    assert await spent_ms(town) == {500}


async def test_what_another_worker_has_taken_over_is_not_charged_by_the_first(town: Town) -> None:
    held = asyncio.Event()

    async def hold(request: RenderRequest) -> None:
        if not held.is_set():
            held.set()
            await town.renderer.until_cancelled(request.render_id)
            raise stopped_after(STOPPED_S)

    town.renderer.before_picture = hold
    await ask(town, n=1)
    first = asyncio.create_task(RenderingWorker(town.house, "w1").run_one())
    await held.wait()
    town.clock.jump(town.house.lease.total_seconds() + 1)
    async with town.house.store.write() as tx:
        assert await tx.jobs.release_expired(town.clock.now()) == 1
        taken = await tx.jobs.claim("w2", now=town.clock.now(), lease=town.house.lease)
    assert taken is not None
    await town.renderer.cancel(taken.items[0].render_id)
    await first
    job = await newest(town)
    assert (job.state, job.seconds) == (JobState.RENDERING, 0.0)


async def test_no_picture_of_a_job_begins_once_another_one_failed(town: Town) -> None:
    begun: list[int] = []

    async def hold(request: RenderRequest) -> None:
        begun.append(request.spec.seed)
        if len(begun) == AT_ONCE:
            raise RenderFailed("the model gave no numbers")
        await town.renderer.until_cancelled(request.render_id)

    town.renderer.before_picture = hold
    kit = replace(town.kit, generation=replace(town.kit.generation, max_count=2 * AT_ONCE))
    async with town.house.store.write() as tx:
        await tx.kits.put(kit, source="", at=town.clock.now())
    await ask(town, n=2 * AT_ONCE)
    await RenderingWorker(town.house, "w").run_one()
    assert (await newest(town)).state is JobState.FAILED
    assert len(begun) == AT_ONCE
