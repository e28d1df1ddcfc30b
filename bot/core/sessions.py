"""A member's portal sessions: which browsers are signed in, and ending them."""

from collections.abc import Sequence

from bot.core.errors import NotFound
from bot.core.ledger import Event
from bot.core.people import Key, KeyKind
from bot.core.ports import Clock, Store, Transaction


def id_of(session: str) -> str:
    """The id of a session by its secret."""
    return session.partition(".")[0]


async def open_sessions(store: Store, clock: Clock, person: str) -> list[Key]:
    """Those that have not run out, newest first."""
    async with store.read() as tx:
        keys = await tx.keys.of_person(person, KeyKind.SESSION)
    return [key for key in reversed(keys) if key.expires_at > clock.now()]


async def end_session(store: Store, clock: Clock, person: str, session_id: str) -> None:
    """End one of the person's own sessions. Raises NotFound."""
    async with store.write() as tx:
        own = await tx.keys.of_person(person, KeyKind.SESSION)
        ended = [key for key in own if key.id == session_id]
        if not ended:
            raise NotFound("There is no such session of yours.", fix="It may have ended already.")
        await _end(tx, clock, person, ended)


async def end_others(store: Store, clock: Clock, person: str, keep: str) -> int:
    """End all of the person's sessions but one; how many."""
    async with store.write() as tx:
        own = await tx.keys.of_person(person, KeyKind.SESSION)
        others = [key for key in own if key.id != keep]
        await _end(tx, clock, person, others)
    return len(others)


async def _end(tx: Transaction, clock: Clock, person: str, sessions: Sequence[Key]) -> None:
    for session in sessions:
        await tx.keys.remove(session.id)
    if sessions:
        await tx.ledger.append(
            Event(
                action="session.ended",
                subject=f"person:{person}",
                at=clock.now(),
                actor=person,
                facts={"sessions": len(sessions)},
            )
        )
