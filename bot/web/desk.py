"""Desk: what the portal needs of the local chat's incoming side."""

from collections.abc import Sequence
from typing import Protocol

from bot.core.messages import Actor
from bot.core.ports import TimelineMessage
from bot.core.rooms import Room


class Desk(Protocol):
    """Takes in what people do. Every call is written down durably before it is worked off;
    the actor's `delivery` makes a call that comes twice count once. Each returns the message
    that answers this person alone, or None where the channel itself shows what came of it;
    what goes wrong is such an answer too."""

    async def rooms(self, person: str, user: str) -> Sequence[Room]:
        """The channels that this person may read and write in."""
        ...

    async def say(
        self,
        actor: Actor,
        text: str,
        *,
        reference: str = "",
        brand: str = "",
        aside: str = "",
        mask: str = "",
        control: str = "",
        like: str = "",
    ) -> TimelineMessage | None:
        """A typed line with the SHA-256 of each attached picture: what it starts from, its mask,
        what leads it, what serves as a prompt; `brand` is what the page shows. With `aside`, the
        channel that takes the answer, a page's form made the line: no chat shows it."""
        ...

    async def press(
        self, actor: Actor, action: str, *, said: str = "", aside: str = ""
    ) -> TimelineMessage | None:
        """A button. `said` is what it asked for; `aside` is the channel that takes the answer."""
        ...

    async def react(
        self, actor: Actor, message: str, emoji: str, *, on: bool
    ) -> TimelineMessage | None:
        """A reaction put on a message or taken away."""
        ...
