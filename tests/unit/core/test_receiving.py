"""What comes in is written down, acknowledged and done once, whatever happens in between."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.core.errors import Unavailable
from bot.core.ports import Delivery
from bot.core.receiving import MAX_FAILURES, SWEEP_S, Postponed, Receiving, aside
from bot.core.watching import private_words
from storage.memory_blobs import MemoryInbox
from tests.fakes.town import Town, make_town
from tests.fakes.waiting import ENOUGH_S, until


class Desk:
    """Does what is delivered; `troubles` are raised one a call, `gate` holds the work up."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.troubles: list[Exception] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.at_work = self.most_at_work = 0

    async def work(self, delivery: Delivery) -> str:
        """The answer."""
        self.at_work += 1
        self.most_at_work = max(self.most_at_work, self.at_work)
        try:
            await self.gate.wait()
            if self.troubles:
                raise self.troubles.pop(0)
            self.done.append(delivery.id)
            return f"did {delivery.payload['text']}"
        finally:
            self.at_work -= 1


@pytest.fixture
async def town() -> Town:
    """A house on memory."""
    return await make_town()


@pytest.fixture
def desk() -> Desk:
    """Who does the work."""
    return Desk()


@pytest.fixture
async def receiving(town: Town, desk: Desk) -> AsyncIterator[Receiving[str]]:
    """The incoming side of a platform."""
    made = Receiving(town.house, "slack", desk.work)
    yield made
    desk.gate.set()
    await made.finish(ENOUGH_S)


async def pending(town: Town) -> list[str]:
    """What stands in the inbox."""
    return [delivery.id for delivery in await town.house.inbox.pending("slack")]


async def test_a_delivery_is_on_the_disk_before_anything_is_done(
    town: Town, desk: Desk, receiving: Receiving[str]
) -> None:
    delivery = await receiving.put("d1", {"text": "hello"})
    assert await pending(town) == ["d1"]
    assert desk.done == []
    receiving.later(delivery)
    await receiving.finish(ENOUGH_S)
    assert desk.done == ["d1"]
    assert await pending(town) == []


async def test_whoever_waits_gets_the_answer(receiving: Receiving[str]) -> None:
    assert await receiving.take("d1", {"text": "hello"}, within_s=ENOUGH_S) == "did hello"


async def test_nobody_is_kept_waiting_and_it_is_done_all_the_same(
    desk: Desk, receiving: Receiving[str]
) -> None:
    desk.gate.clear()
    assert await receiving.take("d1", {"text": "hello"}, within_s=0) is None
    desk.gate.set()
    await receiving.finish(ENOUGH_S)
    assert desk.done == ["d1"]


async def test_what_is_delivered_twice_at_once_is_done_once(
    desk: Desk, receiving: Receiving[str]
) -> None:
    desk.gate.clear()
    receiving.later(await receiving.put("d1", {"text": "a"}))
    again = asyncio.create_task(receiving.take("d1", {"text": "a"}, within_s=ENOUGH_S))
    await asyncio.sleep(0)
    desk.gate.set()
    assert await again == "did a"
    assert desk.done == ["d1"]


async def test_many_deliveries_are_worked_off_a_few_at_a_time(
    desk: Desk, receiving: Receiving[str]
) -> None:
    desk.gate.clear()
    for number in range(20):
        receiving.later(await receiving.put(f"d{number}", {"text": "a"}))
    await until(lambda: desk.most_at_work == 4)
    desk.gate.set()
    await receiving.finish(ENOUGH_S)
    assert desk.most_at_work == 4
    assert sorted(desk.done) == sorted(f"d{number}" for number in range(20))


async def test_what_a_crash_left_is_done_after_it(town: Town, desk: Desk) -> None:
    dying = Receiving(town.house, "slack", desk.work)
    await dying.put("d1", {"text": "a"})
    await town.house.inbox.put(
        Delivery(platform="local", id="x", payload={}, received_at=town.clock.now())
    )
    reborn = Receiving(town.house, "slack", desk.work)
    assert await reborn.replay() == 1
    assert await reborn.replay() == 0
    assert desk.done == ["d1"], "another platform's deliveries are left to it"


