"""A job's progress is told where it was asked for, and never after its end."""

from dataclasses import replace

import pytest

from bot.core.commands import Cancel, Imagine
from bot.core.jobs import Job
from bot.core.live import LiveProgress
from bot.core.lives import JobState
from bot.core.messages import PictureRef
from bot.core.progressing import tell_progress
from bot.core.sending import Sender
from brand.templates import Brief
from tests.fakes.town import Town

HALF = LiveProgress(fraction=0.5, eta_s=4)
PREVIEW = PictureRef(asset="", blob="f" * 64, alt="so far", width=64, height=64)


@pytest.fixture
async def job(town: Town) -> Job:
    """A job in the middle of its rendering."""
    card = await town.say(Imagine(brief=Brief(words="a red mug")))
    async with town.house.store.write() as tx:
        job = await tx.jobs.claim("w1", now=town.clock.now(), lease=town.house.lease)
    assert job is not None
    assert card.subject == f"job:{job.id}"
    return job


async def shown(town: Town) -> list[tuple[str, str]]:
    """What stands in the chat now: state and status of each job's card."""
    sender = Sender(town.house, "s1")
    while await sender.run_one():
        pass
    return [(card.state, card.status) for card in town.chat.cards.values() if card.kind == "job"]


async def test_a_step_changes_the_one_message_of_the_job(town: Town, job: Job) -> None:
    await shown(town)
    town.house.live.put(job.id, HALF)
    assert await tell_progress(town.house, job.id, PREVIEW)
    assert await shown(town) == [("rendering", "Rendering · 50 % · about 4 s left")]
    (card,) = town.chat.cards.values()
    assert (card.progress, card.preview) == (0.5, PREVIEW)


async def test_of_steps_that_were_not_sent_yet_only_the_newest_is(town: Town, job: Job) -> None:
    for fraction in (0.1, 0.2, 0.3):
        town.house.live.put(job.id, LiveProgress(fraction=fraction))
        await tell_progress(town.house, job.id)
    async with town.house.store.read() as tx:
        assert (await tx.outbox.counts())["pending"] == 1
    assert await shown(town) == [("rendering", "Rendering · 30 %")]


async def test_nothing_is_told_of_a_job_that_renders_elsewhere(town: Town, job: Job) -> None:
    assert not await tell_progress(town.house, job.id)
    town.house.live.put("nothing", HALF)
    assert not await tell_progress(town.house, "nothing")


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.CHECKING])
async def test_only_a_job_that_renders_has_progress(town: Town, job: Job, state: JobState) -> None:
    async with town.house.store.write() as tx:
        await tx.jobs.update(replace(job, state=state), was=job)
    town.house.live.put(job.id, HALF)
    assert not await tell_progress(town.house, job.id)


async def test_a_job_that_was_asked_for_nowhere_is_not_told_of(town: Town, job: Job) -> None:
    async with town.house.store.write() as tx:
        await tx.jobs.update(replace(job, origin=None), was=job)
    town.house.live.put(job.id, HALF)
    assert not await tell_progress(town.house, job.id)


async def test_a_late_step_does_not_come_after_the_last_word(town: Town, job: Job) -> None:
    town.house.live.put(job.id, HALF)
    await tell_progress(town.house, job.id)
    await town.say(Cancel(job=job.id))
    assert not await tell_progress(town.house, job.id)
    assert [state for state, _ in await shown(town)] == ["cancelled"]
