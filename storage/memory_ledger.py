"""The ledger in memory."""

from collections.abc import Sequence
from dataclasses import replace

from bot.core.ledger import Event, EventQuery, Head, Unreadable
from storage.memory_tables import Table, Tables, after
from storage.steps import chained, head_moved


class MemoryLedger:
    """The Ledger port."""

    def __init__(self, tables: Tables) -> None:
        self._events: Table[Event] = Table(tables, "event")

    async def append(self, event: Event) -> None:
        """See the port."""
        self._events.add(event.id, event)

    async def recent(
        self, *, subject: str = "", brand: str = "", limit: int = 100
    ) -> Sequence[Event]:
        """See the port."""
        subjects = (subject,) if subject else ()
        return await self.find(EventQuery(subjects=subjects, brand=brand, limit=limit))

    async def find(self, query: EventQuery) -> Sequence[Event]:
        """See the port."""
        older = after(list(self._events)[::-1], query.before)
        return [event for event in older if _fits(event, query)][: query.limit]

    async def lead(self) -> bool:
        """See the port: writers take turns here."""
        return True

    async def unchained(self, limit: int) -> Sequence[Event]:
        """See the port."""
        return [event for event in self._events if event.seq is None][:limit]

    async def waiting(self) -> int:
        """See the port."""
        return sum(event.seq is None for event in self._events)

    async def head(self) -> Head:
        """See the port."""
        lines = self._lines()
        return lines[-1].head if lines else Head()

    async def chain(self, events: Sequence[Event]) -> None:
        """See the port."""
        if not events:
            return
        if events[0].linked(await self.head()).head != events[0].head:
            raise head_moved()
        for event in events:
            if self._events.need(event.id).seq is not None:
                raise chained(event.id)
            self._events.put(event.id, event)

    async def page(
        self, after: int | None = None, limit: int = 500
    ) -> Sequence[Event | Unreadable]:
        """See the port."""
        return [e for e in self._lines() if after is None or (e.seq or 0) > after][:limit]

    async def forget(self, person: str) -> int:
        """See the port."""
        own = [e for e in self._events if person in (e.actor, _person_of(e)) and e.personal]
        for event in own:
            self._events.put(event.id, replace(event, personal={}))
        return sum(len(event.personal) for event in own)

    def _lines(self) -> list[Event]:
        lines = [event for event in self._events if event.seq is not None]
        return sorted(lines, key=lambda event: event.seq or 0)


def _person_of(event: Event) -> str:
    kind, _, key = event.subject.partition(":")
    return key if kind == "person" else ""


def _fits(event: Event, query: EventQuery) -> bool:
    return (
        (not query.subjects or event.subject in query.subjects)
        and query.person in ("", event.actor, _person_of(event))
        and query.brand in ("", event.brand)
        and query.action in ("", event.action, event.action.partition(".")[0])
        and (query.since is None or event.at >= query.since)
    )
