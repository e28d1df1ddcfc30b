"""The Ledger and Deliveries ports."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from bot.core.errors import Conflict, NotFound, StaleState
from bot.core.ledger import Event, EventQuery, Head, Personal
from storage.database import OpenStore, open_store
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


def link(events: Sequence[Event], head: Head) -> list[Event]:
    """The events as the next lines of the chain."""
    lines: list[Event] = []
    for event in events:
        lines.append(event.linked(lines[-1].head if lines else head))
    return lines


async def chain_all(store: OpenStore) -> None:
    """Chain what waits."""
    async with store.write() as tx:
        assert await tx.ledger.lead()
        await tx.ledger.chain(link(await tx.ledger.unchained(100), await tx.ledger.head()))


async def lines_of(store: OpenStore) -> list[Event]:
    """The chain."""
    async with store.read() as tx:
        return [line for line in await tx.ledger.page() if isinstance(line, Event)]


async def test_waiting_events_are_chained_in_the_order_they_came(store: OpenStore) -> None:
    events = [make_event(number) for number in range(3)]
    async with store.write() as tx:
        assert await tx.ledger.head() == Head()
        await tx.ledger.chain([])
        for event in events:
            await tx.ledger.append(event)
        assert await tx.ledger.waiting() == 3
        assert await tx.ledger.unchained(2) == events[:2]
    lines = link(events, Head())
    async with store.write() as tx:
        await tx.ledger.chain(lines[:2])
    async with store.read() as tx:
        assert await tx.ledger.head() == lines[1].head
        assert await tx.ledger.unchained(9) == events[2:]
    async with store.write() as tx:
        await tx.ledger.chain(lines[2:])
    async with store.read() as tx:
        assert await tx.ledger.waiting() == 0
        assert await tx.ledger.page() == lines
        assert await tx.ledger.page(1, limit=1) == lines[1:2]
        assert await tx.ledger.page(3) == []
    assert [line.seq for line in lines] == [1, 2, 3]


async def test_a_chain_that_has_grown_meanwhile_is_not_continued_twice(store: OpenStore) -> None:
    events = [make_event(number) for number in range(2)]
    async with store.write() as tx:
        for event in events:
            await tx.ledger.append(event)
    await chain_all(store)
    with pytest.raises(StaleState):
        async with store.write() as tx:
            await tx.ledger.chain(link(events, Head()))
    with pytest.raises(StaleState):
        async with store.write() as tx:
            await tx.ledger.chain(link(events, await tx.ledger.head()))
    async with store.read() as tx:
        assert [line.seq for line in await tx.ledger.page()] == [1, 2]


async def test_only_one_transaction_at_a_time_may_chain(postgres_url: str) -> None:
    one = await open_store(postgres_url)
    async with one.write() as tx:
        assert await tx.ledger.lead()
        other = await open_store(postgres_url)
        async with other.write() as meanwhile:
            assert not await meanwhile.ledger.lead()
        await other.close()
    async with one.write() as tx:
        assert await tx.ledger.lead()
    await one.close()


async def test_forgetting_a_person_takes_the_texts_and_leaves_the_chain(store: OpenStore) -> None:
    own = make_event(0)
    about = replace(make_event(1, subject="person:mia"), actor="zoe")
    others = replace(make_event(2, subject="person:miamia"), actor="zoe")
    async with store.write() as tx:
        for event in (own, about, others):
            await tx.ledger.append(event)
    await chain_all(store)
    before = await lines_of(store)
    async with store.write() as tx:
        assert await tx.ledger.forget("mia") == 4
        assert await tx.ledger.forget("mia") == 0
    after = await lines_of(store)
    assert [line.personal for line in after] == [{}, {}, others.personal]
    assert [line.body() for line in after] == [line.body() for line in before]
    assert [line.commitments for line in after] == [line.commitments for line in before]


async def test_events_are_found_by_all_that_they_say(store: OpenStore) -> None:
    vote = Event(action="review.voted", subject="review:1", at=later(1), actor="zoe", brand="acme")
    queued = make_event(2)
    joined = Event(action="person.invited", subject="person:mia", at=later(3), actor="zoe")
    async with store.write() as tx:
        for event in (vote, queued, joined):
            await tx.ledger.append(event)

    async def find(**wanted: Any) -> Sequence[Event]:
        async with store.read() as tx:
            return await tx.ledger.find(EventQuery(**wanted))

    assert await find() == [joined, queued, vote]
    assert await find(limit=2) == [joined, queued]
    assert await find(before=joined.id) == [queued, vote]
    assert await find(subjects=("review:1", "job:1")) == [queued, vote]
    assert await find(person="mia") == [joined, queued]
    assert await find(brand="acme") == [queued, vote]
    assert await find(action="review") == [vote]
    assert await find(action="review.voted") == [vote]
    assert await find(action="rev") == []
    assert await find(since=later(2)) == [joined, queued]
    with pytest.raises(NotFound):
        await find(before="nothing")


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
