"""Renders that a test holds: they go on until they are told to stop, or until it lets them end."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from brand.spec import RenderRequest
from tests.fakes.renderer import FakeRenderer
from tests.fakes.waiting import happened


class Held:
    """What happens to the renders of a block; every event may be waited for in any thread."""

    def __init__(self, renderer: FakeRenderer) -> None:
        self._renderer = renderer
        self.requests: list[RenderRequest] = []
        self.begun = threading.Event()
        self.stopped = threading.Event()
        self.may_end = threading.Event()

    async def until_stopped(self, request: RenderRequest) -> None:
        """Go on until somebody cancels it."""
        self._begin(request)
        await self._renderer.until_cancelled(request.render_id)
        self.stopped.set()

    async def until_let_go(self, request: RenderRequest) -> None:
        """Go on until the test sets `may_end`."""
        self._begin(request)
        await happened(self.may_end)

    def _begin(self, request: RenderRequest) -> None:
        self.requests.append(request)
        self.begun.set()


@contextmanager
def endless(renderer: FakeRenderer) -> Iterator[Held]:
    """Within the block a render ends only when it is cancelled."""
    held = Held(renderer)
    with _instead(renderer, held.until_stopped):
        yield held


@contextmanager
def held_back(renderer: FakeRenderer) -> Iterator[Held]:
    """Within the block a render ends only when the test lets it."""
    held = Held(renderer)
    with _instead(renderer, held.until_let_go):
        try:
            yield held
        finally:
            held.may_end.set()


@contextmanager
def _instead(renderer: FakeRenderer, hold: Callable[[RenderRequest], object]) -> Iterator[None]:
    before, renderer.before_picture = renderer.before_picture, hold
    try:
        yield
    finally:
        renderer.before_picture = before
