"""What the generation service asks of an engine; free of torch.

An engine turns one RenderRequest into one Picture, blocking the thread that asks. The service
runs `slots` such threads, so an engine that renders many requests in one batch only has to offer
more slots: nothing else here changes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

from brand.spec import (
    ModelInfo,
    Picture,
    Progress,
    RenderRequest,
    RenderSpec,
)

DIFFUSERS_SLOTS = 32
"""Requests that the diffusers engine has in the air at once; how many of them share a batch is
found by measuring."""
OnProgress = Callable[[Progress], None]
Cancelled = Callable[[], bool]


@dataclass(frozen=True, kw_only=True)
class Wish:
    """How those who wait for a picture want it made; it never changes the picture."""

    priority: int = 0
    """Higher goes first."""
    preview_every: int = 0
    """A preview every so many evaluations; 0: none."""
    paused: bool = False
    """Wait where it stands, until it is wished no more."""

    @classmethod
    def of(cls, request: RenderRequest) -> Self:
        """What this request asks for."""
        return cls(priority=request.priority, preview_every=request.preview_every)


Wished = Callable[[], Wish]
"""What is wished by now: others may ask for the same picture while it is made, or ask no more."""


class EngineUnusable(Exception):
    """The engine cannot start; the message says what to install or to change."""


class Inputs(Protocol):
    """Files that recipes name by their sha256."""

    def path(self, sha256: str) -> Path:
        """Where this file lies. Raises InputMissing."""
        ...


class Engine(Protocol):
    """One way of making pictures. Every method may be called from any thread."""

    name: str
    """For people and for the reproduction class, e.g. `diffusers/1`."""
    slots: int
    """How many renders it takes at once."""

    def load(self) -> None:
        """Get ready to render; called once, may take seconds. Raises EngineUnusable."""
        ...

    @property
    def device(self) -> str:
        """What it runs on, for people; empty until loaded."""
        ...

    def models(self) -> Sequence[ModelInfo]:
        """What it can render with. Never blocks; hashes not yet known are empty."""
        ...

    def check(self, spec: RenderSpec) -> None:
        """Refuse at once what could never be rendered. Raises SpecInvalid, ModelMissing."""
        ...

    def render(
        self,
        request: RenderRequest,
        inputs: Inputs,
        on_progress: OnProgress,
        cancelled: Cancelled,
        wished: Wished | None = None,
    ) -> Picture:
        """Render, telling of every model evaluation.

        `wished` is asked before every step, from any thread; without it the request's own wish
        holds all the way. While it is paused it takes no step, and others have the device.

        Raises RenderCancelled soon after `cancelled()` turns true, else the RenderError tree.
        """
        ...
