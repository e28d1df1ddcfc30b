"""Taking out of memory what nobody needs any more."""

import json
from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING

from storage.codec import encode
from storage.memory_tables import Table, Tables
from storage.steps import FINISHED, place_of

if TYPE_CHECKING:
    from bot.core.ports import Outgoing


_NO_FILES = ("upload", "sent file")
"""Tables that keep no file: an upload's job does, if there is one; and what was sent stands
elsewhere."""


class MemoryPruning:
    """The Pruning port."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._outbox: Table[Outgoing] = Table(tables, "message")
        self._taken: Table[datetime] = Table(tables, "delivery")

    async def outbox(self, before: datetime) -> int:
        """See the port."""
        standing = {
            (message.card.subject, place_of(message.target)): message.id
            for message in self._outbox
            if message.sent is not None and message.card.subject
        }
        kept = set(standing.values())
        old = [
            message.id
            for message in self._outbox
            if message.state in FINISHED and message.created_at < before and message.id not in kept
        ]
        for key in old:
            self._outbox.drop(key)
        return len(old)

    async def deliveries(self, before: datetime) -> int:
        """See the port."""
        old = [key for key, at in self._tables.seen("delivery").items() if at < before]
        for key in old:
            self._taken.drop(key)
        return len(old)

    async def unnamed(self, files: Collection[str]) -> set[str]:
        """See the port."""
        names = [name for name in self._tables.names() if name not in _NO_FILES]
        text = json.dumps([encode(value) for name in names for value in self._tables.values(name)])
        return {sha256 for sha256 in files if sha256 not in text}
