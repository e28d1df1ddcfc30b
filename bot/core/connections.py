"""Connections: how the lines over which chats tell us what people do are, for the health page.

An adapter that keeps such a line open says how to ask it, for as long as it listens; the adapter's
process alone knows, so each process shows its own lines.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Connection:
    """One line, as it is now."""

    name: str
    """The chat's, for people."""
    is_open: bool
    reason: str = ""
    """Why it is not open, as far as that is known, or what does not work although it is: a
    sentence, or its beginning."""
    fix: str = ""
    """What somebody can do; empty where it comes back by itself."""


class Connections:
    """What may be asked in this process, by platform."""

    def __init__(self) -> None:
        self._ask: dict[str, Callable[[], Connection]] = {}

    @contextmanager
    def asking(self, platform: str, ask: Callable[[], Connection]) -> Iterator[None]:
        """While the block runs, `ask` tells how the platform's line is, from memory."""
        self._ask[platform] = ask
        try:
            yield
        finally:
            del self._ask[platform]

    def now(self) -> dict[str, Connection]:
        """All of them."""
        return {platform: ask() for platform, ask in self._ask.items()}
