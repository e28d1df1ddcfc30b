"""The Clock port: the system's clock, and the tests' own."""

import asyncio
from datetime import UTC, timedelta

import pytest

from bot.clock import SystemClock
from bot.core.ports import Clock
from tests.fakes.clock import START, DrivenClock


@pytest.mark.parametrize("clock", [SystemClock(), DrivenClock()], ids=["system", "driven"])
async def test_the_time_is_aware_and_in_utc_and_no_sleep_at_all_returns(clock: Clock) -> None:
    assert clock.now().tzinfo is UTC
    await clock.sleep(0)
    await clock.sleep(-1)


async def test_the_system_clock_goes_on_while_it_sleeps() -> None:
    clock = SystemClock()
    before = clock.now()
    await clock.sleep(0.01)
    assert clock.now() - before >= timedelta(seconds=0.009)


async def test_driven_sleepers_wake_in_order_each_at_its_own_time() -> None:
    clock = DrivenClock()
    woken: list[tuple[str, float]] = []

    async def sleeper(name: str, *naps: float) -> None:
        for nap in naps:
            await clock.sleep(nap)
            woken.append((name, (clock.now() - START).total_seconds()))

    tasks = [asyncio.create_task(sleeper("a", 2, 2, 2)), asyncio.create_task(sleeper("b", 3, 9))]
    await clock.advance(6)
    assert woken == [("a", 2), ("b", 3), ("a", 4), ("a", 6)]
    assert clock.now() == START + timedelta(seconds=6)
    assert clock.sleeping == 1
    await clock.advance_to(START + timedelta(seconds=12))
    assert woken[-1] == ("b", 12)
    await asyncio.gather(*tasks)


async def test_a_jump_wakes_nobody_until_the_clock_is_driven_again() -> None:
    clock = DrivenClock()
    task = asyncio.create_task(clock.sleep(5))
    await clock.advance(0)
    clock.jump(60)
    await asyncio.sleep(0)
    assert not task.done()
    await clock.advance(0)
    assert task.done()
    assert clock.now() == START + timedelta(seconds=60)