async def test_what_the_house_could_not_do_is_done_later_without_being_sent_again(
    town: Town, desk: Desk, receiving: Receiving[str]
) -> None:
    desk.troubles = [Unavailable("The database is locked.")]
    with pytest.raises(Postponed, match="written down") as caught:
        await receiving.take("d1", {"text": "a"}, within_s=ENOUGH_S)
    assert "No need" in caught.value.fix
    assert await pending(town) == ["d1"]
    async with receiving.sweeping():
        await town.clock.advance(SWEEP_S)
        assert desk.done == ["d1"]
    assert await pending(town) == []


async def test_what_takes_long_to_replay_does_not_keep_anybody_from_starting(
    town: Town, desk: Desk, receiving: Receiving[str]
) -> None:
    await receiving.put("d1", {"text": "a"})
    desk.gate.clear()
    async with receiving.sweeping(first=False):
        assert desk.done == []
        desk.gate.set()
        await until(lambda: desk.done == ["d1"])
    assert await pending(town) == []


async def test_a_delivery_that_trips_over_a_bug_is_not_tried_for_ever_and_not_thrown_away(
    town: Town, desk: Desk, receiving: Receiving[str]
) -> None:
    desk.troubles = [ZeroDivisionError() for _ in range(10)]
    receiving.later(await receiving.put("d1", {"text": "a"}))
    await until(lambda: len(desk.troubles) == 9)
    for _ in range(5):
        await receiving.replay()
    assert len(desk.troubles) == 10 - MAX_FAILURES
    assert await pending(town) == ["d1"]


class FullDisk(MemoryInbox):
    """Writes nothing."""

    async def put(self, delivery: Delivery) -> None:
        """Fails."""
        raise Unavailable("The disk is full.")


async def test_what_is_not_on_the_disk_is_neither_acknowledged_nor_done(
    town: Town, desk: Desk
) -> None:
    receiving = Receiving(replace(town.house, inbox=FullDisk()), "slack", desk.work)
    with pytest.raises(Unavailable, match="disk") as caught:
        await receiving.take("d1", {"text": "a"}, within_s=ENOUGH_S)
    assert not isinstance(caught.value, Postponed)
    assert desk.done == []


async def test_work_that_only_lets_time_pass_keeps_nobody_waiting(town: Town) -> None:
    begun: list[str] = []
    gate = asyncio.Event()

    async def work(delivery: Delivery) -> str:
        begun.append(delivery.id)
        if delivery.id != "quick":
            async with aside():
                await gate.wait()
        return "done"

    receiving = Receiving(town.house, "slack", work, at_once=1)
    for key in ("d1", "d2", "quick"):
        receiving.later(await receiving.put(key, {}))
    await until(lambda: begun == ["d1", "d2", "quick"])
    gate.set()
    await receiving.finish(ENOUGH_S)
    assert await pending(town) == []


async def test_what_steps_aside_takes_up_its_turn_again(town: Town) -> None:
    at_work, most = 0, 0
    gate = asyncio.Event()

    async def work(_: Delivery) -> str:
        nonlocal at_work, most
        async with aside():
            await gate.wait()
        at_work += 1
        most = max(most, at_work)
        await town.house.inbox.pending("slack")
        at_work -= 1
        return "done"

    receiving = Receiving(town.house, "slack", work, at_once=1)
    for number in range(5):
        receiving.later(await receiving.put(f"d{number}", {}))
    gate.set()
    await receiving.finish(ENOUGH_S)
    assert most == 1


async def test_what_people_wrote_is_kept_out_of_the_log_however_deep_it_stands(town: Town) -> None:
    hidden: list[str] = []

    async def work(_delivery: Delivery) -> None:
        hidden.extend(private_words())

    receiving = Receiving(town.house, "discord", work)
    payload = {"text": "a red mug", "options": (("prompt", "our secret mug"),), "n": [{"a": "b c"}]}
    receiving.later(await receiving.put("1", payload))
    await receiving.finish(ENOUGH_S)
    assert set(hidden) == {"a red mug", "our secret mug", "b c"}
