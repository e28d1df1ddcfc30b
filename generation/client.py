"""The generation service as the Renderer port, over a UNIX socket or TCP with a token.

A render survives a dropped connection (it attaches again) and a restarted service (it submits the
same render_id again, which is one render however often it is submitted).
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

from brand.spec import (
    ModelInfo,
    Picture,
    Progress,
    RendererHealth,
    RenderError,
    RenderRequest,
    RenderUnavailable,
    sha256_hex,
)
from generation.wire import (
    Event,
    PictureFacts,
    error_from_json,
    event_from_parts,
    health_from_json,
    model_from_json,
    request_to_json,
)

TRIES = 12
"""In a row and without any progress, before a render is given up."""
DEATHS = 2
"""So often the service may die while it makes a picture, before whoever asked has it back: this
picture may have brought it down, or another one beside it."""
FIRST_PAUSE_S = 0.1
MAX_PAUSE_S = 3.0
_CONNECT_S = 5.0
_SILENCE_S = 20.0
"""The service speaks every 5 s; after so long the connection counts as dropped."""
_NO_ANSWER = "The generation service does not answer; it may be starting again."


class RendererClient:
    """One generation service. Give either `socket` or `url` with `token`.

    `trail` gives the headers that say on whose behalf a render is submitted.
    """

    def __init__(
        self,
        *,
        socket: Path | None = None,
        url: str = "",
        token: str = "",
        tries: int = TRIES,
        trail: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        if (socket is None) == (not url):
            raise ValueError("give either a socket or a url")
        self._tries = tries
        self._trail = trail
        # Every picture that is followed holds a connection: a bound would starve the last ones.
        room = httpx.Limits(max_connections=None)
        self._http = httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(uds=str(socket) if socket else None, limits=room),
            base_url=url or "http://generation",
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=httpx.Timeout(_SILENCE_S, connect=_CONNECT_S),
        )

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
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def render(self, request: RenderRequest) -> AsyncIterator[Progress | Picture]:
        """Submit and follow; the last item is the Picture. Raises the RenderError tree.

        Leaving the iteration early does not stop the render; `cancel` does.
        """
        failures = 0
        stands = None
        lives = _Lives()
        while True:
            try:
                lives.submitted(new=await self._submit(request))
                if lives.deaths >= DEATHS:
                    break
                async for event in self._events(request.render_id):
                    if isinstance(event, RenderError):
                        raise event
                    if isinstance(event, PictureFacts):
                        yield event.with_bytes(await self._png(request.render_id))
                        return
                    if stands != (stands := (event.place, event.done, event.paused)):
                        failures = 0
                    lives.runs = event.place == 0 and not event.paused
                    yield event
            except RenderUnavailable:
                # An error that the service reports for good comes round again until it is given up.
                if failures >= self._tries:
                    raise
            failures += 1
            if failures > self._tries:
                raise RenderUnavailable(_NO_ANSWER)
            await asyncio.sleep(min(MAX_PAUSE_S, FIRST_PAUSE_S * 2 ** (failures - 1)))
        await self.cancel(request.render_id)
        raise RenderUnavailable(f"The generation service died {DEATHS} times over this picture.")

    async def cancel(self, render_id: str) -> None:
        """Stop it at the next step; no error if it is unknown or finished."""
        await self._ask("DELETE", f"/renders/{quote(render_id, safe='')}")

    async def pause(self, render_id: str) -> None:
        """Let it wait from the next step on; no error if it is unknown or finished."""
        await self._ask("PUT", f"/renders/{quote(render_id, safe='')}/pause")

    async def resume(self, render_id: str) -> None:
        """Let a paused one go on; no error if it is unknown, finished or not paused."""
        await self._ask("DELETE", f"/renders/{quote(render_id, safe='')}/pause")

    async def put_blob(self, data: bytes) -> str:
        """Upload an input unless it is there already; its sha256."""
        sha256 = sha256_hex(data)
        if not await self._has_blob(sha256):
            await self._ask("PUT", f"/blobs/{sha256}", content=data)
        return sha256

    async def allow_loras(self, brand: str, sha256s: Sequence[str]) -> None:
        """Replace the brand's list of LoRAs that may serve."""
        path = f"/brands/{quote(brand, safe='')}/loras"
        await self._ask("PUT", path, json={"sha256s": list(sha256s)})

    async def models(self) -> Sequence[ModelInfo]:
        """What the service can render with. Raises RenderUnavailable."""
        found = _object(await self._ask("GET", "/models")).get("models")
        if not isinstance(found, list):
            raise RenderUnavailable("The generation service sent an unreadable list.")
        return [model_from_json(raw) for raw in found]

    async def health(self) -> RendererHealth:
        """What the service says of itself. Raises RenderUnavailable."""
        return health_from_json(_object(await self._ask("GET", "/health")))

    async def metrics(self) -> bytes:
        """Its metrics in Prometheus' text format. Raises RenderUnavailable."""
        return (await self._ask("GET", "/metrics")).content

    async def _submit(self, request: RenderRequest) -> bool:
        """Whether it was new to the service."""
        body, trail = request_to_json(request), dict(self._trail())
        response = await self._ask("POST", "/renders", json=body, headers=trail)
        return response.status_code == httpx.codes.ACCEPTED

    async def _png(self, render_id: str) -> bytes:
        return (await self._ask("GET", f"/renders/{quote(render_id, safe='')}/picture")).content

    async def _has_blob(self, sha256: str) -> bool:
        try:
            return (await self._http.head(f"/blobs/{sha256}")).is_success
        except httpx.TransportError as exc:
            raise RenderUnavailable(_NO_ANSWER) from exc

    async def _events(self, render_id: str) -> AsyncIterator[Event]:
        """Events until the stream ends. Raises RenderUnavailable when it breaks off."""
        path = f"/renders/{quote(render_id, safe='')}/events"
        try:
            async with self._http.stream("GET", path) as response:
                if not response.is_success:
                    await response.aread()
                    raise _error(response)
                kind = ""
                async for line in response.aiter_lines():
                    name, _, value = line.partition(": ")
                    if name == "event":
                        kind = value
                    elif name == "data":
                        event = event_from_parts(kind, value)
                        if event is not None:
                            yield event
        except httpx.TransportError as exc:
            raise RenderUnavailable(_NO_ANSWER) from exc

    async def _ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """A successful answer. Raises the RenderError tree."""
        try:
            response = await self._http.request(method, path, **options)
        except httpx.TransportError as exc:
            raise RenderUnavailable(_NO_ANSWER) from exc
        if not response.is_success:
            raise _error(response)
        return response


