"""Requests of programs in memory."""

from datetime import datetime

from bot.core.ports import KeptRequest
from storage.memory_tables import Table, Tables


class MemoryRequests:
    """The Requests port."""

    def __init__(self, tables: Tables) -> None:
        self._requests: Table[KeptRequest] = Table(tables, "request")

    async def add(self, request: KeptRequest) -> None:
        """See the port."""
        self._requests.add((request.person, request.key), request)

    async def get(self, person: str, key: str) -> KeptRequest | None:
        """See the port."""
        return self._requests.get((person, key))

    async def drop(self, request: KeptRequest) -> None:
        """See the port."""
        kept = await self.get(request.person, request.key)
        if kept is not None and kept.job == request.job:
            self._requests.drop((request.person, request.key))

    async def purge(self, before: datetime) -> int:
        """See the port."""
        return self._requests.drop_where(lambda request: request.created_at < before)

    async def forget(self, person: str) -> int:
        """See the port."""
        return self._requests.drop_where(lambda request: request.person == person)
