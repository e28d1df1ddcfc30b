"""Turns at Slack's rates, on a clock that is driven."""

from collections import Counter

import pytest

from bot.chat.slack_chat.methods import RULES, Method
from bot.chat.slack_chat.outgoing.throttle import (
    CHANNEL_BURST,
    FORGOTTEN_S,
    PER_MESSAGE_S,
    Bucket,
    Throttle,
)
from tests.fakes.clock import DrivenClock

POST, CHANGE, LOOK = Method.CHAT_POST_MESSAGE, Method.CHAT_UPDATE, Method.CONVERSATIONS_HISTORY


@pytest.fixture
def clock() -> DrivenClock:
    return DrivenClock()


@pytest.fixture
def throttle(clock: DrivenClock) -> Throttle:
    return Throttle(clock)


def test_a_channel_takes_a_few_at_once_and_then_one_a_second(throttle: Throttle) -> None:
    waits = [throttle.turn("T1", POST, "C1", f"m{n}") for n in range(6)]
    assert waits == pytest.approx([0, 0, 0, 1, 2, 3])


def test_one_busy_channel_does_not_hold_up_another(throttle: Throttle) -> None:
    for number in range(20):
        throttle.turn("T1", POST, "C1", f"m{number}")
    assert throttle.turn("T1", POST, "C2", "other") == 0


def test_the_same_channel_id_of_another_workspace_has_its_own_rate(throttle: Throttle) -> None:
    for number in range(20):
        throttle.turn("T1", POST, "C1", f"m{number}")
    assert throttle.turn("T2", POST, "C1", "other") == 0


def test_a_message_that_comes_back_keeps_its_turn(throttle: Throttle, clock: DrivenClock) -> None:
    for number in range(5):
        throttle.turn("T1", POST, "C1", f"m{number}")
    clock.jump(1.0)
    assert throttle.turn("T1", POST, "C1", "late") == pytest.approx(2)
    assert throttle.turn("T1", POST, "C1", "m4") == pytest.approx(1)
    assert throttle.turn("T1", POST, "C1", "m3") == 0


def test_five_hundred_cards_for_one_channel_all_go_in_order_at_its_rate(
    throttle: Throttle, clock: DrivenClock
) -> None:
    due = {f"m{number:03}": 0.0 for number in range(500)}
    began = clock.now()
    went: list[tuple[float, str]] = []
    tries: Counter[str] = Counter()
    while due:
        key = min(due, key=lambda key: (due[key], key))
        clock.jump(max(0.0, due[key] - (clock.now() - began).total_seconds()))
        now = (clock.now() - began).total_seconds()
        tries[key] += 1
        wait = throttle.turn("T1", POST, "C1", key)
        if wait:
            due[key] = now + wait
        else:
            del due[key]
            went.append((now, key))
    assert [key for _, key in went] == sorted(key for _, key in went)
    assert max(tries.values()) == 2
    assert went[-1][0] == pytest.approx(500 - CHANNEL_BURST, abs=1)
    for at, _ in went[CHANNEL_BURST:]:
        assert sum(at - 10 < other <= at for other, _ in went) <= 10 + CHANNEL_BURST


def test_turns_that_nobody_takes_are_struck_off_in_the_end() -> None:
    bucket = Bucket(interval=1.0, burst=1)
    for second in range(2000):
        bucket.promise(f"m{second}", float(second))
    assert bucket.waiting <= FORGOTTEN_S + 1


def test_a_later_state_of_the_same_message_takes_over_the_turn_of_the_earlier(
    throttle: Throttle, clock: DrivenClock
) -> None:
    burst = RULES[CHANGE].per_minute // 5
    for number in range(burst):
        throttle.turn("T1", CHANGE, key=f"other {number}")
    first = throttle.turn("T1", CHANGE, key="change C1 1.2")
    for _ in range(50):
        assert throttle.turn("T1", CHANGE, key="change C1 1.2") == pytest.approx(first)
    clock.jump(first)
    assert throttle.turn("T1", CHANGE, key="change C1 1.2") == 0


