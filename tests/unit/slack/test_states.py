"""The way back from Slack's consent page: one browser, once, for ten minutes."""

import asyncio

import pytest

from bot.chat.slack_chat.installing.states import LIFE, States
from storage.memory import MemoryStore
from tests.fakes.clock import DrivenClock


def states(secret: str = "s", clock: DrivenClock | None = None) -> States:
    return States(secret=secret, store=MemoryStore(), clock=clock or DrivenClock())


async def test_a_state_is_good_once_whoever_comes_first() -> None:
    ours = states()
    state = ours.new()
    cookie = ours.cookie_of(state)
    taken = await asyncio.gather(*(ours.take(state, cookie) for _ in range(4)))
    assert sorted(taken) == [False, False, False, True]


async def test_any_process_of_the_house_takes_it_and_another_house_does_not() -> None:
    store, clock = MemoryStore(), DrivenClock()
    one, two = (States(secret="s", store=store, clock=clock) for _ in range(2))
    state = one.new()
    assert await states("other", clock).take(state, one.cookie_of(state)) is False
    assert await two.take(state, one.cookie_of(state)) is True
    assert await one.take(state, one.cookie_of(state)) is False


async def test_another_browser_s_state_is_refused_and_stays_good_for_its_own() -> None:
    ours = states()
    state, theirs = ours.new(), ours.new()
    for cookie in ("", "x", "ü", ours.cookie_of(theirs)):
        assert await ours.take(state, cookie) is False
    assert await ours.take(state, ours.cookie_of(state)) is True


async def test_a_state_ends() -> None:
    clock = DrivenClock()
    ours = states(clock=clock)
    early, late = ours.new(), ours.new()
    clock.jump(LIFE.total_seconds() - 1)
    assert await ours.take(early, ours.cookie_of(early)) is True
    clock.jump(1)
    assert await ours.take(late, ours.cookie_of(late)) is False


@pytest.mark.parametrize("change", ["", ".", "a.1.b", "ü.1.2", "x" * 5000, "{}x", "x{}", "{}."])
async def test_a_state_that_was_not_given_out_is_refused(change: str) -> None:
    ours = states()
    made = change.format(ours.new())
    assert await ours.take(made, ours.cookie_of(made)) is False


async def test_an_end_that_was_moved_is_refused() -> None:
    ours = states()
    nonce, ends, signature = ours.new().split(".")
    longer = f"{nonce}.{int(ends) + 3600}.{signature}"
    assert await ours.take(longer, ours.cookie_of(longer)) is False
