"""The Signals port."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.core.ports import Signal
from storage.memory_blobs import MAX_WAITING, MemorySignals


def signal(topic: str, number: int = 0) -> Signal:
    """Something happened to a topic."""
    return Signal(topic=topic, kind="changed", data={"n": number})


async def seen(signals: AsyncIterator[Signal]) -> list[str]:
    """The topics that have arrived so far."""
    topics = []
    while True:
        try:
            found = await asyncio.wait_for(anext(signals), timeout=0.01)
        except TimeoutError:
            return topics
        topics.append(found.topic)


@pytest.mark.parametrize(
    ("topics", "expected"),
    [
        ((), ["job:1", "job:2", "queue", "jobs"]),
        (("queue",), ["queue"]),
        (("job:*",), ["job:1", "job:2"]),
        (("job:2", "queue"), ["job:2", "queue"]),
        (("nothing",), []),
    ],
)
async def test_a_reader_gets_the_topics_it_asked_for(
    topics: tuple[str, ...], expected: list[str]
) -> None:
    signals = MemorySignals()
    async with signals.subscribe(*topics) as mine:
        for topic in ("job:1", "job:2", "queue", "jobs"):
            signals.publish(signal(topic))
        assert await seen(mine) == expected


async def test_each_reader_gets_its_own_copy_and_none_after_it_left() -> None:
    signals = MemorySignals()
    async with signals.subscribe() as first, signals.subscribe() as second:
        signals.publish(signal("queue"))
        assert await seen(first) == await seen(second) == ["queue"]
    signals.publish(signal("queue"))  # nobody listens, nothing happens


async def test_a_slow_reader_loses_the_oldest_and_blocks_nobody() -> None:
    signals = MemorySignals()
    async with signals.subscribe() as slow:
        for number in range(MAX_WAITING + 5):
            signals.publish(signal("queue", number))
        assert (await anext(slow)).data["n"] == 5
