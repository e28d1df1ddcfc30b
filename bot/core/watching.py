"""Following one command through the house: its reference id, and who measures along the way.

The reference is the short id that a person sees when something fails. It stands in every log line
of the command, in its trace, and in the job, so that what a worker does later is found by it too.
Nobody has to measure: `Unwatched` is enough for everything to work.
"""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Protocol, TypeAlias

from bot.core.ids import new_id

REFERENCE_LENGTH = 8
Fact: TypeAlias = str | int | float | bool

_REFERENCE: ContextVar[str] = ContextVar("reference", default="")
_WORDS: ContextVar[tuple[str, ...]] = ContextVar("words", default=())


def reference() -> str:
    """The reference id of what is being done, or empty."""
    return _REFERENCE.get()


def private_words() -> tuple[str, ...]:
    """What people wrote, of the command being done: no log line may repeat it."""
    return _WORDS.get()


def hide(*words: str) -> None:
    """Keep these texts out of the logs for the rest of what is being done. A single word is no
    text: ids are such words, and logs need them."""
    new = tuple(text for text in words if " " in text.strip())
    _WORDS.set(tuple(dict.fromkeys(_WORDS.get() + new)))


@contextmanager
def following(known: str = "") -> Iterator[str]:
    """Do the block under the known reference id, else the one in force, else a new one."""
    chosen = known or _REFERENCE.get() or new_id()[:REFERENCE_LENGTH]
    before, words = _REFERENCE.set(chosen), _WORDS.set(_WORDS.get())
    try:
        yield chosen
    finally:
        _WORDS.reset(words)
        _REFERENCE.reset(before)


class Watch(Protocol):
    """Who measures. No method may fail, wait, or be told names or words of people."""

    def span(
        self, name: str, *, trail: str = "", ago: float = 0.0, **facts: Fact
    ) -> AbstractContextManager[object]:
        """Measure the block as a part of what is being done, or of what left this trail. It began
        `ago` seconds ago."""
        ...

    def trail(self) -> str:
        """What to keep with work that goes on elsewhere: the reference id, and more."""
        ...

    def count(self, what: str, **labels: str) -> None:
        """One more of that."""
        ...

    def time(self, what: str, seconds: float, **labels: str) -> None:
        """That took so long."""
        ...


class Unwatched:
    """Keeps the reference id and measures nothing."""

    @contextmanager
    def span(
        self, name: str, *, trail: str = "", ago: float = 0.0, **facts: Fact
    ) -> Iterator[object]:
        """See the port."""
        with following(reference_of(trail)) as chosen:
            yield chosen

    def trail(self) -> str:
        """See the port."""
        return _REFERENCE.get()

    def count(self, what: str, **labels: str) -> None:
        """See the port."""

    def time(self, what: str, seconds: float, **labels: str) -> None:
        """See the port."""


def reference_of(trail: str) -> str:
    """The reference id in a trail; its rest is the tracer's own business."""
    return trail.partition(" ")[0]


@contextmanager
def timed(watch: Watch, span: str, what: str, **labels: str) -> Iterator[None]:
    """Measure the block as a span and as one more of the times of `what`, however it ends."""
    began = time.perf_counter()
    try:
        with watch.span(span, trail="", ago=0.0, **labels):
            yield
    finally:
        watch.time(what, time.perf_counter() - began, **labels)
