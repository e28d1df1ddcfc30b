"""Which files no record speaks of any more, once a person is erased."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, String, cast, or_, select

from bot.core.jobs import Job
from bot.core.redacting import files_of
from storage.rows import Shape
from storage.sql_table import Session
from storage.tables import (
    AssetRow,
    JobRow,
    PublicationRow,
    RenditionRow,
    TimelineRow,
    table_of,
)

_JOBS = Shape(Job, JobRow)
_ASSETS, _RENDITIONS = table_of(AssetRow), table_of(RenditionRow)
_PUBLICATIONS, _TIMELINE = table_of(PublicationRow), table_of(TimelineRow)
_HASHES = (
    _ASSETS.c.file_hash,
    _RENDITIONS.c.file_hash,
    _PUBLICATIONS.c.file_hash,
    _TIMELINE.c.blob,
)
_AT_ONCE = 500
"""Values of one IN; SQLite takes some thousands."""


class SqlErasedFiles:
    """Looks for files in all records of one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def said_by(self, users: Collection[str]) -> set[str]:
        """Files that these accounts attached to their lines in the local chat."""
        c = _TIMELINE.c
        own = select(c.blob).where(c.user.in_(sorted(users)), c.blob != "")
        return {row["blob"] for row in await self._session.rows(own)}

    async def unused(self, candidates: Collection[str]) -> tuple[str, ...]:
        """Those that no picture, post, job or message names."""
        left = set(candidates)
        for column in _HASHES:
            for some in _portions(sorted(left)):
                found = await self._session.rows(select(column).where(column.in_(some)))
                left -= {row[column.name] for row in found}
        if left:
            left -= await self._begun_from()
        return tuple(sorted(left))

    async def _begun_from(self) -> set[str]:
        """Files that recipes and briefs begin from."""
        begun: ColumnElement[Any] = _ASSETS.c.spec[("init", "sha256")].as_string()
        specs = select(begun.label("sha256")).where(begun.is_not(None))
        used = {row["sha256"] for row in await self._session.rows(specs)}
        c = _JOBS.table.c
        from_picture = cast(c["items"], String).contains('"init": {', autoescape=True)
        referring = or_(from_picture, c.brief["reference"].as_string() != "")
        rows = await self._session.rows(select(_JOBS.table).where(referring))
        return used | files_of((), [_JOBS.value(row) for row in rows])


def _portions(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), _AT_ONCE):
        yield values[start : start + _AT_ONCE]
