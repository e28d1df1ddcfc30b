"""Assets with their renditions in SQL."""

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.engine import RowMapping

from bot.core.assets import Asset, AssetQuery, Rendition
from bot.core.lives import ASSET_STEPS, AssetState
from bot.core.ports import UsageRow
from storage.rows import Shape
from storage.sql_search import AssetSearch
from storage.sql_table import Session, SqlTable
from storage.steps import COMPARED
from storage.tables import AssetRow, AssetWordRow, RenditionRow, table_of
from storage.words import asset_words

_SHAPE = Shape(Asset, AssetRow, apart=("renditions",))
_RENDITIONS = Shape(Rendition, RenditionRow)
_WORDS = table_of(AssetWordRow)
_BATCH = 1000


class AssetTable(SqlTable[Asset]):
    """Assets; their renditions are fetched for a whole page at once."""

    def columns(self, value: Asset) -> dict[str, Any]:
        """With the hash of the recipe, by which repeated ones are found."""
        return {**super().columns(value), "spec_hash": value.spec.hash}

    async def load(self, rows: Sequence[RowMapping]) -> list[Asset]:
        """With their renditions, in the order in which those were added."""
        if not rows:
            return []
        table = _RENDITIONS.table
        ids = [row["id"] for row in rows]
        query = select(table).where(table.c.asset.in_(ids)).order_by(table.c.row)
        of: dict[str, list[Rendition]] = defaultdict(list)
        for found in await self.session.rows(query):
            of[found["asset"]].append(_RENDITIONS.value(found))
        return [_SHAPE.value(row, renditions=tuple(of[row["id"]])) for row in rows]


class SqlAssets:
    """The Assets port."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._assets = AssetTable(session, "asset", _SHAPE)
        self._renditions = SqlTable(session, "rendition", _RENDITIONS)
        self._c = self._assets.c
        self._newest = (self._c.created_at.desc(), self._c.row.desc())

    async def add(self, asset: Asset) -> None:
        """See the port."""
        renditions = [_RENDITIONS.row(rendition) for rendition in asset.renditions]
        tables = [
            (_SHAPE.table, [self._assets.columns(asset)]),
            (_RENDITIONS.table, renditions),
        ]
        await self._session.insert(tables, refused=self._assets.conflict(asset))
        row = await self._session.number(select(self._c.row).where(self._c.id == asset.id))
        words = [
            {"word": word, "created_at": asset.created_at, "asset": row}
            for word in asset_words(asset)
        ]
        await self._session.add_rows(_WORDS, words)

    async def get(self, asset_id: str) -> Asset:
        """See the port."""
        return await self._assets.need(asset_id)

    async def update(self, new: Asset, *, was: Asset) -> Asset:
        """See the port."""
        updated = await self._assets.update(new, was, ASSET_STEPS)
        return replace(updated, renditions=(await self._assets.need(new.id)).renditions)

    async def add_rendition(self, rendition: Rendition) -> None:
        """See the port."""
        await self._assets.need(rendition.asset)
        await self._renditions.add(rendition)

    async def of_job(self, job_id: str) -> Sequence[Asset]:
        """See the port."""
        order = (self._c.index, self._c.created_at, self._c.row)
        return await self._assets.where(self._c.job == job_id, order=order)

    async def find(self, query: AssetQuery) -> Sequence[Asset]:
        """See the port."""
        position = await self._assets.position(query.before, "created_at") if query.before else None
        return await AssetSearch(self._session, self._assets).find(query, position)

    async def fingerprints(self, brand: str, *, limit: int = 5000) -> Sequence[tuple[str, str]]:
        """See the port."""
        query = (
            select(self._c.id, self._c.fingerprint)
            .where(self._c.brand == brand, self._c.state.in_(COMPARED))
            .order_by(*self._newest)
            .limit(limit)
        )
        return [(row["id"], row["fingerprint"]) for row in await self._session.rows(query)]

    async def by_spec(self, brand: str, spec_hash: str) -> Asset | None:
        """See the port."""
        same = (self._c.spec_hash == spec_hash, self._c.brand == brand)
        kept = (self._c.file_hash != "", self._c.state != AssetState.WITHDRAWN)
        found = await self._assets.where(*same, *kept, order=self._newest, limit=1)
        return found[0] if found else None

    async def of_spec(self, brand: str, spec_hash: str) -> Sequence[str]:
        """See the port."""
        same = (self._c.spec_hash == spec_hash, self._c.brand == brand)
        query = select(self._c.id).where(*same).order_by(*self._newest)
        return [row["id"] for row in await self._session.rows(query)]

    async def with_file(self, sha256: str) -> Sequence[Asset]:
        """See the port."""
        files = _RENDITIONS.table.c
        listed = select(files.asset).where(files.file_hash == sha256)
        theirs = (self._c.file_hash == sha256) | self._c.id.in_(listed)
        return await self._assets.where(theirs, order=self._newest)

    async def file_hashes(self) -> AsyncIterator[tuple[str, str]]:
        """See the port."""
        last = 0
        while True:
            more = (self._c.row > last) & (self._c.file_hash != "")
            query = select(self._c.row, self._c.id, self._c.file_hash).where(more)
            rows = await self._session.rows(query.order_by(self._c.row).limit(_BATCH))
            if not rows:
                return
            last = rows[-1]["row"]
            for asset, file_hash in await self._with_renditions(rows):
                yield asset, file_hash

    async def usage(self, brand: str, *, since: datetime, until: datetime) -> Sequence[UsageRow]:
        """See the port."""
        approved = case((self._c.state == AssetState.APPROVED, 1), else_=0)
        query = (
            select(
                self._c.requester,
                func.count().label("pictures"),
                func.sum(self._c.seconds).label("seconds"),
                func.sum(approved).label("approved"),
            )
            .where(self._c.brand == brand, *_between(self._c.created_at, since, until))
            .group_by(self._c.requester)
        )
        rows = [
            UsageRow(
                person=row["requester"],
                pictures=row["pictures"],
                seconds=row["seconds"],
                approved=row["approved"],
            )
            for row in await self._session.rows(query)
        ]
        return sorted(rows, key=lambda row: row.person)

    async def _with_renditions(self, rows: Sequence[RowMapping]) -> list[tuple[str, str]]:
        table = _RENDITIONS.table
        hashes = {row["id"]: {row["file_hash"]: None} for row in rows}
        query = select(table.c.asset, table.c.file_hash).where(table.c.asset.in_(hashes))
        for row in await self._session.rows(query.order_by(table.c.row)):
            hashes[row["asset"]][row["file_hash"]] = None
        return [(asset, file_hash) for asset, files in hashes.items() for file_hash in files]


def _between(column: Any, since: datetime, until: datetime) -> list[ColumnElement[bool]]:  # noqa: ANN401
    return [column >= since, column < until]
