"""Pruning: what is finished and old goes, once a day. Never the ledger, never an asset.

A file of the archive goes only if no row names it and nobody has touched it for a day: a file is
written before its row, and writing it again counts as touching.
"""

import logging
from dataclasses import asdict, dataclass
from datetime import timedelta

from bot.core import access
from bot.core.house import House
from bot.core.ledger import Event
from bot.core.ports import Store, Transaction

log = logging.getLogger(__name__)

KEEP_DELIVERIES = timedelta(days=30)
KEEP_MESSAGES = timedelta(days=30)
KEEP_FILES = timedelta(hours=24)
KEEP_REQUESTS = timedelta(hours=24)
"""So long a program may ask the same again and gets the first answer."""
KEEP_SENT_FILES = timedelta(days=90)
"""So long a file on a platform is shown again; after that it is uploaded anew."""
EVERY = timedelta(days=1)
PRUNED, SUBJECT = "house.pruned", "house:pruning"


@dataclass(frozen=True, kw_only=True)
class Pruned:
    """How much went."""

    deliveries: int = 0
    messages: int = 0
    keys: int = 0
    files: int = 0
    journals: int = 0

    @property
    def total(self) -> int:
        """All of it."""
        return sum(asdict(self).values())


class _DryRun(Exception):
    """Takes a transaction back whose counts are known."""


async def prune(house: House, *, dry_run: bool = False) -> Pruned:
    """Take out what is finished and old; with `dry_run` only count it (keys and journals are not
    counted then)."""
    deliveries, messages = await _records(house, dry_run=dry_run)
    done = Pruned(
        deliveries=deliveries,
        messages=messages,
        keys=0 if dry_run else await access.purge(house),
        files=await _files(house, dry_run=dry_run),
        journals=0 if dry_run else await house.inbox.tidy(),
    )
    if not dry_run:
        async with house.store.write() as tx:
            await tx.ledger.append(
                Event(
                    action=PRUNED,
                    subject=SUBJECT,
                    at=house.clock.now(),
                    actor="system",
                    facts=asdict(done),
                )
            )
    return done


async def prune_due(house: House) -> int:
    """Prune once a day; how much went."""
    async with house.store.read() as tx:
        last = await tx.ledger.recent(subject=SUBJECT, limit=1)
    if last and house.clock.now() - last[0].at < EVERY:
        return 0
    return (await prune(house)).total


async def _records(house: House, *, dry_run: bool) -> tuple[int, int]:
    counts = (0, 0)
    try:
        async with house.store.write() as tx:
            counts = await _old_records(house, tx)
            if dry_run:
                raise _DryRun
    except _DryRun:
        log.debug("Counted without deleting")
    return counts


async def _old_records(house: House, tx: Transaction) -> tuple[int, int]:
    now = house.clock.now()
    await tx.uploads.purge(now - KEEP_FILES)
    await tx.requests.purge(now - KEEP_REQUESTS)
    await tx.sent_files.purge(now - KEEP_SENT_FILES)
    deliveries = await tx.pruning.deliveries(now - KEEP_DELIVERIES)
    return deliveries, await tx.pruning.outbox(now - KEEP_MESSAGES)


async def _files(house: House, *, dry_run: bool) -> int:
    before = house.clock.now() - KEEP_FILES
    old = {sha256 async for sha256 in house.blobs.untouched(before)}
    orphans = await _unnamed(house.store, old)
    if dry_run:
        return len(orphans)
    gone = 0
    for sha256 in sorted(orphans):
        gone += await house.blobs.sweep(sha256, before)
    return gone


async def _unnamed(store: Store, files: set[str]) -> set[str]:
    if not files:
        return files
    async with store.read() as tx:
        return await tx.pruning.unnamed(files)
