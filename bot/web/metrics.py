"""Metrics: what the probes' pages may show, and to whom."""

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Exposition = Callable[[], Awaitable[bytes]]
"""Metrics in Prometheus' text format. May raise RenderError where another process gives them."""


@dataclass(frozen=True, kw_only=True)
class Metrics:
    """The metrics of this process and of the generation service."""

    own: Exposition
    generation: Exposition
    token: str = field(default="", repr=False)
    open: bool = False
    """Whether they are shown without a token: only on a port that this machine alone reaches."""

    @property
    def hidden(self) -> bool:
        """Whether there is no way to read them here."""
        return not self.token and not self.open

    def allows(self, authorization: str) -> bool:
        """Whether a request with this Authorization header may read them."""
        if not self.token:
            return self.open
        expected = f"Bearer {self.token}".encode()
        return hmac.compare_digest(authorization.encode("utf-8", "replace"), expected)