class _Lives:
    """How often the service died while it made a picture. One that still waited there, or whose
    connection was dropped, is not counted."""

    def __init__(self) -> None:
        self.deaths = 0
        self.runs = False

    def submitted(self, *, new: bool) -> None:
        """`new`: the service does not know the render, or no longer."""
        if new:
            self.deaths += self.runs
            self.runs = False


def _error(response: httpx.Response) -> RenderError:
    """What a problem document tells; the service's own troubles are worth another try."""
    try:
        raw = response.json()
    except ValueError:
        raw = None
    code = raw.get("code", "") if isinstance(raw, dict) else ""
    if response.status_code == httpx.codes.UNAUTHORIZED:
        return RenderError("The generation service refuses the token; both sides need the same.")
    if not code or code.startswith("http_"):
        # Nothing that it says of a render: it has forgotten it, or something stands in between.
        return RenderUnavailable(f"The generation service answered {response.status_code}.")
    return error_from_json(raw)


def _object(response: httpx.Response) -> dict[str, Any]:
    try:
        data = response.json()
    except (ValueError, json.JSONDecodeError) as exc:
        raise RenderUnavailable("The generation service sent no JSON.") from exc
    if not isinstance(data, dict):
        raise RenderUnavailable("The generation service sent no JSON object.")
    return data
