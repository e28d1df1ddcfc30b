"""What the terminal asks of Discord's REST API: a few facts, and the commands that it has."""

from collections.abc import Mapping
from importlib.metadata import version
from types import TracebackType
from typing import Any, Self

import httpx

from bot.chat.discord_chat.options import DiscordOptions
from bot.core.errors import HousestyleError

ANSWER_S = 10.0


class DiscordSaysNo(HousestyleError):
    """Discord does not answer as hoped. `status` is the HTTP status (0: no answer came), `error`
    Discord's own number."""

    def __init__(self, message: str, *, status: int = 0, error: int = 0, fix: str = "") -> None:
        super().__init__(message, fix=fix)
        self.status = status
        self.error = error


class Asking:
    """One client for a few questions, opened as an async context."""

    def __init__(self, options: DiscordOptions) -> None:
        self._base = options.api_base_url
        headers = {
            "Authorization": f"Bot {options.token}",
            "User-Agent": f"DiscordBot (housestyle, {version('housestyle')})",
        }
        self._client = httpx.AsyncClient(timeout=ANSWER_S, trust_env=False, headers=headers)

    async def __aenter__(self) -> Self:
        """The client itself."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Its connections end."""
        await self._client.aclose()

    async def about(self, path: str) -> Mapping[str, Any]:
        """The object at an address. Raises DiscordSaysNo."""
        found = await self._asked("GET", path)
        return found if isinstance(found, dict) else {}

    async def all_of(self, path: str) -> list[dict[str, Any]]:
        """The objects in the list at an address. Raises DiscordSaysNo."""
        found = await self._asked("GET", path)
        return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []

    async def put(self, path: str, body: object) -> None:
        """Put something there. Raises DiscordSaysNo."""
        await self._asked("PUT", path, body)

    async def _asked(self, method: str, path: str, body: object = None) -> object:
        try:
            response = await self._client.request(method, f"{self._base}{path}", json=body)
        except httpx.HTTPError as exc:
            raise DiscordSaysNo(
                f"{self._base} does not answer: {type(exc).__name__}.",
                fix="Check discord.api_base_url and the network.",
            ) from exc
        try:
            said = response.json() if response.content else None
        except ValueError as exc:
            raise DiscordSaysNo(
                f"{self._base} answers {response.status_code} with a page that is not Discord's.",
                fix="Try again in a minute; if it stays so, look for what stands between: a proxy, "
                "a firewall, or discord.api_base_url.",
            ) from exc
        if response.is_success:
            return said
        raise _refused(response.status_code, said if isinstance(said, dict) else {})


def _refused(status: int, said: Mapping[str, Any]) -> DiscordSaysNo:
    if status == httpx.codes.UNAUTHORIZED:
        return DiscordSaysNo(
            "Discord does not know discord.token.",
            status=status,
            fix="Copy it again: discord.com/developers/applications, your application, Bot, "
            "Reset Token.",
        )
    if status == httpx.codes.TOO_MANY_REQUESTS:
        return DiscordSaysNo(
            "Discord says: too many requests.",
            status=status,
            fix=f"Try again in {said.get('retry_after', 60)} s.",
        )
    words, code = str(said.get("message") or "no reason given"), said.get("code")
    return DiscordSaysNo(
        f"Discord says {status}: {words}.",
        status=status,
        error=code if isinstance(code, int) else 0,
        fix="docs/discord.md has the steps.",
    )
