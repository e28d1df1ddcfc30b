"""The engine's threads: each renders one work after another and reports to the event loop."""

import asyncio
import logging
import queue
import secrets
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

from brand.spec import Picture, Progress, RenderError, RenderFailed, RenderRequest
from generation.engines import Engine, EngineUnusable, Inputs
from generation.renders import Work, bare
from generation.tracing import Note
from generation.watching import GenerationWatch, working_for

Check = Callable[[RenderRequest], None]
_log = logging.getLogger(__name__)


class Report(Protocol):
    """Whom the threads report to, in its event loop."""

    def loaded_with(self, problem: str) -> None:
        """The engine is ready, or never will be for this reason."""
        ...

    def ended(self, work: Work, outcome: Picture | RenderError, seconds: float) -> None:
        """A work came to its end after so many seconds."""
        ...


class Hands:
    """As many threads as the engine has slots, and more beside renders that are paused."""

    def __init__(
        self, engine: Engine, inputs: Inputs, check: Check, watch: GenerationWatch, report: Report
    ) -> None:
        self._engine = engine
        self._inputs = inputs
        self._check = check
        self._watch = watch
        self._report = report
        self._work: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._threads = 0
        self._stopping = False

    def start(self) -> None:
        """Load the engine and start its threads; they report to the loop that runs now."""
        self._loop = asyncio.get_running_loop()
        self._add(self._load_and_serve)
        while self._threads < self._engine.slots:
            self._add(self._serve)

    def stop(self) -> None:
        """Begin nothing more."""
        self._stopping = True
        for _ in range(self._threads):
            self._work.put(None)

    def take(self, work: Work, beside: int) -> None:
        """Render it, beside so many that are in hand already, paused ones included."""
        if beside >= self._threads:
            self._add(self._serve)
        self._work.put(work)

    def _add(self, target: Callable[[], None]) -> None:
        # Daemons: a step in the middle of torch cannot be interrupted and must not hold the exit.
        threading.Thread(target=target, name=f"render-{self._threads}", daemon=True).start()
        self._threads += 1

    # Everything below runs in the engine's threads.

    def _tell(self, callback: Callable[..., None], *values: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(callback, *values)
        except RuntimeError:
            if not self._stopping:  # the loop is closed only once the service has stopped
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
        self._tell(self._report.loaded_with, problem)
        if not problem:
            self._serve()

    def _serve(self) -> None:
        while (work := self._work.get()) is not None:
            started = time.monotonic()
            trail, spec = work.trail, work.request.spec
            with (
                working_for(trail, spec.prompt, spec.negative),
                self._watch.rendering(trail, started - work.submitted_at, steps=spec.steps) as note,
            ):
                outcome = self._outcome(work, note)
            seconds = time.monotonic() - started
            self._watch.ended(getattr(outcome, "code", "done"), seconds)
            self._tell(self._report.ended, work, outcome, seconds)
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
