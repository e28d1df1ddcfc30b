"""Any value through any store and back, equal in every field."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.core.assets import Asset, Rendition
from bot.core.ids import new_id
from bot.core.jobs import Job
from bot.core.ledger import Event
from bot.core.lives import OutboxState, ReviewState
from bot.core.people import Key
from bot.core.ports import Outgoing, TimelineMessage
from bot.core.publications import Publication
from bot.core.reviews import Review, Vote
from bot.core.slots import Schedule, Slot
from brand.kit import BrandKit
from brand.loras import LoraVersion
from storage.database import OpenStore
from tests.contract.strategies import examples, values
from tests.contract.values import make_asset, make_schedule


def drawn(kind: type, **change: Any) -> list[Any]:
    """Values with ids of their own."""
    return [replace(value, id=new_id(), **change) for value in examples(values(kind))]


async def test_jobs(store: OpenStore) -> None:
    for job in drawn(Job):
        async with store.write() as tx:
            await tx.jobs.add(job)
        async with store.read() as tx:
            assert await tx.jobs.get(job.id) == job


async def test_assets_and_renditions(store: OpenStore) -> None:
    renditions = examples(values(Rendition))
    for asset, rendition in zip(drawn(Asset), renditions, strict=False):
        own = replace(rendition, id=new_id(), asset=asset.id)
        whole = replace(asset, renditions=(own,))
        async with store.write() as tx:
            await tx.assets.add(whole)
        async with store.read() as tx:
            assert await tx.assets.get(asset.id) == whole


async def test_reviews_and_votes(store: OpenStore) -> None:
    votes = examples(values(Vote))
    for review, vote in zip(drawn(Review, state=ReviewState.DECIDED), votes, strict=False):
        voted = replace(review, votes=(vote,))
        async with store.write() as tx:
            await tx.reviews.add(voted)
        async with store.read() as tx:
            assert await tx.reviews.get(review.id) == voted


async def test_publications(store: OpenStore) -> None:
    for publication in drawn(Publication):
        own = replace(publication, review=new_id())
        async with store.write() as tx:
            await tx.publications.add(own)
        async with store.read() as tx:
            assert await tx.publications.get(own.id) == own


async def test_schedules_and_slots(store: OpenStore) -> None:
    for schedule, slot in zip(drawn(Schedule), drawn(Slot), strict=False):
        own = replace(slot, schedule=schedule.id)
        async with store.write() as tx:
            await tx.schedules.add(schedule)
            assert await tx.schedules.add_slot(own)
        async with store.read() as tx:
            assert await tx.schedules.get(schedule.id) == schedule
            assert await tx.schedules.get_slot(own.id) == own


async def test_outgoing_messages(store: OpenStore) -> None:
    for message in drawn(Outgoing, state=OutboxState.SENDING):
        async with store.write() as tx:
            await tx.outbox.add(message)
            again = await tx.outbox.update(message, was=message)
            assert again == replace(message, version=message.version + 1)
        async with store.read() as tx:
            every = await tx.outbox.expired(datetime(9000, 1, 1, tzinfo=UTC))
            assert message.lease_until is None or again in every


async def test_events(store: OpenStore) -> None:
    for number, event in enumerate(drawn(Event)):
        own = replace(event, seq=number)
        async with store.write() as tx:
            await tx.ledger.append(own)
        async with store.read() as tx:
            assert (await tx.ledger.recent(limit=1)) == [own]


async def test_keys(store: OpenStore) -> None:
    for key in drawn(Key):
        async with store.write() as tx:
            await tx.keys.add(key)
        async with store.read() as tx:
            assert await tx.keys.get(key.kind, key.id) == key


async def test_kits(store: OpenStore) -> None:
    for kit in examples(values(BrandKit)):
        async with store.write() as tx:
            await tx.kits.put(kit, source=kit.voice, at=make_schedule().created_at)
            assert await tx.kits.current(kit.id) == kit


async def test_loras(store: OpenStore) -> None:
    for number, lora in enumerate(examples(values(LoraVersion))):
        own = replace(lora, brand=f"brand-{number}")
        async with store.write() as tx:
            await tx.loras.add(own)
        async with store.read() as tx:
            assert await tx.loras.get(own.brand, own.sha256) == own


async def test_timeline_messages(store: OpenStore) -> None:
    for message in drawn(TimelineMessage, outgoing=""):
        own = replace(message, reactions=message.reactions[:1])
        await store.timeline.add(own)
        assert await store.timeline.get(own.id) == own


@pytest.mark.parametrize("microsecond", [0, 1, 999_999])
async def test_times_keep_their_microseconds_and_their_order(
    store: OpenStore, microsecond: int
) -> None:
    at = datetime(2026, 10, 25, 1, 59, 59, microsecond, tzinfo=UTC)
    asset = make_asset(created_at=at)
    async with store.write() as tx:
        await tx.assets.add(asset)
    async with store.read() as tx:
        stored = (await tx.assets.get(asset.id)).created_at
    assert stored == at
    assert stored.utcoffset() is not None