def test_a_call_without_a_key_is_promised_nothing(throttle: Throttle) -> None:
    burst = RULES[LOOK].per_minute // 5
    assert [throttle.turn("T1", LOOK) for _ in range(burst)] == [0] * burst
    waits = [throttle.turn("T1", LOOK) for _ in range(5)]
    assert waits == pytest.approx([waits[0]] * 5)


@pytest.mark.parametrize("method", sorted(RULES))
def test_no_method_is_called_much_more_often_than_its_tier_allows(method: Method) -> None:
    clock = DrivenClock()
    throttle = Throttle(clock)
    gone = 0
    for _ in range(240):
        while throttle.turn("T1", method) == 0:
            gone += 1
        clock.jump(0.25)
    per_minute = RULES[method].per_minute
    assert per_minute - 1 <= gone <= per_minute * 1.2 + 1


def test_after_a_429_nothing_of_that_method_goes_to_that_workspace(
    throttle: Throttle, clock: DrivenClock
) -> None:
    throttle.turn("T1", POST, "C1", "m")
    throttle.hit("T1", POST, 30, place="C1", key="m")
    assert throttle.turn("T1", POST, "C2", "n") >= 30
    assert throttle.turn("T1", CHANGE, key="n") == 0
    assert throttle.turn("T2", POST, "C2", "n") == 0
    clock.jump(29)
    assert throttle.turn("T1", POST, "C1", "m") == pytest.approx(1)
    clock.jump(1)
    assert throttle.turn("T1", POST, "C1", "m") == 0


def test_a_shorter_wait_does_not_shorten_a_longer_one(throttle: Throttle) -> None:
    throttle.hit("T1", CHANGE, 30)
    throttle.hit("T1", CHANGE, 1)
    assert throttle.turn("T1", CHANGE) == pytest.approx(30)


def test_a_line_that_a_429_held_up_goes_on_in_its_order(
    throttle: Throttle, clock: DrivenClock
) -> None:
    for number in range(8):
        throttle.turn("T1", POST, "C1", f"m{number}")
    throttle.hit("T1", POST, 60, place="C1", key="m2")
    waits = [throttle.turn("T1", POST, "C1", f"m{number}") for number in range(3, 8)]
    assert waits == sorted(waits)
    assert min(waits) >= 60
    assert len({round(wait, 3) for wait in waits}) == 5
    assert throttle.turn("T1", POST, "C1", "new") > max(waits)


def test_a_turn_that_nobody_takes_does_not_keep_the_line_from_moving_at_each_429(
    throttle: Throttle, clock: DrivenClock
) -> None:
    for number in range(20):
        throttle.turn("T1", POST, "C1", f"m{number}")
    for _ in range(25):  # m3 never comes back: another process has sent it
        clock.jump(2)
        throttle.hit("T1", POST, 1)
    clock.jump(1)
    assert throttle.turn("T1", POST, "C1", "m19") == 0


def test_channels_that_are_silent_are_forgotten(throttle: Throttle, clock: DrivenClock) -> None:
    for number in range(1000):
        throttle.turn("T1", POST, f"C{number}", "m")
        clock.jump(1)
    assert throttle.remembered < 700


def test_one_message_changes_every_two_seconds_at_most(
    throttle: Throttle, clock: DrivenClock
) -> None:
    assert throttle.turn("T1", CHANGE, key="change C1 1.0") == 0
    assert throttle.turn("T1", CHANGE, key="change C1 2.0") == 0
    clock.jump(0.5)
    assert throttle.turn("T1", CHANGE, key="change C1 1.0") == pytest.approx(PER_MESSAGE_S - 0.5)
    clock.jump(1.5)
    assert throttle.turn("T1", CHANGE, key="change C1 1.0") == 0
