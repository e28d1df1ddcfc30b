"""Patience: how long a message waits before its next attempt while something is out of order."""

from collections.abc import Iterator
from contextlib import contextmanager

from bot.core.errors import ChatUnavailable, Unavailable

DOUBLINGS = 9
LONGEST_S = 300.0
"""Between two attempts while something is out of order."""
RECORDS_S = 5.0
"""Before something is tried again for which the records did not answer."""


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
