"""How many compute threads a step gets on a machine that has other work too.

With all cores idle, two threads are nearly twice as fast as one. When another process takes one
of the cores, every small operation waits for it, and two threads are several times slower than
one (measured: 2.0 s against 0.5 s a step). So the faster number is found again and again.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch

ADAPTIVE = 0
"""As a number of threads: take what is fastest now. The weights then differ in their last bits."""
_FIRST_WAIT, _LONGEST_WAIT = 6, 48


class ThreadChoice:
    """Tells before each step how many threads to use, and learns from how long it took."""

    def __init__(self, most: int) -> None:
        self._choices = (1, most)
        self._seconds: dict[int, float] = {}
        self.current = most
        self._wait = self._left = _FIRST_WAIT

    def before_step(self) -> None:
        """Set torch's threads for the next step."""
        self._left -= 1
        trial = self._left == 0
        torch.set_num_threads(self._other() if trial else self.current)

    def after_step(self, seconds: float) -> None:
        """Note how long the step took and take the faster number from now on."""
        used = torch.get_num_threads()
        old = self._seconds.get(used, seconds)
        # A trial counts in full: what was measured long ago says little about now.
        self._seconds[used] = seconds if used != self.current else (old + seconds) / 2
        if self._left > 0 and not self._suddenly_slow():
            return
        if self._seconds.get(self._other(), float("inf")) < self._seconds[self.current]:
            self.current, self._wait = self._other(), _FIRST_WAIT
        else:
            self._wait = min(_LONGEST_WAIT, self._wait * 2)
        self._left = self._wait

    def _suddenly_slow(self) -> bool:
        single = self._seconds.get(1)
        return self.current != 1 and single is not None and self._seconds[self.current] > single

    def _other(self) -> int:
        return self._choices[0] if self.current == self._choices[1] else self._choices[1]


@contextmanager
def adapted(choice: ThreadChoice | None) -> Iterator[None]:
    """Run one step under the choice's threads and let it learn; nothing where there is none."""
    if choice is None:
        yield
        return
    began = time.monotonic()
    choice.before_step()
    yield
    choice.after_step(time.monotonic() - began)
