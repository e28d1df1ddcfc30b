"""Score: how many bad inputs were tried, how many broke something, how many got through."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

SLOW_S = 1.0
"""Seconds of this thread's processor time that one bad input may cost."""


class Taken(Exception):
    """A bad input was accepted, or did what it must not."""


@dataclass
class Score:
    """The counts of one area, with a line for every bad one."""

    tried: int = 0
    crashed: int = 0
    accepted_wrongly: int = 0
    told: list[str] = field(default_factory=list)

    @contextmanager
    def attempt(
        self, what: str, refusals: tuple[type[Exception], ...] = (), *, must_refuse: bool = False
    ) -> Iterator[None]:
        """One bad input. `refusals` are the typed errors that a person can act on; anything else
        that is raised, and more than SLOW_S, is a crash. Raise Taken where it got through; with
        `must_refuse` an end without a refusal is that too."""
        self.tried += 1
        began = time.thread_time()
        try:
            yield
            if must_refuse:
                raise Taken("was accepted")
        except refusals:
            pass
        except Taken as exc:
            self.accepted_wrongly += 1
            self.told.append(f"accepted wrongly: {what}: {exc}")
        except Exception as exc:  # noqa: BLE001  (counting them is what this is for)
            self.crashed += 1
            self.told.append(f"crashed: {what}: {type(exc).__name__}: {exc}")
        else:
            self._check_time(what, time.thread_time() - began)

    def _check_time(self, what: str, seconds: float) -> None:
        if seconds > SLOW_S:
            self.crashed += 1
            self.told.append(f"crashed: {what}: took {seconds:.1f} s of the processor")

    @property
    def counts(self) -> dict[str, int]:
        """As the benchmark prints them."""
        return {
            "tried": self.tried,
            "crashed": self.crashed,
            "accepted_wrongly": self.accepted_wrongly,
        }
