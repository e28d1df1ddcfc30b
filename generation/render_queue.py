"""The service's queue: renders in their order, run on the engine's threads, kept for a while.

The same recipe of the same brand is rendered once for all who ask for it meanwhile. Waiting or
running, it goes with the highest priority and the most previews that those who still want it ask
for, and it is cancelled only when all of them cancel, and pauses while all of them do.

A paused one keeps what has been computed for a while, beside the engine's slots; then it is let go
and begins anew when it is to go on.
"""

import asyncio
import copy
import time
from dataclasses import replace

from brand.spec import (
    Picture,
    Progress,
    RenderBusy,
    RenderCancelled,
    RenderError,
    RenderRequest,
    RenderUnavailable,
    SpecInvalid,
)
from generation.engines import Engine, Inputs
from generation.hands import Check, Hands
from generation.line import Line
from generation.renders import Render, Weights, Work, key_of
from generation.settings import Limits
from generation.watching import GenerationWatch, Now, Trail

_FIRST_GUESS_S = 5.0
"""How long a render is thought to take before one has been measured."""
_MAX_RETRY_AFTER_S = 60.0
_SHARE_FOR_THE_URGENT = 4
"""One slot of so many waits for work of a higher class: the engine lets it overtake at once."""
_WEIGHT_OF_NEWEST = 0.3

KEPT_S = 600.0
"""So long a paused render keeps its latents, and its model in memory; then it begins anew."""
PAUSED_S = 25 * 3600.0
"""So long one is remembered that never goes on: longer than whoever asked for it lets it pause."""


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
        self._check = check
        self._limits = limits
        self._renders: dict[str, Render] = {}
        self._line = Line()
        self._running: set[Work] = set()
        self._same: dict[tuple[str, str], Work] = {}
        """What waits or runs, by brand and recipe."""
        self._hands = Hands(engine, inputs, check, self.watch, self)
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
        self._hands.start()

    def stop(self) -> None:
        """Take no more work and stop what runs at its next step; watchers hear no end of it."""
        self.stopping = True
        for render in self._renders.values():
            if render.work is not None:
                render.work.stop.set()
            render.wake()
        self._hands.stop()

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
            work.goes_back = False
            work.stop.set()  # the engine says when it has stopped
            self._forget(work)
        self._heed_pause(work)
        self._pump()

    def pause(self, render_id: str, *, paused: bool) -> None:
        """Let it wait where it stands, or go on; nothing happens if it is unknown or finished."""
        render = self._renders.get(render_id)
        work = render.work if render else None
        if render is None or work is None or render.paused == paused:
            return
        work.pause(render, paused=paused)
        self._line.weigh(work)
        self._heed_pause(work)
        self._pump()

    def _heed_pause(self, work: Work) -> None:
        """Whoever is paused keeps its place in memory for a while only."""
        if work.timer is not None and not (work.asked and work.paused):
            work.timer.cancel()
            work.timer = None
        elif work.timer is None and work.asked and work.paused:
            act = self._let_go if work.running else self._give_up
            work.timer = self._loop.call_later(KEPT_S if work.running else PAUSED_S, act, work)

    def _let_go(self, work: Work) -> None:
        if not work.stop.is_set():
            work.goes_back = True
            work.stop.set()

    def _give_up(self, work: Work) -> None:
        for render in list(work.asked):
            self.cancel(render.request.render_id)

    def _forget(self, work: Work) -> None:
        """Let nobody join it any more."""
        if self._same.get(work.key) is work:
            del self._same[work.key]

    def _pump(self) -> None:
        """Hand work to idle threads and tell those who wait how many go before them."""
        while self.ready and (first := next(iter(self._line), None)) and self._has_room(first):
            work = self._line.begin()
            work.running = True
            self._hands.take(work, beside=len(self._running))
            self._running.add(work)
        for place, work in enumerate((*self._line, *self._line.paused), start=self._taken):
            work.progressed(Progress(done=0, total=0, place=place, eta_s=self._wait_s(place)))

    @property
    def _taken(self) -> int:
        """Slots in use. As many renders again may be paused beside them."""
        paused = sum(work.paused for work in self._running)
        return len(self._running) - min(paused, self._engine.slots)

    def _has_room(self, work: Work) -> bool:
        """An engine of many slots keeps some free for whoever is more urgent than others there."""
        slots = self._engine.slots
        beside = [running.request.priority for running in self._running if not running.paused]
        if beside and work.request.priority <= min(beside):
            slots -= slots // _SHARE_FOR_THE_URGENT
        return self._taken < slots

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

    def ended(self, work: Work, outcome: Picture | RenderError, seconds: float) -> None:
        """See Report."""
        if self.stopping:
            return  # the process goes down: the render is submitted again to the next one
        self._running.discard(work)
        if work.goes_back and isinstance(outcome, RenderCancelled):
            self._begin_anew(work, outcome.seconds)
            return
        self._line.leave(work)
        self._forget(work)
        if work.timer is not None:
            work.timer.cancel()
        now, outcome = time.monotonic(), _with(outcome, work.spent_s)
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

    def _begin_anew(self, work: Work, spent_s: float) -> None:
        work.go_back(spent_s)
        work.timer = None
        self._line.rejoin(work)
        self._heed_pause(work)
        self._pump()

    def loaded_with(self, problem: str) -> None:
        """See Report."""
        self.problem = problem
        self.loaded.set()
        if problem:
            for work in (*self._line, *self._line.paused):
                self.ended(work, RenderUnavailable(problem), 0.0)
        self._pump()


def _free(outcome: Picture | RenderError) -> Picture | RenderError:
    """The same for somebody who is charged with nothing."""
    return _with(outcome, -outcome.seconds)


def _with(outcome: Picture | RenderError, seconds: float) -> Picture | RenderError:
    """The same with so many more seconds to be charged."""
    if isinstance(outcome, Picture):
        return replace(outcome, seconds=outcome.seconds + seconds)
    error = copy.copy(outcome)
    error.seconds += seconds
    return error
