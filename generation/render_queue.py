"""The service's queue: renders in their order, run on the engine's threads, kept for a while.

The same recipe of the same brand is rendered once for all who ask for it meanwhile. Waiting or
running, it goes with the highest priority and the most previews that those who still want it ask
for, and it is cancelled only when all of them cancel.
"""

import asyncio
import copy
import logging
import queue
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from brand.spec import (
    Picture,
    Progress,
    RenderBusy,
    RenderCancelled,
    RenderError,
    RenderFailed,
    RenderRequest,
    RenderUnavailable,
    SpecInvalid,
)
from generation.engines import Engine, EngineUnusable, Inputs
from generation.line import Line
from generation.renders import Render, Weights, Work, bare, key_of
from generation.settings import Limits
from generation.tracing import Note
from generation.watching import GenerationWatch, Now, Trail, working_for

Check = Callable[[RenderRequest], None]
_FIRST_GUESS_S = 5.0
"""How long a render is thought to take before one has been measured."""
_MAX_RETRY_AFTER_S = 60.0
_SHARE_FOR_THE_URGENT = 4
"""One slot of so many waits for work of a higher class: the engine lets it overtake at once."""
_WEIGHT_OF_NEWEST = 0.3
_log = logging.getLogger(__name__)


class RenderQueue:
    """Belongs to the event loop it is started in. The engine's threads call back into that loop.

    `check` refuses a request; it is asked when one comes in and again when its turn has come.
    """

    def __init__(
        self,
        engine: Engine,
        inputs: Inputs,
        check: Check,
        limits: Limits,
        watch: GenerationWatch | None = None,
    ) -> None:
        self.watch = watch or GenerationWatch()
        self.watch.now = lambda: Now(ready=self.ready, queued=self.queued, running=self.running)
        self._engine = engine
        self._inputs = inputs
        self._check = check
        self._limits = limits
        self._renders: dict[str, Render] = {}
        self._line = Line()
        self._running: set[Work] = set()
        self._same: dict[tuple[str, str], Work] = {}
        """What waits or runs, by brand and recipe."""
        self._work: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._typical_s = _FIRST_GUESS_S
        self.loaded = asyncio.Event()
        """Set once the engine is ready, or is known never to be."""
        self.problem = ""
        """Why the engine will never be ready, or empty."""
        self.stopping = False
        """Whether the service goes down."""

    def start(self) -> None:
        """Load the engine and start its threads."""
        self._loop = asyncio.get_running_loop()
        # Daemons: a step in the middle of torch cannot be interrupted and must not hold the exit.
        for number in range(self._engine.slots):
            threading.Thread(
                target=self._serve if number else self._load_and_serve,
                name=f"render-{number}",
                daemon=True,
            ).start()

    def stop(self) -> None:
        """Take no more work and stop what runs at its next step; watchers hear no end of it."""
        self.stopping = True
        for render in self._renders.values():
            if render.work is not None:
                render.work.stop.set()
            render.wake()
        for _ in range(self._engine.slots):
            self._work.put(None)

    @property
    def ready(self) -> bool:
        """Whether the engine renders."""
        return self.loaded.is_set() and not self.problem

    @property
    def queued(self) -> int:
        """How many pictures wait."""
        return len(self._line)

    @property
    def running(self) -> int:
        """How many pictures are being made."""
        return len(self._running)

    def get(self, render_id: str) -> Render | None:
        """The render of this id, or None if it is unknown or forgotten."""
        self._forget_old()
        return self._renders.get(render_id)

    def submit(self, request: RenderRequest, trail: Trail | None = None) -> tuple[Render, bool]:
        """The render of this id, and whether it is new.

        A render that failed for a passing reason is started anew. Raises the RenderError tree.
        """
        self._forget_old()
        known = self._renders.get(request.render_id)
        if known is not None and not (known.error is not None and known.error.retryable):
            if known.request.spec != request.spec or known.request.brand != request.brand:
                raise SpecInvalid("this render_id already names a render of another recipe")
            return known, False
        if self.problem or self.stopping:
            raise RenderUnavailable(self.problem or "The generation service is stopping.")
        self._check(request)
        self._refuse_if_full()
        same = self._same.get(key_of(request))
        render = self._renders[request.render_id] = Render(request, trail)
        if same is not None:
            same.join(render)
            self._line.weigh(same)
        else:
            work = self._same[key_of(request)] = Work(render)
            self._line.join(work)
        self._pump()
        return render, True

    def _refuse_if_full(self) -> None:
        """Whoever shares a picture with others counts as well."""
        shared = sum(len(work.asked) - 1 for work in self._running)
        waiting = shared + sum(len(work.asked) for work in self._line)
        if waiting >= self._limits.queued:
            wait = min(_MAX_RETRY_AFTER_S, max(1.0, self._wait_s(len(self._line))))
            raise RenderBusy(
                f"{waiting} renders are waiting already; try again in {wait:.0f} s.",
                retry_after_s=round(wait, 1),
            )

    def cancel(self, render_id: str) -> None:
        """Stop it at its next step unless others want it too; nothing happens if it is unknown or
        finished."""
        render = self._renders.get(render_id)
        work = render.work if render else None
        if render is None or work is None:
            return
        if len(work.asked) > 1 or not work.running:
            work.leave(render)
            render.failed(RenderCancelled("Cancelled on request."), time.monotonic())
            if work.asked:
                self._line.weigh(work)
            else:
                self._line.leave(work)
                self._forget(work)
        else:
            work.stop.set()  # the engine says when it has stopped
            self._forget(work)
        self._pump()

    def _forget(self, work: Work) -> None:
        """Let nobody join it any more."""
        if self._same.get(work.key) is work:
            del self._same[work.key]

    def _pump(self) -> None:
        """Hand work to idle threads and tell those who wait how many go before them."""
        while self.ready and (first := next(iter(self._line), None)) and self._has_room(first):
            work = self._line.begin()
            work.running = True
            self._running.add(work)
            self._work.put(work)
        for index, work in enumerate(self._line):
            place = index + len(self._running)
            work.progressed(Progress(done=0, total=0, place=place, eta_s=self._wait_s(place)))

    def _has_room(self, work: Work) -> bool:
        """An engine of many slots keeps some free for whoever is more urgent than others there."""
        slots = self._engine.slots
        if self._running and work.request.priority <= min(
            running.request.priority for running in self._running
        ):
            slots -= slots // _SHARE_FOR_THE_URGENT
        return len(self._running) < slots

    def _wait_s(self, place: int) -> float:
        return round(self._typical_s * place / self._engine.slots, 1)

    def _forget_old(self) -> None:
        """Drop finished renders past their time, and the oldest while pictures weigh too much."""
        finished = [render for render in self._renders.values() if render.finished_at is not None]
        finished.sort(key=lambda render: render.finished_at or 0.0)
        oldest = time.monotonic() - self._limits.keep_seconds
        weights = Weights(finished)
        for render in finished:
            too_heavy = weights.total > self._limits.keep_bytes and render is not finished[-1]
            if (render.finished_at or 0.0) >= oldest and not too_heavy:
                return
            del self._renders[render.request.render_id]
            weights.without(render)

    def _end(self, work: Work, outcome: Picture | RenderError, seconds: float) -> None:
        if self.stopping:
            return  # the process goes down: the render is submitted again to the next one
        self._running.discard(work)
        self._line.leave(work)
        self._forget(work)
        now = time.monotonic()
        if isinstance(outcome, Picture):
            self._typical_s += _WEIGHT_OF_NEWEST * (seconds - self._typical_s)
        for number, render in enumerate(work.asked):
            # The device was used once: who asked first is charged with it.
            told = _free(outcome) if number else outcome
            if isinstance(told, Picture):
                render.succeeded(told, now)
            else:
                render.failed(told, now)
        self._pump()

    def _loaded(self, problem: str) -> None:
        self.problem = problem
        self.loaded.set()
        if problem:
            for work in list(self._line):
                self._end(work, RenderUnavailable(problem), 0.0)
        self._pump()

    # Everything below runs in the engine's threads.

    def _tell(self, callback: Callable[..., None], *values: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(callback, *values)
        except RuntimeError:
            if not self.stopping:  # the loop is closed only once the service has stopped
                raise

    def _load_and_serve(self) -> None:
        started = time.monotonic()
        problem = ""
        try:
            self._engine.load()
        except EngineUnusable as exc:
            problem = str(exc)
        except Exception as exc:  # noqa: BLE001  # whatever an engine throws becomes an answer
            _log.exception("the engine does not load", extra={"action": "engine_load"})
            problem = f"The engine does not load: {exc!r}; the log has more."
        else:
            seconds = time.monotonic() - started
            _log.info("engine ready after %.1f s", seconds, extra={"action": "engine_ready"})
        self._tell(self._loaded, problem)
        if not problem:
            self._serve()

    def _serve(self) -> None:
        while (work := self._work.get()) is not None:
            started = time.monotonic()
            trail, spec = work.trail, work.request.spec
            with (
                working_for(trail, spec.prompt, spec.negative),
                self.watch.rendering(trail, started - work.submitted_at, steps=spec.steps) as note,
            ):
                outcome = self._outcome(work, note)
            seconds = time.monotonic() - started
            self.watch.ended(getattr(outcome, "code", "done"), seconds)
            self._tell(self._end, work, outcome, seconds)
            # An idle thread must not keep pictures alive until its next work.
            del work, outcome

    def _outcome(self, work: Work, note: Note) -> Picture | RenderError:
        request = work.request
        steps = 0

        def progressed(progress: Progress) -> None:
            nonlocal steps
            if progress.done > steps:
                steps = progress.done
                note(f"step {steps}")
            self._tell(work.progressed, progress)

        try:
            self._check(request)
            return self._engine.render(
                request, self._inputs, progressed, work.stop.is_set, work.wish
            )
        except RenderError as exc:
            return bare(exc)
        except Exception as exc:  # noqa: BLE001  # whatever an engine throws becomes an answer
            reference = work.trail.reference or secrets.token_hex(4)
            _log.exception(
                "render %s failed, reference %s",
                request.render_id,
                reference,
                extra={"action": "render_failed", "render_id": request.render_id},
            )
            return RenderFailed(f"The model failed: {exc!r} (reference {reference}).")


def _free(outcome: Picture | RenderError) -> Picture | RenderError:
    """The same for somebody who is charged with nothing."""
    if isinstance(outcome, Picture):
        return replace(outcome, seconds=0.0)
    error = copy.copy(outcome)
    error.seconds = 0.0
    return error
