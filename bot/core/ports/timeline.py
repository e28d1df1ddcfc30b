"""The port to the local chat's own memory: there it plays the chat server's part."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.core.messages import Card


@dataclass(frozen=True, kw_only=True)
class TimelineMessage:
    """One message of the local chat's own timeline."""

    id: str
    channel: str
    author: str
    """Display name; the product's own messages carry its name."""
    user: str
    """Local user id, empty for the product."""
    at: datetime
    text: str = ""
    card: Card | None = None
    outgoing: str = ""
    """The outgoing id it was sent under; unique."""
    blob: str = ""
    """A posted picture."""
    only_for: str = ""
    """Local user id that alone sees it (private replies), or empty."""
    reactions: tuple[tuple[str, str], ...] = ()
    """(emoji name, local user id)."""
    edited_at: datetime | None = None
    """When its card was last changed in place; `at` and its place stay."""
    version: int = 0


class Timeline(Protocol):
    """The local chat platform's memory (it plays the part of the chat server)."""

    async def add(self, message: TimelineMessage) -> TimelineMessage:
        """If `outgoing` stands there already, returns that message instead."""
        ...

    async def replace(self, message_id: str, card: Card, at: datetime) -> TimelineMessage:
        """Change a card in place. Raises NotFound."""
        ...

    async def remove(self, message_id: str) -> None:
        """Take it away with its reactions; no error if it is gone."""
        ...

    async def get(self, message_id: str) -> TimelineMessage:
        """Raises NotFound."""
        ...

    async def react(self, message_id: str, emoji: str, user: str, *, on: bool) -> TimelineMessage:
        """Add or take away a reaction. Raises NotFound."""
        ...

    async def by_outgoing(self, outgoing_id: str) -> TimelineMessage | None:
        """The message sent under this id, or None."""
        ...

    async def page(
        self, channel: str, *, user: str, before: str = "", limit: int = 50
    ) -> Sequence[TimelineMessage]:
        """What `user` may see, oldest first; `before` is the first id of the later page."""
        ...
