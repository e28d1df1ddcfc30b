"""Search in the archive: always along an index that ends newest first, a page at a time.

So a page costs about the same in an archive of a thousand and of a million pictures.
"""

from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Select, exists, func, select
from sqlalchemy.engine import RowMapping

from bot.core.assets import Asset, AssetQuery
from storage.sql_table import Session, SqlTable
from storage.tables import AssetWordRow, table_of
from storage.words import query_words

Position: TypeAlias = tuple[Any, int]
Rows: TypeAlias = list[RowMapping]
Conditions: TypeAlias = list[ColumnElement[bool]]

_WORDS = table_of(AssetWordRow)
_RARE_ENOUGH = 1000
"""Words are counted up to here to find the one that leads to the fewest assets."""


class AssetSearch:
    """One search."""

    def __init__(self, session: Session, assets: SqlTable[Asset]) -> None:
        self._session = session
        self._assets = assets
        self._table = assets.shape.table
        self._c = assets.c

    async def find(self, query: AssetQuery, position: Position | None) -> list[Asset]:
        """The assets older than `position` that meet the query, newest first."""
        words = query_words(query.text)
        if words:
            return await self._by_words(words, query, position)
        if query.text.strip():
            return []  # signs alone, which no asset is found by
        return await self._by_columns(query, position)

    async def _by_columns(self, query: AssetQuery, position: Position | None) -> list[Asset]:
        """Each wanted state has its own stretch of an index; the pages are merged here."""
        stretches = [[self._c.state == state] for state in dict.fromkeys(query.states)]
        rows: Rows = []
        for stretch in stretches or [[]]:
            statement = select(self._table).where(*stretch, *self._restrict(query))
            rows += await self._session.rows(self._page(statement, self._table, query, position))
        rows.sort(key=lambda row: (row["created_at"], row["row"]), reverse=True)
        return await self._assets.load(rows[: query.limit])

    async def _by_words(
        self, words: tuple[str, ...], query: AssetQuery, position: Position | None
    ) -> list[Asset]:
        lead, *others = await self._rarest_first(words)
        conditions = [_WORDS.c.word == lead, *self._restrict(query)]
        if query.states:
            conditions.append(self._c.state.in_(query.states))
        for word in others:
            also = _WORDS.alias()
            conditions.append(
                exists().where(
                    also.c.word == word,
                    also.c.created_at == _WORDS.c.created_at,
                    also.c.asset == _WORDS.c.asset,
                )
            )
        joined = _WORDS.join(self._table, self._c.row == _WORDS.c.asset)
        statement = select(self._table).select_from(joined).where(*conditions)
        page = self._page(statement, _WORDS, query, position)
        return await self._assets.load(await self._session.rows(page))

    async def _rarest_first(self, words: tuple[str, ...]) -> list[str]:
        if len(words) == 1:
            return list(words)
        counts = {}
        for word in words:
            some = select(1).where(_WORDS.c.word == word).limit(_RARE_ENOUGH).subquery()
            counts[word] = await self._session.number(select(func.count()).select_from(some))
        return sorted(words, key=counts.__getitem__)

    def _restrict(self, query: AssetQuery) -> Conditions:
        wanted = (
            (self._c.brand, query.brand),
            (self._c.requester, query.requester),
            (self._c.template, query.template),
            (self._c.job, query.job),
        )
        shown = self._c.file_hash != ""  # an erased one has no file
        return [shown, *(column == value for column, value in wanted if value)]

    def _page(
        self,
        statement: Select[*tuple[Any, ...]],
        along: Any,  # noqa: ANN401  (a table whose index is read)
        query: AssetQuery,
        position: Position | None,
    ) -> Select[*tuple[Any, ...]]:
        time = along.c.created_at
        number = along.c.asset if along is _WORDS else along.c.row
        if position is not None:
            at, row = position
            statement = statement.where(time <= at, (time < at) | (number < row))
        if query.since is not None:
            statement = statement.where(time >= query.since)
        if query.until is not None:
            statement = statement.where(time < query.until)
        return statement.order_by(time.desc(), number.desc()).limit(query.limit)
