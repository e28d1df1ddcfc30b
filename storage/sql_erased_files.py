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
    UploadRow,
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
    table_of(UploadRow).c.sha256,
)
_ONE_PICTURE = ("init", "mask", "image_prompt")
"""Parts of a recipe that name one picture each."""
_BRIEF_PICTURES = ("reference", "mask", "like")
_CONTROLS = '"controls": [{'
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
        """Those that no picture, post, job, message or upload names."""
        left = set(candidates)
        for column in _HASHES:
            for some in _portions(sorted(left)):
                found = await self._session.rows(select(column).where(column.in_(some)))
                left -= {row[column.name] for row in found}
        if left:
            left -= await self._begun_from()
        return tuple(sorted(left))

    async def _begun_from(self) -> set[str]:
        """Files that recipes and briefs begin from or are led by."""
        used: set[str] = set()
        for part in _ONE_PICTURE:
            named: ColumnElement[Any] = _ASSETS.c.spec[(part, "sha256")].as_string()
            specs = select(named.label("sha256")).where(named.is_not(None))
            used |= {row["sha256"] for row in await self._session.rows(specs)}
        led = cast(_ASSETS.c.spec, String).contains(_CONTROLS, autoescape=True)
        for row in await self._session.rows(select(_ASSETS.c.spec).where(led)):
            used |= {use["sha256"] for use in row["spec"]["controls"]}
        c = _JOBS.table.c
        texts = [cast(c[name], String) for name in ("items", "brief")]
        marks = (*(f'"{part}": {{' for part in _ONE_PICTURE), _CONTROLS)
        from_picture = [t.contains(mark, autoescape=True) for t in texts for mark in marks]
        from_picture += [c.brief[name].as_string() != "" for name in _BRIEF_PICTURES]
        rows = await self._session.rows(select(_JOBS.table).where(or_(*from_picture)))
        return used | files_of((), [_JOBS.value(row) for row in rows])


def _portions(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), _AT_ONCE):
        yield values[start : start + _AT_ONCE]
