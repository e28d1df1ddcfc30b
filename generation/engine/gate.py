"""Keeps the step loop from its next call while something beside it needs the memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

PATIENCE_S = 20.0
"""How long a call that is being made is waited for; then it is tried beside it."""


class Gate:
    """Between two calls the loop asks all flights what they wish: there it passes, or waits.

    Nobody who keeps it closed may wait for the loop.
    """

    def __init__(self) -> None:
        self._changed = Condition()  # guards all that follows
        self._flying = 0
        self._closing = 0
        self._waits = False

    @contextmanager
    def flying(self) -> Iterator[None]:
        """A flight is in the air within this context, whose `passing` the loop calls."""
        with self._changed:
            self._flying += 1
        try:
            yield
        finally:
            with self._changed:
                self._flying -= 1
                self._changed.notify_all()

    def passing(self) -> None:
        """Called in the loop's thread before each of its calls: waits as long as it is closed."""
        with self._changed:
            if not self._closing:
                return
            self._waits = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._closing)
            self._waits = False

    @contextmanager
    def closed(self) -> Iterator[None]:
        """The loop makes no call within; entered once the one that it is making is over."""
        with self._changed:
            self._closing += 1
            self._changed.wait_for(lambda: self._waits or not self._flying, PATIENCE_S)
        try:
            yield
        finally:
            with self._changed:
                self._closing -= 1
                self._changed.notify_all()
