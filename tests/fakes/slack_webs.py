"""Webs whose one workspace answers as it was told, where time or a rare answer is the point."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from bot.chat.slack_chat.methods import Method
from bot.chat.slack_chat.web import SlackRefused, Web
from bot.core.errors import ChatUnavailable

Answer = dict[str, Any] | Exception


class FakeWeb:
    """The Web port. `answers` makes the answer of a call; what it gives as an exception is
    raised."""

    def __init__(self, answers: Callable[[Method, dict[str, Any]], Answer], team: str) -> None:
        self.team = team
        self.bot_user = "U0BOT"
        self.url = ""
        self.calls: list[Method] = []
        self.uploads: list[tuple[bytes, str, str]] = []
        """(bytes, name, alt text) of every upload."""
        self.begun = 0
        """How many uploads were begun."""
        self.refuses_files = ""
        """Slack's word for why it takes no files."""
        self.uploading = asyncio.Event()
        """Uploads wait for it."""
        self.uploading.set()
        self.breaks_off = False
        """Whether uploads end in the middle."""
        self._answers = answers

    async def call(
        self, method: Method, *, place: str = "", key: str = "", **arguments: Any
    ) -> dict[str, Any]:
        """See Web."""
        self.calls.append(method)
        answer = self._answers(method, arguments)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def upload(self, data: bytes, *, name: str, title: str, alt: str) -> str:
        """See Web."""
        self.begun += 1
        await self.uploading.wait()
        if self.breaks_off:
            raise ChatUnavailable("A file's upload broke off.", retry_after_s=5)
        if self.refuses_files:
            raise SlackRefused("Slack takes no files.", code=self.refuses_files)
        self.uploads.append((data, name, alt))
        return f"F{len(self.uploads)}"

    async def post_file(
        self, data: bytes, *, name: str, alt: str, channel: str, thread: str, text: str, key: str
    ) -> str:
        """See Web."""
        return await self.upload(data, name=name, title=name, alt=alt)

    async def download(self, url: str, *, limit: int) -> bytes:
        """See Web."""
        raise AssertionError(f"nothing is fetched here: {url}")


class FakeWebs:
    """The Webs port, with one workspace."""

    def __init__(
        self, answers: Callable[[Method, dict[str, Any]], Answer], *, team: str = "T1"
    ) -> None:
        self.one = FakeWeb(answers, team)

    async def web(self, team: str) -> Web:
        """See Webs."""
        assert team in ("", self.one.team)
        return self.one

    async def teams(self) -> Sequence[str]:
        """See Webs."""
        return [self.one.team]
