"""Patience: how long a message waits before its next attempt while something is out of order."""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from bot.core.errors import ChatUnavailable, Unavailable

DOUBLINGS = 9
LONGEST_S = 300.0
"""Between two attempts while something is out of order."""
RECORDS_S = 5.0
"""Before something is tried again for which the records did not answer."""
RATE_S = 30.0
"""Where a platform says "too many" without saying for how long."""
LONGEST_TURN_S = 86_400.0
"""A longer wait for a turn than that is a slip: it is asked again after a day."""


def turn_in(seconds: float) -> float:
    """A wait that a platform asks for, within reason."""
    return min(max(0.0, seconds), LONGEST_TURN_S) if math.isfinite(seconds) else RATE_S


def retry_after(headers: Mapping[str, str]) -> float:
    """Seconds of a Retry-After header, which may be missing or no number."""
    try:
        return turn_in(float(headers.get("Retry-After", "")))
    except ValueError:
        return RATE_S


@contextmanager
def patient(attempts: int) -> Iterator[None]:
    """Wait twice as long with every attempt while something is out of order, here or there; a
    turn at a platform's rate comes when it comes. Raises ChatUnavailable instead of Unavailable."""
    longer = min(2.0 ** min(attempts, DOUBLINGS), LONGEST_S)
    try:
        yield
    except ChatUnavailable as exc:
        if exc.queued or exc.retry_after_s >= longer:
            raise
        raise ChatUnavailable(exc.message, retry_after_s=longer) from exc
    except Unavailable as exc:
        wait = max(RECORDS_S, longer)
        raise ChatUnavailable(exc.message, retry_after_s=wait) from exc
