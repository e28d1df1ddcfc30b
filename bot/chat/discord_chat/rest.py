"""Rest: what the rooms of the adapter ask of Discord's REST API beside sending (see outgoing/).

`outgoing/` implements it on discord.py; nothing else in the house makes a request to Discord but
the answers to interactions, which the gateway's client gives (incoming/).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from bot.core.errors import ChatRejected, Mistake


class DiscordRefused(ChatRejected):
    """Discord said no. `error` is its own number (docs.discord.com, JSON error codes; 0 where it
    gave none) and `status` the HTTP status; the message and fix are for people."""

    def __init__(self, message: str, *, error: int = 0, status: int = 0, fix: str = "") -> None:
        super().__init__(message, fix=fix)
        self.error = error
        self.status = status


class ForeignHost(Mistake):
    """The picture is kept outside Discord, where nothing is fetched from."""


class TooLarge(Mistake):
    """The file has more bytes than are taken."""


class Gone(Mistake):
    """The file is not there any more: addresses of attachments expire."""


@dataclass(frozen=True, kw_only=True)
class ChannelFacts:
    """A channel as Discord describes it."""

    id: str
    name: str
    guild: str
    """Empty for a direct conversation."""
    parent: str
    """The channel that a thread belongs to; empty for all else."""


@dataclass(frozen=True, kw_only=True)
class Myself:
    """The app and its bot user."""

    app: str
    user: str
    name: str


class Rest(Protocol):
    """Every method raises DiscordRefused where Discord says no, and ChatUnavailable where it can't
    be done now."""

    async def myself(self) -> Myself:
        """Asked once. A token that is refused raises DiscordRefused with status 401."""
        ...

    async def emoji_on(self, room: str, message: str) -> Sequence[str]:
        """The emoji with which others than this app have reacted to a message, each as `reactors`
        takes it. A message that is gone raises DiscordRefused with the error 10008."""
        ...

    async def reactors(self, room: str, message: str, emoji: str) -> Sequence[str]:
        """Users whose reaction with this emoji (`✅`, or `name:id`), a normal or a super one,
        stands on the message, bots left out."""
        ...

    async def has_reacted(self, room: str, message: str, emoji: str, user: str) -> bool:
        """Whether this user's reaction stands there: one small request, or two where none does."""
        ...

    async def member_roles(self, guild: str, user: str) -> tuple[str, ...]:
        """Ids of a member's roles; empty for somebody who is no member."""
        ...

    async def channel(self, room: str) -> ChannelFacts:
        """A channel or thread."""
        ...

    async def direct(self, user: str) -> str:
        """The id of the conversation of two with this user."""
        ...

    async def delete(self, room: str, message: str) -> None:
        """Delete a message of ours; no error if it is gone."""
        ...

    async def commands(self) -> Sequence[dict[str, Any]]:
        """The registered global commands."""
        ...

    async def register(self, commands: Sequence[dict[str, Any]]) -> None:
        """Replace all global commands."""
        ...

    async def download(self, url: str, *, limit: int) -> bytes:
        """An attachment, at most `limit` bytes, from Discord's own hosts only; no token goes
        along and no redirect is followed elsewhere. Raises ForeignHost, TooLarge, Gone (all
        Mistakes), ChatUnavailable."""
        ...
