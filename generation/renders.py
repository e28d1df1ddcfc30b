"""One render as the service knows it: where it stands, and everyone who watches it.

Identical recipes of one brand that are asked for while one of them waits or runs share one Work.
"""

import asyncio
import contextlib
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace

from brand.spec import Picture, Progress, RenderError, RenderRequest
from generation.engines import Wish
from generation.watching import Trail
from generation.wire import Event, PictureFacts

KEEP_ALIVE_S = 5.0
"""A watcher hears at least this often that the service is alive."""


class Render:
    """The state of one render, as whoever asked for it sees it; belongs to the event loop."""

    def __init__(self, request: RenderRequest, trail: Trail | None = None) -> None:
        self.request = request
        self.trail = trail or Trail()
        self.work: Work | None = None
        """What is done for it; None once it has ended."""
        self.picture: Picture | None = None
        self.error: RenderError | None = None
        self.paused = False
        """Whether whoever asked for it wants it to wait."""
        self.finished_at: float | None = None
        self._progress = Progress(done=0, total=0)
        self._preview = b""
        self._preview_number = 0
        self._final: Event | None = None
        self._number = 1
        self._changed = asyncio.Event()

    @property
    def running(self) -> bool:
        """Whether the engine is at it."""
        return self.work is not None and self.work.running

    @property
    def finished(self) -> bool:
        """Whether it ended, well or not."""
        return self._final is not None

    def progressed(self, progress: Progress) -> None:
        """Take in how far it is."""
        if progress.preview:
            self._preview = progress.preview
            self._preview_number += 1
        eta_s = None if self.paused else progress.eta_s
        progress = replace(progress, preview=b"", paused=self.paused, eta_s=eta_s)
        if progress != self._progress:
            self._progress = progress
            self._touch()

    def succeeded(self, picture: Picture, now: float) -> None:
        """Take in the picture."""
        self.picture = picture
        self._finish(PictureFacts.of(picture), now)

    def failed(self, error: RenderError, now: float) -> None:
        """Take in why there is no picture."""
        self.error = error
        self._finish(error, now)

    def _finish(self, event: Event, now: float) -> None:
        self.work = None
        self.finished_at = now
        self._final = event
        self.wake()

    def wake(self) -> None:
        """Let every watcher look up, though nothing has changed."""
        self._changed.set()
        self._changed = asyncio.Event()

    def _touch(self) -> None:
        self._number += 1
        self.wake()

    async def events(self) -> AsyncIterator[Event | None]:
        """The present state, then every later one; the last is the end. None: nothing new.

        A slow watcher misses states in between, never the newest preview or the end.
        """
        number = previews = 0
        while True:
            if number < self._number:
                number = self._number
                fresh = previews < self._preview_number
                previews = self._preview_number
                yield replace(self._progress, preview=self._preview if fresh else b"")
                continue
            if self._final is not None:
                yield self._final
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), KEEP_ALIVE_S)
            if number == self._number and self._final is None:
                yield None


class Work:
    """One picture to be made, for everyone who asked for it; `stop` is read by any thread."""

    def __init__(self, render: Render) -> None:
        self.asked: list[Render] = []
        self.trail = render.trail
        self.submitted_at = time.monotonic()
        self.stop = threading.Event()
        self.running = False
        self.goes_back = False
        """Whether it is stopped to be started anew later, not to be ended."""
        self.spent_s = 0.0
        """Device seconds of what was begun and then let go."""
        self.timer: asyncio.TimerHandle | None = None
        """Ends what is paused for too long."""
        self._newest = Progress(done=0, total=0)
        self.request = render.request
        """What the engine is asked: the first one's, with the highest priority and the most
        previews that any of those who want it wishes now."""
        self.key = key_of(render.request)
        self.join(render)

    def join(self, render: Render) -> None:
        """One more wants it, waiting or running."""
        self.asked.append(render)
        render.work = self
        render.progressed(self._newest)
        self._weigh()

    def leave(self, render: Render) -> None:
        """One wants it no more; nobody left: it is to stop at its next step."""
        self.asked.remove(render)
        if self.asked:
            self._weigh()
        else:
            self.stop.set()

    def pause(self, render: Render, *, paused: bool) -> None:
        """One wants it to wait, or to go on."""
        render.paused = paused
        render.progressed(self._newest)

    @property
    def paused(self) -> bool:
        """Whether all who want it want it to wait; read by any thread."""
        return all(render.paused for render in tuple(self.asked))

    def wish(self) -> Wish:
        """For the engine, from any thread; it may be another one at the next step."""
        return replace(Wish.of(self.request), paused=self.paused)

    def go_back(self, spent_s: float) -> None:
        """It has been stopped, and is to be started anew."""
        self.running = self.goes_back = False
        self.spent_s += spent_s
        self.stop = threading.Event()

    def _weigh(self) -> None:
        requests = [render.request for render in self.asked]
        self.request = replace(
            self.request,
            team=requests[0].team,
            priority=max(request.priority for request in requests),
            preview_every=min((r.preview_every for r in requests if r.preview_every), default=0),
        )

    def progressed(self, progress: Progress) -> None:
        """Tell everyone."""
        self._newest = replace(progress, preview=b"")
        for render in self.asked:
            render.progressed(progress)


def key_of(request: RenderRequest) -> tuple[str, str]:
    """What makes two requests the same picture: the brand and the recipe."""
    return request.brand, request.spec.hash


class Weights:
    """Bytes of pictures; one that several renders share counts once, until the last lets go."""

    def __init__(self, renders: Iterable[Render]) -> None:
        pictures = [render.picture.png for render in renders if render.picture]
        self._sharing = Counter(map(id, pictures))
        self.total = sum(len(png) for png in {id(png): png for png in pictures}.values())

    def without(self, render: Render) -> None:
        """This one lets go."""
        if render.picture is None:
            return
        png = render.picture.png
        self._sharing[id(png)] -= 1
        if not self._sharing[id(png)]:
            self.total -= len(png)


def bare(error: RenderError) -> RenderError:
    """Without its traceback: the frames in it hold the model and the latents, and a failed render
    is kept for as long as its answer may be asked for."""
    error.__traceback__ = error.__cause__ = error.__context__ = None
    return error
