"""Signing in with an account elsewhere: an answer of a provider counts once, a refusal is kept."""

from bot.core.access import join
from bot.core.ledger import Event
from bot.core.people import Identity, Person
from bot.core.ports import Clock, Store

ANSWERS = "sign-in"
"""The name under which answers of providers stand among the deliveries."""


async def first_time(store: Store, clock: Clock, state: str) -> bool:
    """Whether this answer of a provider comes for the first time, on whatever replica."""
    async with store.write() as tx:
        return await tx.deliveries.take(ANSWERS, state, clock.now())


async def connect(store: Store, clock: Clock, person_id: str, account: Identity) -> Person:
    """Give a signed-in member one more account. Raises NotAllowed where it is another's."""
    async with store.write() as tx:
        person = await tx.people.get(person_id)
        return await join(tx, clock, person, account, actor=person_id)


async def note_refused(store: Store, clock: Clock, *, by: str, reason: str) -> None:
    """Keep that somebody was not let in; who they claimed to be is not kept."""
    async with store.write() as tx:
        await tx.ledger.append(
            Event(
                action="session.refused",
                subject=f"provider:{by}",
                at=clock.now(),
                facts={"by": by, "reason": reason},
            )
        )
