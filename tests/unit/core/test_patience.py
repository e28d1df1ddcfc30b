"""How long a message waits where a platform says so."""

import pytest

from bot.core.patience import LONGEST_TURN_S, RATE_S, retry_after


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("30", 30.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        ("1e300", LONGEST_TURN_S),
        ("soon", RATE_S),
        ("", RATE_S),
        ("nan", RATE_S),
        ("inf", RATE_S),
        ("Wed, 21 Oct 2026 07:28:00 GMT", RATE_S),
    ],
)
def test_a_retry_after_may_be_anything(header: str, seconds: float) -> None:
    assert retry_after({"Retry-After": header}) == seconds


def test_a_missing_retry_after_is_a_usual_wait() -> None:
    assert retry_after({}) == RATE_S
