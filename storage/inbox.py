"""The inbox of this node: deliveries are on its disk before a platform is told "received".

Each process appends to a journal of its own in the inbox's folder. At its start a process takes
over the journals whose owners are gone, so that nothing waits for a particular process to return.
"""

import asyncio
import os
import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Self, TypeAlias, TypeVar

from bot.core.ports import Delivery
from storage.codec import decode, encode
from storage.disk import disk_errors
from storage.errors import DiskFailed
from storage.journal import Journal

COMPACT_BYTES = 1_000_000
"""A journal this long is written anew with what is still pending."""
_SUFFIX = ".journal"

Key: TypeAlias = tuple[str, str]
T = TypeVar("T")


class JournalInbox:
    """The Inbox port on journals in a folder.

    Puts that come while others are being written wait together for one fsync. The journal is
    made with the first put, so a process that only reads the archive leaves the inbox alone.

    Its file work has a thread of its own: a platform waits for each put, and must not wait for
    whatever else of the house fills the loop's common threads.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._journal: Journal | None = None
        self._pending: dict[Key, Delivery] = {}
        self._waiting: list[tuple[dict[str, Any], asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None
        self._files = asyncio.Lock()
        self._compact_at = COMPACT_BYTES
        self._thread: ThreadPoolExecutor | None = None

    @classmethod
    async def open(cls, folder: Path) -> Self:
        """The inbox in this folder, which is made when first needed."""
        return cls(folder)

    async def put(self, delivery: Delivery) -> None:
        """See the port. Raises DiskFailed; the platform must not be acknowledged then."""
        key = (delivery.platform, delivery.id)
        entry = {"put": encode(delivery)}
        is_new = self._pending.setdefault(key, delivery) is delivery
        try:
            await self._write(entry)
        except DiskFailed:
            if is_new:
                self._pending.pop(key, None)
            raise

    async def done(self, platform: str, delivery_id: str) -> None:
        """See the port. Not fsynced: lost in a crash, the delivery comes back and is known."""
        if self._pending.pop((platform, delivery_id), None) is not None:
            await self._write({"done": [platform, delivery_id]})

    async def pending(self, platform: str = "") -> Sequence[Delivery]:
        """See the port."""
        async with self._files:
            with disk_errors(self._folder):
                adopted = await self._off_loop(lambda: self._adopt(platform))
        for delivery in adopted:
            self._pending.setdefault((delivery.platform, delivery.id), delivery)
        wanted = (one for one in self._pending.values() if platform in ("", one.platform))
        return sorted(wanted, key=lambda delivery: delivery.received_at)

    async def tidy(self) -> int:
        """See the port. Raises DiskFailed."""
        async with self._files:
            with disk_errors(self._folder):
                return await self._off_loop(self._remove_empty)

    async def close(self) -> None:
        """Write what waits; a journal with nothing pending is removed."""
        if self._writer is not None:
            await self._writer
        if self._journal is not None:
            finish = self._journal.close if self._pending else self._journal.remove
            await self._off_loop(finish)
            self._journal = None
        if self._thread is not None:
            self._thread.shutdown(wait=False)
            self._thread = None

    async def _off_loop(self, work: Callable[[], T]) -> T:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="inbox")
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def _write(self, entry: dict[str, Any]) -> None:
        written = asyncio.get_running_loop().create_future()
        self._waiting.append((entry, written))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_all())
        await written

    async def _write_all(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                async with self._files:
                    with disk_errors(self._folder):
                        entries = [entry for entry, _ in batch]
                        await self._off_loop(partial(self._append, entries))
            except Exception as exc:  # noqa: BLE001  (each caller gets it)
                _finish(batch, exc)
            else:
                _finish(batch, None)
        self._writer = None

    def _append(self, entries: list[dict[str, Any]]) -> None:
        journal = self._own()
        journal.append(entries, sync=any("put" in entry for entry in entries))
        if not self._pending:
            # What was worked off has no business on the disk: people may ask to be forgotten.
            # A put that is not in this batch yet is in `_pending` already.
            journal.clear()
        elif journal.size > self._compact_at:
            self._compact(journal)

    def _own(self) -> Journal:
        if self._journal is None:
            self._journal = self._new()
        return self._journal

    def _new(self) -> Journal:
        return Journal.create(self._folder / f"{os.getpid()}-{secrets.token_hex(4)}{_SUFFIX}")

    def _compact(self, old: Journal) -> None:
        """Take what is pending from the file, which knows more than the callers that still wait."""
        left = _left(old.read())
        self._journal = self._new()
        self._journal.append(_puts(left), sync=True)
        self._compact_at = max(COMPACT_BYTES, 2 * self._journal.size)
        old.remove()

    def _remove_empty(self) -> int:
        removed = 0
        for path in self._folder.glob(f"*{_SUFFIX}"):
            is_own = self._journal is not None and path == self._journal.path
            orphan = None if is_own else Journal.adopt(path)
            if orphan is None:
                continue
            if _left(orphan.read()):
                orphan.close()
            else:
                orphan.remove()
                removed += 1
        return removed

    def _adopt(self, platform: str) -> list[Delivery]:
        """The platform's pending deliveries of journals without an owner, now in this process's
        own. What is there for others waits for a process that works for them."""
        adopted: list[Delivery] = []
        for path in sorted(self._folder.glob(f"*{_SUFFIX}")):
            if self._journal is not None and path == self._journal.path:
                continue
            orphan = Journal.adopt(path)
            if orphan is None:
                continue
            left = _left(orphan.read())
            mine = [delivery for delivery in left if platform in ("", delivery.platform)]
            if mine:
                self._own().append(_puts(mine), sync=True)
            if len(mine) == len(left):
                orphan.remove()
            else:
                done = [{"done": [delivery.platform, delivery.id]} for delivery in mine]
                orphan.append(done, sync=True)
                orphan.close()
            adopted += mine
        return adopted


def _left(entries: list[Any]) -> list[Delivery]:
    """What was put and not done."""
    left: dict[Key, Delivery] = {}
    for entry in entries:
        if "done" in entry:
            platform, delivery_id = entry["done"]
            left.pop((platform, delivery_id), None)
        else:
            delivery = decode(Delivery, entry["put"])
            left.setdefault((delivery.platform, delivery.id), delivery)
    return list(left.values())


def _puts(deliveries: list[Delivery]) -> list[dict[str, Any]]:
    return [{"put": encode(delivery)} for delivery in deliveries]


def _finish(
    batch: list[tuple[dict[str, Any], asyncio.Future[None]]], error: Exception | None
) -> None:
    for _, written in batch:
        if written.done():
            continue
        if error is None:
            written.set_result(None)
        else:
            written.set_exception(error)
