"""Ports inside the adapter: one workspace's Web API, and all of them.

`outgoing/` implements both; nothing else in the house touches a client of slack_sdk.
"""

from collections.abc import Sequence
from typing import Any, Protocol

from bot.chat.slack_chat.methods import Method
from bot.core.errors import ChatRejected, Mistake


class SlackRefused(ChatRejected):
    """Slack answered `ok: false`. `error` is its own word, the message and fix are for people;
    `details` is what it says about single fields, with their places in the call."""

    def __init__(
        self, message: str, *, code: str, fix: str = "", details: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message, fix=fix)
        self.error = code
        self.details = details


class ForeignHost(Mistake):
    """The file is kept outside Slack, where the app's token must not go."""


class TooLarge(Mistake):
    """The file has more bytes than are taken."""


class NotAFile(Mistake):
    """What came is no file: Slack answered with a page to sign in, or it is gone."""


class Web(Protocol):
    """The Web API of one workspace."""

    team: str
    """Key of the workspace (see places)."""
    bot_user: str
    """The app's own user id there."""
    url: str
    """`https://NAME.slack.com/`, or empty where it is not known."""

    async def call(
        self, method: Method, *, place: str = "", key: str = "", **arguments: Any
    ) -> dict[str, Any]:
        """One call in its turn; Slack's answer. `place` is the channel whose own rate counts,
        `key` names the thing that is sent, so that it keeps its turn when it comes back.

        Raises SlackRefused where Slack says no, ChatUnavailable where it can't be done now
        (`queued` where only a rate is in the way), and ChatAmbiguous where the answer was lost
        and the method posts."""
        ...

    async def upload(self, data: bytes, *, name: str, title: str, alt: str) -> str:
        """Upload a file that stands in no channel yet; its id. It may not be processed yet.
        Never ambiguous: doing it again leaves a file that nobody sees."""
        ...

    async def post_file(
        self, data: bytes, *, name: str, alt: str, channel: str, thread: str, text: str, key: str
    ) -> str:
        """Upload a file into a channel with a comment; its file id. Raises as a posting call."""
        ...

    async def download(self, url: str, *, limit: int) -> bytes:
        """A file of this workspace, at most `limit` bytes. The token goes to Slack's own hosts
        only and never across a redirect. Raises ForeignHost, TooLarge, NotAFile (all Mistakes),
        ChatUnavailable."""
        ...


class Webs(Protocol):
    """The workspaces that the app is in."""

    async def web(self, team: str) -> Web:
        """Raises ChatRejected where the app is not in that workspace. An empty key means the
        only one there is."""
        ...

    async def teams(self) -> Sequence[str]:
        """The keys of all of them."""
        ...
