"""The Uploads port."""

from dataclasses import replace

import pytest

from bot.core.ids import new_id
from bot.core.lives import JobState
from bot.core.ports import Upload, Waiting
from storage.database import OpenStore
from tests.contract.values import NOW, digest, later, make_job

MUG = Upload(person="mia", sha256=digest("mug"), bytes=1000, at=NOW)
LARGE = 3_000_000_000
"""More than fits into 32 bits."""


async def test_an_upload_belongs_to_whoever_brought_it(store: OpenStore) -> None:
    async with store.write() as tx:
        await tx.uploads.put(MUG)
        await tx.uploads.put(replace(MUG, sha256=digest("hat"), bytes=LARGE))
    async with store.read() as tx:
        assert await tx.uploads.get("mia", MUG.sha256) == MUG
        assert await tx.uploads.get("ola", MUG.sha256) is None
        hat = await tx.uploads.get("mia", digest("hat"))
        assert hat is not None
        assert hat.bytes == LARGE


async def test_what_is_brought_again_counts_from_then_and_keeps_its_job(store: OpenStore) -> None:
    job = new_id()
    async with store.write() as tx:
        await tx.uploads.put(MUG)
        await tx.uploads.use("mia", [MUG.sha256], job)
        await tx.uploads.put(replace(MUG, at=later(60)))
        assert await tx.uploads.get("mia", MUG.sha256) == replace(MUG, at=later(60), job=job)


async def test_a_use_counts_for_the_person_s_own_uploads_alone(store: OpenStore) -> None:
    async with store.write() as tx:
        await tx.uploads.put(MUG)
        await tx.uploads.use("ola", [MUG.sha256, digest("hat")], new_id())
        await tx.uploads.use("mia", [], new_id())
        assert await tx.uploads.get("mia", MUG.sha256) == MUG


@pytest.mark.parametrize(
    ("state", "old", "waits"),
    [
        (None, False, True),
        (None, True, False),
        (JobState.QUEUED, False, True),
        (JobState.QUEUED, True, True),
        (JobState.RENDERING, True, True),
        (JobState.CHECKING, True, True),
        (JobState.FAILED, False, True),
        (JobState.CANCELLED, False, True),
        (JobState.CANCELLED, True, False),
        (JobState.DONE, False, False),
        (JobState.DONE, True, False),
    ],
)
async def test_what_waits_is_new_and_unused_or_in_a_job_that_has_not_ended(
    store: OpenStore, state: JobState | None, old: bool, waits: bool
) -> None:
    async with store.write() as tx:
        upload = replace(MUG, at=NOW if old else later(20))
        await tx.uploads.put(upload)
        await tx.uploads.put(replace(upload, person="ola"))
        if state is not None:
            job = make_job(requester="mia", state=state)
            await tx.jobs.add(job)
            await tx.uploads.use("mia", [MUG.sha256], job.id)
        found = await tx.uploads.waiting("mia", later(10))
    assert found == (Waiting(files=1, bytes=1000) if waits else Waiting())


async def test_what_waits_is_added_up(store: OpenStore) -> None:
    job = make_job(requester="mia")
    async with store.write() as tx:
        await tx.jobs.add(job)
        for number in range(3):
            await tx.uploads.put(replace(MUG, sha256=digest(f"{number}"), bytes=LARGE))
        await tx.uploads.use("mia", [digest("0")], job.id)
        assert await tx.uploads.waiting("mia", NOW) == Waiting(files=3, bytes=3 * LARGE)
        assert await tx.uploads.waiting("mia", later(1)) == Waiting(files=1, bytes=LARGE)


async def test_old_ones_that_no_job_used_are_forgotten(store: OpenStore) -> None:
    used, new = replace(MUG, sha256=digest("used")), replace(MUG, sha256=digest("n"), at=later(9))
    async with store.write() as tx:
        for upload in (MUG, used, new):
            await tx.uploads.put(upload)
        await tx.uploads.use("mia", [used.sha256], new_id())
        assert await tx.uploads.purge(later(5)) == 1
        assert await tx.uploads.get("mia", MUG.sha256) is None
        assert await tx.uploads.get("mia", used.sha256) is not None
        assert await tx.uploads.get("mia", new.sha256) == new


async def test_an_upload_alone_keeps_no_file(store: OpenStore) -> None:
    async with store.write() as tx:
        await tx.uploads.put(MUG)
        await tx.uploads.use("mia", [MUG.sha256], new_id())
        assert await tx.pruning.unnamed([MUG.sha256]) == {MUG.sha256}
