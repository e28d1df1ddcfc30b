"""The Ledger and Deliveries ports."""

import asyncio

import pytest

from bot.core.errors import Conflict
from bot.core.ledger import Event, Personal
from storage.database import OpenStore
from tests.contract.values import NOW, later


def make_event(number: int = 0, subject: str = "job:1", brand: str = "acme") -> Event:
    """An event with facts of every plain kind."""
    return Event(
        action="job.queued",
        subject=subject,
        at=later(number),
        actor="mia",
        brand=brand,
        facts={"n": number, "seed": 2**63 - 1, "share": 0.25, "ok": True, "none": None, "l": [1]},
        personal={"words": Personal(value="a red mug 🫖"), "name": Personal(value="Mia")},
    )


async def test_an_event_comes_back_with_its_personal_text_and_body(store: OpenStore) -> None:
    event = make_event()
    async with store.write() as tx:
        await tx.ledger.append(event)
    async with store.read() as tx:
        (stored,) = await tx.ledger.recent()
    assert stored == event
    assert stored.body() == event.body()
    commitments = {name: text.commitment for name, text in stored.personal.items()}
    assert commitments == {name: text.commitment for name, text in event.personal.items()}
    with pytest.raises(Conflict):
        async with store.write() as tx:
            await tx.ledger.append(event)


async def test_events_come_newest_first_in_the_order_of_their_commits(store: OpenStore) -> None:
    # The times are those of the machines that wrote them, and may run backwards.
    events = [make_event(5 - number) for number in range(5)]
    other = make_event(9, subject="job:2", brand="other")
    for event in (*events, other):
        async with store.write() as tx:
            await tx.ledger.append(event)
    async with store.read() as tx:
        assert await tx.ledger.recent() == [other, *events[::-1]]
        assert await tx.ledger.recent(limit=2) == [other, events[-1]]
        assert await tx.ledger.recent(subject="job:1") == events[::-1]
        assert await tx.ledger.recent(brand="other") == [other]
        assert await tx.ledger.recent(subject="job:2", brand="acme") == []


async def test_a_delivery_is_taken_once(store: OpenStore) -> None:
    async def take(delivery: str) -> bool:
        async with store.write() as tx:
            return await tx.deliveries.take("slack", delivery, NOW)

    assert sum(await asyncio.gather(*(take("d1") for _ in range(8)))) == 1
    async with store.write() as tx:
        assert await tx.deliveries.take("discord", "d1", NOW)


async def test_a_delivery_whose_work_failed_can_be_taken_again(store: OpenStore) -> None:
    async def take_and_fail() -> None:
        async with store.write() as tx:
            await tx.deliveries.take("slack", "d1", NOW)
            raise RuntimeError("the work failed")

    with pytest.raises(RuntimeError, match="the work failed"):
        await take_and_fail()
    async with store.write() as tx:
        assert await tx.deliveries.take("slack", "d1", NOW)
