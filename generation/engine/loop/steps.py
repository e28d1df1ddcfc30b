"""One call of a model for the flights that ride: ask, answer, and whose failure is whose."""

import weakref
from collections.abc import Callable

import torch

from brand.spec import RenderError
from generation.engine.flights import Row
from generation.engine.loop.lane import Lane
from generation.engine.loop.lanes import Seating
from generation.engine.loop.pace import Pace, free_memory
from generation.engine.loop.profile import Profiles
from generation.engine.loop.rides import (
    Ride,
    as_failure,
    is_memory,
    out_of_memory,
    overflowed,
)
from generation.engine.loop.standing import Counters

End = Callable[[Ride, RenderError | None], None]


class Steps:
    """Belongs to the loop's thread. `end` is called for a flight that has landed or failed."""

    def __init__(
        self,
        pace: Pace,
        *,
        profiles: Profiles,
        counters: Counters,
        clock: Callable[[], float],
        end: End,
    ) -> None:
        self._pace = pace
        self._profiles = profiles
        self._counters = counters
        self._clock = clock
        self._end = end
        self._verdicts: list[tuple[Ride, Callable[[], bool]]] = []
        self._taken = 0.0
        self._before: tuple[Callable[[], Lane | None], float] = (lambda: None, 0.0)

    def take(self, lane: Lane, seating: Seating[Ride]) -> None:
        """One evaluation for each of the flights that ride."""
        started = self._clock()
        asked: list[tuple[Ride, list[Row]]] = []
        for ride in seating.riders:
            try:
                asked.append((ride, ride.questions()))
            except Exception as exc:  # noqa: BLE001  # its own sampler failed: its own failure
                self._end(ride, as_failure(exc, ride.flight))
        if asked:
            self._ask(lane, asked, seating)
        taken = self._taken + self._pace.taken_s()
        self._counters.model_s += taken
        self._taken = 0.0
        if not self._pace.late:
            lane.measured(self._clock() - started, seating.seconds)
            return
        # What was taken is the call's before; its lane may be gone, and its model put away.
        before, profiled = self._before
        if taken and (earlier := before()) is not None:
            earlier.measured(taken, profiled)
        self._before = (weakref.ref(lane), seating.seconds)

    def _ask(self, lane: Lane, asked: list[tuple[Ride, list[Row]]], seating: Seating[Ride]) -> None:
        """Call the model; where it fails, ask for each flight alone to find whose fault it is."""
        bucket = seating.bucket
        rows = [row for _, of_ride in asked for row in of_ride]
        answers, failure = self._predicted(lane, rows, bucket)
        if answers is None:
            if failure is None:
                self._shrink(lane, [ride for ride, _ in asked], bucket)
            elif len(asked) == 1:
                self._end(asked[0][0], as_failure(failure, asked[0][0].flight))
            else:
                for one in asked:
                    self._ask(lane, [one], seating)
            return
        self._charge(asked, len(rows), seating.seconds * lane.correction)
        self._counters.calls += 1
        self._counters.rows += len(rows)
        self._counters.padding += bucket - len(rows)
        if self._pace.late:
            self._settle()  # the call before has been computed by now
        parts = answers.split([len(of_ride) for _, of_ride in asked])
        for (ride, _), part in zip(asked, parts, strict=True):
            self._answer(ride, part, bucket)
        if not self._pace.late:
            self._settle()

    def _predicted(
        self, lane: Lane, rows: list[Row], bucket: int
    ) -> tuple[torch.Tensor | None, Exception | None]:
        """The answers, or why there are none; neither where memory has ended."""
        try:
            return self._pace.call(
                lambda: lane.denoiser.predict(lane.signature, rows, bucket)
            ), None
        except Exception as exc:  # noqa: BLE001  # becomes the failure of one flight
            # Kept, an error of memory would keep the tensors alive that filled it.
            return None, None if is_memory(exc) else exc

    def _charge(self, asked: list[tuple[Ride, list[Row]]], rows: int, expected_s: float) -> None:
        """Share the call's seconds out, before anybody lands: then the flight's seconds are read.

        A late pace has yet to measure the call and tells of the one before, which may have been
        another lane's: there the call counts as long as such calls have lately taken.
        """
        taken = self._pace.taken_s()
        self._taken += taken
        charged = expected_s if self._pace.late else taken
        for ride, of_ride in asked:
            ride.flight.seconds += charged * len(of_ride) / rows

    def _answer(self, ride: Ride, part: torch.Tensor, bucket: int) -> None:
        if ride.ended.is_set():
            return
        try:
            ride.begun = True
            ride.used.add(bucket)
            ride.answered(part)
            if ride.remaining > 0:
                self._verdicts.append((ride, self._pace.finite(ride.flight.stepper.latents)))
                return
            # Whether its last numbers are sound is looked at by the thread that waits for them.
            ride.tell(self._clock())
            ride.landing = self._pace.landing()
            self._end(ride, None)
        except Exception as exc:  # noqa: BLE001  # its own sampler failed: its own failure
            self._end(ride, as_failure(exc, ride.flight))

    def _settle(self) -> None:
        """Tell those whose numbers are sound how far they are."""
        verdicts, self._verdicts = self._verdicts, []
        for ride, sound in verdicts:
            if ride.ended.is_set():
                continue
            try:
                if not sound():
                    raise overflowed()
                ride.tell(self._clock())
            except Exception as exc:  # noqa: BLE001  # whoever listens failed: its own failure
                self._end(ride, as_failure(exc, ride.flight))

    def _shrink(self, lane: Lane, asked: list[Ride], bucket: int) -> None:
        """Memory ended: go on with smaller buckets, from the start where that changes the class."""
        free_memory()
        self._counters.out_of_memory += 1
        smaller = lane.profile.below(bucket) if lane.profile else None
        largest = smaller.budget if smaller else 0
        for ride in asked:
            if ride.rows > largest:
                self._end(ride, out_of_memory(ride.flight))
        if smaller is None:
            return
        self._profiles.shrink(lane.conditions, lane.signature, bucket)
        lane.profile = smaller
        for ride in list(lane.rides):
            if ride.used <= set(smaller.buckets):
                continue  # nothing of it was computed in a bucket that is no more
            try:
                ride.restart()
                self._counters.restarted += 1
            except Exception as exc:  # noqa: BLE001  # its own sampler failed: its own failure
                self._end(ride, as_failure(exc, ride.flight))
