"""A Chat adapter over real HTTP, for the platform of `tests/chaos/chat_server.py`.

It has a real adapter's duties: it enforces the platform's limits, turns transport failures into
the three answers of the Chat port, and never sends a second time by itself.
"""

import base64
from collections.abc import Sequence
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self

import httpx

from bot.core.errors import ChatAmbiguous, ChatRejected, ChatUnavailable
from bot.core.messages import Card, ChannelRef, MessageRef
from bot.core.ports import Outgoing
from bot.core.publications import Publication
from storage.codec import encode

PLATFORM = "slack"
MAX_TITLE, MAX_LINE, MAX_PICTURES, MAX_BYTES = 150, 3000, 10, 1_000_000
TIMEOUT_S = 5.0
CLOCKS = timedelta(seconds=5)
"""How far the platform's clock may be from ours."""
BROKEN_S = 0.3


class HttpChat:
    """The Chat port."""

    platform = PLATFORM

    def __init__(self, url: str) -> None:
        self._http = httpx.AsyncClient(base_url=url, timeout=TIMEOUT_S)

    async def __aenter__(self) -> Self:
        """Closes its connections at the end."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def send(self, message: Outgoing) -> MessageRef:
        """See the port."""
        card = _checked(message.card)
        if message.update is not None:
            path = f"/messages/{message.update.message}"
            answer = await self._asked("PATCH", path, missing=True, json={"card": card})
            if answer.status_code != httpx.codes.NOT_FOUND:
                return message.update
        return await self._posted(message.target, {"outgoing": message.id, "card": card})

    async def post(self, publication: Publication, data: bytes, mime: str, alt: str) -> MessageRef:
        """See the port."""
        if len(data) > MAX_BYTES:
            raise ChatRejected("The picture is too large for this platform.")
        card = {"kind": "post", "title": publication.caption[:MAX_TITLE], "alt": alt, "mime": mime}
        body = {
            "outgoing": publication.id,
            "card": card,
            "file": base64.b64encode(data).decode(),
        }
        return await self._posted(publication.target, body)

    async def look_up(
        self,
        outgoing_id: str,
        target: ChannelRef,
        *,
        since: datetime,
        until: datetime | None = None,
        only_for: str = "",
    ) -> Sequence[MessageRef]:
        """See the port: one page of the history."""
        query = {"channel": target.channel, "oldest": str((since - CLOCKS).timestamp())}
        try:
            answer = await self._asked("GET", "/messages", params=query)
        except ChatAmbiguous as exc:  # reading changes nothing
            raise ChatUnavailable(exc.message, retry_after_s=BROKEN_S) from exc
        return [
            self._ref(target, message["id"])
            for message in answer.json()
            if message["outgoing"] == outgoing_id
        ]

    async def delete(self, ref: MessageRef) -> None:
        """See the port."""
        try:
            await self._asked("DELETE", f"/messages/{ref.message}", missing=True)
        except ChatAmbiguous as exc:  # a second deletion does no harm
            raise ChatUnavailable(exc.message, retry_after_s=BROKEN_S) from exc

    async def events(self) -> list[dict[str, Any]]:
        """What people did and nobody has acknowledged."""
        events: list[dict[str, Any]] = (await self._asked("GET", "/events")).json()
        return events

    async def acknowledge(self, event: str) -> None:
        """It is on our disk."""
        await self._asked("POST", f"/events/{event}", json={})

    async def _posted(self, target: ChannelRef, body: dict[str, Any]) -> MessageRef:
        answer = await self._asked("POST", "/messages", json={"channel": target.channel, **body})
        return self._ref(target, answer.json()["id"])

    def _ref(self, target: ChannelRef, message: str) -> MessageRef:
        return MessageRef(platform=PLATFORM, channel=target.channel, message=message)

    async def _asked(
        self, method: str, path: str, *, missing: bool = False, **options: Any
    ) -> httpx.Response:
        """The platform's answer. Raises ChatRejected, ChatUnavailable, ChatAmbiguous."""
        try:
            answer = await self._http.request(method, path, **options)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as exc:
            raise ChatUnavailable("The platform does not answer.", retry_after_s=BROKEN_S) from exc
        except httpx.TransportError as exc:
            raise ChatAmbiguous("The platform's answer was lost.") from exc
        if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
            wait = float(answer.headers["Retry-After"])
            raise ChatUnavailable("The platform asks for patience.", retry_after_s=wait)
        if answer.is_server_error:
            raise ChatUnavailable("The platform is broken.", retry_after_s=BROKEN_S)
        if answer.is_client_error and not (missing and answer.status_code == httpx.codes.NOT_FOUND):
            raise ChatRejected(f"The platform refuses it: {answer.text}")
        return answer


def _checked(card: Card) -> dict[str, Any]:
    """The card as JSON. Raises ChatRejected beyond the platform's limits."""
    long = [line for line in card.lines if len(line) > MAX_LINE]
    if len(card.title) > MAX_TITLE or long or len(card.pictures) > MAX_PICTURES:
        raise ChatRejected("The card is too large for this platform.")
    plain: dict[str, Any] = encode(card)
    return plain
