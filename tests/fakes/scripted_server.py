"""An HTTP server on loopback that answers as it is told, and keeps what it was asked."""

from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from aiohttp import web

Answer = Callable[[web.Request], web.StreamResponse]


@dataclass(kw_only=True)
class ScriptedServer:
    """Gives its answers in turn, the last one for ever. A context manager."""

    answers: list[Answer]
    asked: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    """Of each request its path with the query, its headers and its body."""
    url: str = ""

    async def __aenter__(self) -> Self:
        """Listen on a port of its own."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((request.path_qs, dict(request.headers), await request.read()))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer(request)


def broken_off(request: web.Request) -> web.StreamResponse:
    """No answer: the connection is gone."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()
