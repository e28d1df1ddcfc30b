"""Taking out of the tables what nobody needs any more."""

import re
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import (
    Boolean,
    Date,
    Float,
    Integer,
    String,
    Table,
    Time,
    cast,
    delete,
    exists,
    or_,
    select,
)
from sqlmodel.sql.sqltypes import UTCDateTime

from storage.sql_table import Session
from storage.steps import FINISHED
from storage.tables import METADATA, DeliveryRow, OutgoingRow, table_of

_OUTBOX, _DELIVERIES = table_of(OutgoingRow), table_of(DeliveryRow)
_HASH = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_NO_TEXT = (Boolean, Date, Float, Integer, Time, UTCDateTime)
"""Types of columns that can't name a file; all others are read, also those of later versions."""
_NO_FILES = {
    "ledger": {"commitments", "previous", "hash"},
    "requests": {"key", "content"},
    "sent_files": {"key"},  # the copy that stands elsewhere keeps no file here
    "uploads": {"sha256"},  # unused ones are orphans; used ones are named by their jobs too
}
"""Columns of hashes that keep no file; every other text may name one."""


class SqlPruning:
    """The Pruning port."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def outbox(self, before: datetime) -> int:
        """See the port."""
        c, newer = _OUTBOX.c, _OUTBOX.alias()
        superseded = exists().where(
            newer.c.subject == c.subject,
            newer.c.platform == c.platform,
            newer.c.channel == c.channel,
            newer.c.thread == c.thread,
            newer.c.sent_message.is_not(None),
            newer.c.row > c.row,
        )
        needless = or_(c.subject == "", c.sent_message.is_(None), superseded)
        old = delete(_OUTBOX).where(c.state.in_(FINISHED), c.created_at < before, needless)
        return (await self._session.change(old)).rowcount

    async def deliveries(self, before: datetime) -> int:
        """See the port."""
        old = delete(_DELIVERIES).where(_DELIVERIES.c.at < before)
        return (await self._session.change(old)).rowcount

    async def unnamed(self, files: Collection[str]) -> set[str]:
        """See the port: every text is read, so that no column can be forgotten."""
        left = set(files)
        for table in METADATA.sorted_tables if left else ():
            await self._cross_out(table, left)
        return left

    async def _cross_out(self, table: Table, left: set[str]) -> None:
        texts = [
            cast(column, String)
            for column in table.columns
            if not isinstance(column.type, _NO_TEXT)
            and column.name not in _NO_FILES.get(table.name, ())
        ]
        if texts:
            async for row in self._session.stream(select(*texts)):
                for text in row:
                    if text is not None and len(text) >= 64:
                        left.difference_update(_HASH.findall(text))
