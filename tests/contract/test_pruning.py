"""Pruning: what is finished and old goes; what something still needs never does."""

import asyncio
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.core.ids import new_id
from bot.core.lives import OutboxState
from bot.core.messages import ChannelRef, MessageRef
from bot.core.ports import Delivery, Outgoing
from bot.core.pruning import KEEP_DELIVERIES, KEEP_FILES, KEEP_MESSAGES, prune, prune_due
from brand.templates import Brief
from storage.blobs import FolderBlobs
from storage.database import OpenStore
from storage.inbox import JournalInbox
from tests.contract.ledger_worker import house_of
from tests.contract.values import (
    DRAFTS,
    LEASE,
    NOW,
    SOCIAL,
    digest,
    make_asset,
    make_job,
    make_message,
    make_outgoing,
    make_rendition,
)

DAY = timedelta(days=1)


async def send(store: OpenStore, message: Outgoing, state: OutboxState = OutboxState.SENT) -> str:
    """Put a message through to its end; its id."""
    ref = MessageRef(platform="local", channel=message.target.channel, message=new_id())
    async with store.write() as tx:
        await tx.outbox.add(message)
        claimed = await tx.outbox.claim("w", now=message.created_at, lease=LEASE)
        assert claimed is not None
        sent = ref if state is OutboxState.SENT else None
        await tx.outbox.update(replace(claimed, state=state, sent=sent), was=claimed)
    return ref.message


async def standing(store: OpenStore, subject: str, place: ChannelRef) -> str:
    """Where the card stands."""
    async with store.read() as tx:
        ref = await tx.outbox.message_of(subject, place)
    return ref.message if ref else ""


async def test_finished_messages_go_but_never_what_says_where_a_card_stands(
    store: OpenStore,
) -> None:
    old = NOW - KEEP_MESSAGES - DAY
    await send(store, make_outgoing("job:1", target=SOCIAL, created_at=old))
    last = await send(store, make_outgoing("job:1", target=SOCIAL, created_at=old))
    elsewhere = await send(store, make_outgoing("job:1", target=DRAFTS, created_at=old))
    await send(store, make_outgoing("", target=SOCIAL, created_at=old))
    await send(store, make_outgoing("job:2", created_at=old), OutboxState.FAILED)
    await send(store, make_outgoing("", created_at=NOW))
    waiting = make_outgoing("job:3", created_at=old)
    async with store.write() as tx:
        await tx.outbox.add(waiting)
        assert await tx.pruning.outbox(NOW - KEEP_MESSAGES) == 3
        assert await tx.pruning.outbox(NOW - KEEP_MESSAGES) == 0
        assert sum((await tx.outbox.counts()).values()) == 4
    assert await standing(store, "job:1", SOCIAL) == last
    assert await standing(store, "job:1", DRAFTS) == elsewhere


async def test_old_deliveries_go_and_new_ones_stay_known(store: OpenStore) -> None:
    async with store.write() as tx:
        await tx.deliveries.take("slack", "old", NOW - KEEP_DELIVERIES - DAY)
        await tx.deliveries.take("slack", "new", NOW - DAY)
        assert await tx.pruning.deliveries(NOW - KEEP_DELIVERIES) == 1
        assert not await tx.deliveries.take("slack", "new", NOW)


async def test_a_file_that_any_row_names_is_never_an_orphan(store: OpenStore) -> None:
    names = {kind: digest(kind) for kind in ("master", "rendition", "reference", "posted", "card")}
    asset = make_asset(file_hash=names["master"])
    job = make_job(brief=Brief(words="a red mug", reference=names["reference"]))
    async with store.write() as tx:
        await tx.assets.add(
            replace(asset, renditions=(make_rendition(asset.id, file_hash=names["rendition"]),))
        )
        await tx.jobs.add(job)
        await tx.outbox.add(make_outgoing(f"see {names['card']}"))
    await store.timeline.add(make_message(blob=names["posted"]))
    orphan = digest("orphan")
    wanted = [orphan, *(name for kind, name in names.items() if kind != "posted")]
    async with store.read() as tx:
        assert await tx.pruning.unnamed(wanted) == {orphan}
        assert await tx.pruning.unnamed([]) == set()


def age(folder: Path, sha256: str, by: timedelta) -> None:
    """Make a file look as old as this."""
    [path] = folder.rglob(sha256)
    at = (datetime.now(UTC) - by).timestamp()  # noqa: TID251  (a file's age is the system's)
    os.utime(path, (at, at))


async def test_an_old_orphan_goes_and_a_fresh_one_stays(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)
    since = datetime.now(UTC) - KEEP_FILES  # noqa: TID251
    old, fresh = await blobs.put(b"old"), await blobs.put(b"fresh")
    age(tmp_path, old, KEEP_FILES + DAY)
    assert [name async for name in blobs.untouched(since)] == [old]
    assert not await blobs.sweep(fresh, since)
    assert await blobs.sweep(old, since)
    assert not await blobs.sweep(old, since)
    assert [name async for name in blobs.all()] == [fresh]


@pytest.mark.parametrize("touch", ["put", "exists"])
async def test_a_file_that_is_wanted_again_is_not_swept(tmp_path: Path, touch: str) -> None:
    blobs = FolderBlobs(tmp_path)
    since = datetime.now(UTC) - KEEP_FILES  # noqa: TID251
    name = await blobs.put(b"a picture")
    age(tmp_path, name, KEEP_FILES + DAY)
    if touch == "put":
        await FolderBlobs(tmp_path).put(b"a picture")
    else:
        assert await FolderBlobs(tmp_path).exists(name)
    assert not await blobs.sweep(name, since), "a row may follow"


async def test_a_render_beside_the_sweeping_never_loses_its_file(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)
    since = datetime.now(UTC) - KEEP_FILES  # noqa: TID251
    for _ in range(50):
        name = await blobs.put(b"a picture")
        age(tmp_path, name, KEEP_FILES + DAY)
        await asyncio.gather(blobs.sweep(name, since), FolderBlobs(tmp_path).put(b"a picture"))
        assert await blobs.get(name) == b"a picture"


async def test_empty_journals_of_dead_processes_go_and_full_ones_stay(tmp_path: Path) -> None:
    delivery = Delivery(platform="slack", id="d1", payload={}, received_at=NOW)
    done, left = [await JournalInbox.open(tmp_path) for _ in range(2)]
    for inbox in (done, left):
        await inbox.put(delivery)
    await left.close()
    (tmp_path / "1-dead.journal").write_bytes(b"")
    assert await done.tidy() == 1
    assert len(os.listdir(tmp_path)) == 2  # noqa: PTH208
    await done.done("slack", "d1")
    assert await done.tidy() == 0, "a living process keeps its own"
    await done.close()


async def test_pruning_tells_how_much_went_once_a_day(store: OpenStore) -> None:
    house = house_of(store)
    async with store.write() as tx:
        await tx.deliveries.take("slack", "old", house.clock.now() - KEEP_DELIVERIES - DAY)
    assert (await prune(house, dry_run=True)).deliveries == 1
    assert (await prune(house, dry_run=True)).deliveries == 1, "counting removes nothing"
    assert await prune_due(house) == 1
    async with store.read() as tx:
        [told] = await tx.ledger.recent(subject="house:pruning")
    assert told.facts["deliveries"] == 1
    assert await prune_due(house) == 0
