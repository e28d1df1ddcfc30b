"""A loop works things off, waits, and outlives a store that is away for a while."""

import asyncio
from datetime import timedelta

import pytest

from bot.core.errors import StaleState, Unavailable
from bot.core.waking import Loop, renewed
from tests.fakes.town import make_town


class Patient(Loop):
    """A loop whose store is away for the first calls."""

    topic = "queue"
    poll_s = 2.0
    troubles = 3
    error: Exception = Unavailable("The database does not answer.")
    calls = 0

    async def run_one(self) -> bool:
        """Count."""
        self.calls += 1
        if self.calls <= self.troubles:
            raise self.error
        return False


async def test_a_loop_waits_for_a_store_that_is_away_and_goes_on() -> None:
    town = await make_town()
    loop, stop = Patient(town.house, "loop"), asyncio.Event()
    running = asyncio.create_task(loop.run(stop))
    for _ in range(5):
        await town.clock.advance(Patient.poll_s)
    assert loop.calls > Patient.troubles
    assert not running.done()
    stop.set()
    await running


async def test_a_store_that_is_away_is_not_asked_without_a_pause() -> None:
    town = await make_town()
    loop, stop = Patient(town.house, "loop"), asyncio.Event()
    running = asyncio.create_task(loop.run(stop))
    await town.clock.advance(Patient.poll_s / 2)
    assert loop.calls == 1
    stop.set()
    await running


async def test_a_bug_ends_the_loop_so_that_it_is_seen() -> None:
    town = await make_town()
    loop = Patient(town.house, "loop")
    loop.error = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        await loop.run(asyncio.Event())


async def test_a_lease_is_renewed_while_the_work_goes_on_and_no_longer() -> None:
    town = await make_town()
    renewals: list[float] = []

    async def renew() -> None:
        renewals.append(town.clock.now().timestamp())

    async with renewed(town.house, renew):
        await town.clock.advance(2 * town.house.lease.total_seconds())
    assert len(renewals) == 6
    await town.clock.advance(60)
    assert len(renewals) == 6


async def test_a_lost_lease_is_not_fought_for_and_a_busy_store_is_asked_again() -> None:
    town = await make_town()
    troubles: list[Exception] = [Unavailable("busy"), StaleState("Taken over.")]
    calls = 0

    async def renew() -> None:
        nonlocal calls
        calls += 1
        raise troubles.pop(0)

    async with renewed(town.house, renew):
        await town.clock.advance(10 * town.house.lease.total_seconds())
    assert calls == 2
    assert town.house.lease == timedelta(seconds=15)
