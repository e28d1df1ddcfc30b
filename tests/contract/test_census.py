"""Counting everything: for metrics and health."""

from dataclasses import replace

from bot.core.ledger import Event
from bot.core.lives import JobState
from storage.database import OpenStore
from tests.contract.values import LEASE, NOW, later, make_asset, make_job, make_outgoing


async def test_an_empty_house_counts_nothing(store: OpenStore) -> None:
    async with store.read() as tx:
        counts = await tx.census.counts()
    assert not any(counts.jobs.values())
    assert counts.oldest_queued is None
    assert not any(counts.rows.values())


async def test_what_waits_is_told_from_what_is_held_and_what_runs(store: OpenStore) -> None:
    async with store.write() as tx:
        await tx.jobs.add(make_job(id="first"))
        await tx.jobs.claim("w", now=NOW, lease=LEASE)
        for number, job in enumerate((make_job(id="second"), make_job(id="third"))):
            await tx.jobs.add(replace(job, created_at=later(60 + number)))
        await tx.jobs.add(replace(make_job(id="fourth"), hold="brand:acme:acme"))
        await tx.jobs.add(replace(make_job(id="fifth"), state=JobState.DONE))
    async with store.read() as tx:
        counts = await tx.census.counts()
    assert counts.jobs == {"queued": 2, "held": 1, "rendering": 1, "checking": 0}
    assert counts.oldest_queued == later(60)
    assert counts.rows["jobs"] == 5


async def test_messages_are_counted_by_state_and_rows_by_table(store: OpenStore) -> None:
    async with store.write() as tx:
        await tx.outbox.add(make_outgoing("one"))
        await tx.outbox.add(make_outgoing("two"))
        await tx.outbox.claim("w", now=later(1), lease=LEASE)
        await tx.assets.add(make_asset())
        await tx.ledger.append(Event(action="job.queued", subject="job:0", at=NOW))
    async with store.read() as tx:
        counts = await tx.census.counts()
    assert sum(counts.messages.values()) == 2
    assert counts.rows["assets"] == 1
    assert counts.rows["ledger"] == 1


async def test_a_store_says_whether_its_tables_are_of_this_version(store: OpenStore) -> None:
    assert await store.is_current()
