"""SlackWeb: the Web API of one workspace, in its turn and with its token of the moment."""

from typing import Any, Protocol

import aiohttp
from yarl import URL

from bot.chat.slack_chat.methods import RULES, Method
from bot.chat.slack_chat.outgoing.calling import Caller
from bot.chat.slack_chat.outgoing.downloading import fetch
from bot.chat.slack_chat.outgoing.failing import BROKEN_S, TOKEN_WORDS
from bot.chat.slack_chat.outgoing.throttle import Throttle
from bot.chat.slack_chat.web import SlackRefused
from bot.core.errors import ChatUnavailable
from bot.core.ports import Clock

PATIENCE_S = 0.5
"""So long a call waits for its turn in place; for longer its caller comes back."""
UPLOAD = aiohttp.ClientTimeout(total=60.0, connect=5.0)
MAX_TITLE = 255
MAX_ALT = 1000


class Badge(Protocol):
    """Where the token of one workspace comes from."""

    async def token(self) -> str:
        """One that is valid now. Raises ChatRejected, ChatUnavailable."""
        ...

    async def other_than(self, refused: str) -> str:
        """Another one, after Slack has refused this; empty if there is none. Raises as `token`."""
        ...


class SlackWeb:
    """The Web port."""

    def __init__(
        self,
        *,
        team: str,
        bot_user: str,
        url: str,
        badge: Badge,
        caller: Caller,
        throttle: Throttle,
        clock: Clock,
        api: str,
        team_id: str = "",
    ) -> None:
        self.team = team
        self.bot_user = bot_user
        self.url = url
        self._badge = badge
        self._caller = caller
        self._throttle = throttle
        self._clock = clock
        self._api = URL(api)
        self._team_id = team_id
        """Said with every call where the token is for many workspaces."""

    async def call(
        self, method: Method, *, place: str = "", key: str = "", **arguments: Any
    ) -> dict[str, Any]:
        """See the port."""
        await self._turn(method, place, key)
        posts = RULES[method].posts
        return await self._called(method, arguments, place=place, key=key, posts=posts)

    async def upload(self, data: bytes, *, name: str, title: str, alt: str) -> str:
        """See the port."""
        return await self._upload(data, name=name, title=title, alt=alt)

    async def post_file(
        self, data: bytes, *, name: str, alt: str, channel: str, thread: str, text: str, key: str
    ) -> str:
        """See the port."""
        shared = {"channel_id": channel, "initial_comment": text or None}
        if thread:
            shared["thread_ts"] = thread
        return await self._upload(
            data, name=name, title=name, alt=alt, shared=shared, place=channel, key=key
        )

    async def download(self, url: str, *, limit: int) -> bytes:
        """See the port."""
        token = await self._badge.token()
        session = self._caller.session
        return await fetch(session, url, api=self._api, token=token, limit=limit)

    async def _upload(
        self,
        data: bytes,
        *,
        name: str,
        title: str,
        alt: str,
        shared: dict[str, Any] | None = None,
        place: str = "",
        key: str = "",
    ) -> str:
        """Ask for an address, bring the bytes there, say that they are complete: only the last
        step shows anything to anybody."""
        method, posts = Method.FILES_COMPLETE_UPLOAD, shared is not None
        key = key or f"upload {name}"
        await self._turn(method, place, key)
        asked: dict[str, Any] = {
            "filename": name,
            "length": len(data),
            "alt_txt": alt[:MAX_ALT] or None,
        }
        answer = await self.call(Method.FILES_GET_UPLOAD_URL, key=key, **asked)
        await self._bring(str(answer["upload_url"]), data)
        file = {"id": str(answer["file_id"]), "title": title[:MAX_TITLE]}
        complete = {"files": [file], **(shared or {})}
        await self._called(method, complete, place=place, key=key, posts=posts)
        return file["id"]

    async def _bring(self, url: str, data: bytes) -> None:
        headers = {"Content-Type": "application/octet-stream"}
        try:
            async with self._caller.session.post(
                url, data=data, headers=headers, timeout=UPLOAD, allow_redirects=False
            ) as response:
                if response.status == 200:
                    return
                why = f"Slack takes no file just now (status {response.status})."
        except (aiohttp.ClientError, TimeoutError, OSError) as exc:
            raise ChatUnavailable("A file's upload broke off.", retry_after_s=BROKEN_S) from exc
        raise ChatUnavailable(why, retry_after_s=BROKEN_S)

    async def _called(
        self, method: Method, arguments: dict[str, Any], *, place: str, key: str, posts: bool
    ) -> dict[str, Any]:
        """The call, and once more with another token where Slack takes this one no longer."""
        token = await self._badge.token()
        try:
            return await self._ask(method, token, arguments, place, key, posts=posts)
        except SlackRefused as exc:
            if exc.error not in TOKEN_WORDS:
                raise
            other = await self._badge.other_than(token)
            if not other or other == token:
                raise
        return await self._ask(method, other, arguments, place, key, posts=posts)

    async def _ask(
        self,
        method: Method,
        token: str,
        arguments: dict[str, Any],
        place: str,
        key: str,
        *,
        posts: bool,
    ) -> dict[str, Any]:
        where = place or str(arguments.get("channel") or "")
        try:
            return await self._caller.call(
                method, token, arguments, place=where, posts=posts, team=self._team_id
            )
        except ChatUnavailable as exc:
            if exc.queued:
                wait = exc.retry_after_s
                self._throttle.hit(self.team, method, wait, place=place, key=key)
            raise

    async def _turn(self, method: Method, place: str, key: str) -> None:
        """Wait for the turn where it is near. Raises ChatUnavailable (queued) where it is not."""
        patience = PATIENCE_S
        while wait := self._throttle.turn(self.team, method, place, key):
            if wait > patience:
                raise ChatUnavailable(
                    f"The message waits for its turn at Slack's rate, {wait:.0f} s.",
                    retry_after_s=wait,
                    queued=True,
                )
            patience -= wait
            await self._clock.sleep(wait)
