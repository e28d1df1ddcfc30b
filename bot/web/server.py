"""Serving the portal with uvicorn, so that it also stops: open streams end first."""

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

from bot.web.portal import stop_streams

GRACE_S = 3
"""Backstop: whatever still hangs after so many seconds is cut off."""


class PortalServer(uvicorn.Server):
    """A server that ends the event streams as soon as it is told to stop."""

    def __init__(
        self,
        app: FastAPI,
        *,
        host: str,
        port: int,
        proxied: bool = False,
        outer: ASGIApp | None = None,
    ) -> None:
        """`outer` is what is served where something stands around the portal."""
        config = uvicorn.Config(
            outer or app,
            host=host,
            port=port,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=proxied,
            timeout_graceful_shutdown=GRACE_S,
        )
        super().__init__(config)
        self._portal = app

    def stop(self) -> None:
        """Stop serving. Call it from the event loop's thread."""
        stop_streams(self._portal)
        self.should_exit = True
