"""Requests of programs in SQL."""

from datetime import datetime

from sqlalchemy import delete, select

from bot.core.ports import KeptRequest
from storage.rows import Shape
from storage.sql_table import Session
from storage.steps import taken
from storage.tables import RequestRow

_REQUESTS = Shape(KeptRequest, RequestRow)


class SqlRequests:
    """The Requests port."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._c = _REQUESTS.table.c

    async def add(self, request: KeptRequest) -> None:
        """See the port."""
        rows = [(_REQUESTS.table, [_REQUESTS.row(request)])]
        await self._session.insert(rows, refused=taken("request", request.key))

    async def get(self, person: str, key: str) -> KeptRequest | None:
        """See the port."""
        query = select(_REQUESTS.table).where(self._c.person == person, self._c.key == key)
        found = await self._session.rows(query)
        return _REQUESTS.value(found[0]) if found else None

    async def drop(self, request: KeptRequest) -> None:
        """See the port."""
        key = (self._c.person == request.person, self._c.key == request.key)
        await self._session.change(delete(_REQUESTS.table).where(*key, self._c.job == request.job))

    async def purge(self, before: datetime) -> int:
        """See the port."""
        old = delete(_REQUESTS.table).where(self._c.created_at < before)
        return (await self._session.change(old)).rowcount

    async def forget(self, person: str) -> int:
        """See the port."""
        own = delete(_REQUESTS.table).where(self._c.person == person)
        return (await self._session.change(own)).rowcount
