"""The step loop: one thread that asks the models, for all flights in the air.

Between two calls everything may change: flights come, leave, pause, are cancelled or overtaken.
Only the call itself is shared; guidance and the sampler's step are computed for each flight on its
own tensors, so that a flight's bits depend on the row bucket alone, and the buckets in use are
those that a profile found to give equal bits.
"""

import dataclasses
import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from brand.spec import RenderCancelled, RenderError, RenderUnavailable
from generation.engine.flights import Denoiser, Flight, Signature
from generation.engine.loop.lane import Lane
from generation.engine.loop.lanes import RoundRobin, Seating, Teams, Want
from generation.engine.loop.outlook import Outlook
from generation.engine.loop.pace import DevicePace, HostPace, Pace
from generation.engine.loop.profile import Profiles
from generation.engine.loop.rides import (
    Cancelled,
    Ride,
    Told,
    as_failure,
    out_of_memory,
    overflowed,
)
from generation.engine.loop.standing import Counters, Standing
from generation.engine.loop.steps import Steps
from generation.host_memory import return_freed_memory


@dataclass(frozen=True, kw_only=True, eq=False)
class LoopModel:
    """A loaded model as the loop uses it."""

    denoiser: Denoiser
    conditions: tuple[str, ...]
    """All that its bits depend on beside the rows: hash of the weights, dtype, device, capability,
    driver, threads, libraries, engine version, quantisation, compilation."""
    prepare: Callable[[], None] = lambda: None
    """Run in the loop's thread before it computes with this model, e.g. to set the threads."""


_LOOK_AGAIN_S = 0.05
"""So often it is asked, while all in the air are paused, whether one is to go on."""
REST_S = 20.0
"""With nothing to do for so long, the memory that was kept for the next call is returned."""


class StepLoop:
    """Flies flights. `fly` may be called from any number of threads.

    `models` gives the model of a name; it is asked in the loop's thread and must not load. A `pace`
    is chosen for the device if none is given.
    """

    def __init__(
        self,
        models: Callable[[str], LoopModel],
        profiles: Profiles,
        *,
        device: torch.device | None = None,
        clock: Callable[[], float] = time.perf_counter,
        pace: Pace | None = None,
        at_rest: Callable[[], None] = return_freed_memory,
        rest_s: float = REST_S,
    ) -> None:
        self._models = models
        self._profiles = profiles
        self._clock = clock
        self._at_rest = at_rest
        self._rest_s = rest_s
        self._rests = False
        self._on_device = device is not None and device.type == "cuda"
        self._counters = Counters()
        self._steps = Steps(
            pace or (DevicePace() if self._on_device else HostPace(clock)),
            profiles=profiles,
            counters=self._counters,
            clock=clock,
            end=self._end,
        )
        self._robin: RoundRobin[Lane] = RoundRobin()
        self._teams = Teams()
        self._outlook = Outlook(clock)
        self._lanes: dict[Signature, Lane] = {}
        self._correction = 1.0
        """Of the lane that was served last: what slows one down slows all."""
        self._prepared: tuple[str, ...] | None = None
        self._numbers = itertools.count()
        self._changed = threading.Condition()  # guards what follows, and changes of _lanes
        self._inbox: list[Ride] = []
        self._closing = False
        # A daemon: a call in the middle of torch cannot be interrupted and must not hold the exit.
        self._thread = threading.Thread(target=self._run, name="step-loop", daemon=True)
        self._thread.start()

    def fly(self, flight: Flight, told: Told, cancelled: Cancelled) -> torch.Tensor:
        """Block until the flight's last evaluation; returns (channels, height, width) float32.

        `told` and `cancelled` are called in the loop's thread. Afterwards `flight.buckets` names
        the set of row buckets it was rendered in. Raises RenderCancelled at the next step after
        `cancelled()` turns true, RenderFailed, RenderUnavailable once the loop is closed, and any
        RenderError that the model or the sampler raised for this flight.
        """
        if cancelled():
            raise RenderCancelled("Cancelled on request.")
        if flight.remaining <= 0:
            return flight.stepper.latents.clone()
        if self._on_device:
            torch.cuda.current_stream().synchronize()  # its tensors may come from another stream
        with self._changed:
            if self._closing:
                raise RenderUnavailable("The generation service is stopping.")
            ride = Ride(flight, told, cancelled, next(self._numbers))
            self._inbox.append(ride)
            self._changed.notify()
        ride.ended.wait()
        if ride.failure is not None:
            raise ride.failure
        if ride.landing is not None:
            ride.landing.synchronize()
        latents = flight.stepper.latents.clone()  # no longer a tensor of inference mode
        if not torch.isfinite(latents).all():
            raise overflowed()
        return latents

    def buckets_of(self, signature: Signature) -> tuple[int, ...]:
        """The set of row buckets a flight of this signature would use; empty if not yet known.

        Asks for the model, so call it only while that is in use. Raises what `models` raises.
        """
        profile = self._profiles.known(self._models(signature.model).conditions, signature)
        return profile.buckets if profile else ()

    def standing(self) -> Standing:
        """What is in the air, and counts from the start."""
        with self._changed:
            lanes = tuple(lane.standing() for lane in self._lanes.values())
            waiting = len(self._inbox)
        return Standing(
            lanes=lanes,
            flights=waiting + sum(lane.flights for lane in lanes),
            counters=dataclasses.replace(self._counters),
        )

    def close(self, wait_s: float = 0.0) -> None:
        """Take no more flights and end those in the air with RenderUnavailable at the next step."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(wait_s)

    # Everything below runs in the loop's thread.

    def _run(self) -> None:
        with torch.inference_mode():
            while self._admit():
                started, surveyed = self._clock(), self._counters.survey_s
                try:
                    self._turn()
                except Exception as exc:  # noqa: BLE001  # nobody may wait for ever on a dead loop
                    for ride in self._aloft():
                        self._end(ride, as_failure(exc, ride.flight))
                surveyed = self._counters.survey_s - surveyed
                self._counters.working_s += self._clock() - started - surveyed
        for ride in [*self._aloft(), *self._inbox]:
            self._end(ride, RenderUnavailable("The generation service is stopping."))

    def _admit(self) -> bool:
        """Take in who has come, waiting for someone if nobody is in the air; False: it is over.

        Nobody may have come: then it has just laid down to rest.
        """
        with self._changed:
            if self._lanes and not self._riding() and not (self._inbox or self._closing):
                self._changed.wait(_LOOK_AGAIN_S)
            is_wanted = self._changed.wait_for(
                lambda: self._inbox or self._lanes or self._closing,
                None if self._rests else self._rest_s,
            )
            if self._closing:
                return False
            arrived, self._inbox = self._inbox, []
        self._rests = not is_wanted
        if self._rests:
            self._at_rest()
        for ride in arrived:
            try:
                lane = self._lane(ride.flight.signature)
            except Exception as exc:  # noqa: BLE001  # whatever a model throws is its flight's
                self._end(ride, as_failure(exc, ride.flight))
                continue
            self._teams.enter(ride)
            lane.rides.append(ride)
            self._outlook.changed()
        return True

    def _lane(self, signature: Signature) -> Lane:
        if signature not in self._lanes:
            model = self._models(signature.model)
            lane = Lane(
                signature, model.denoiser, model.conditions, model.prepare, self._correction
            )
            lane.open(self._profiles, self._clock)
            with self._changed:
                self._lanes[signature] = lane
        return self._lanes[signature]

    def _aloft(self) -> list[Ride]:
        return [ride for lane in self._lanes.values() for ride in lane.rides]

    def _riding(self) -> list[Lane]:
        """Lanes in which somebody is not paused."""
        return [lane for lane in self._lanes.values() if lane.riding]

    def _turn(self) -> None:
        """One call of one model."""
        self._for_each(self._heed)
        if self._outlook.due():
            self._outlook.renew(self._lanes.values(), self._teams)
            self._for_each(lambda ride: ride.tell_place(self._clock()))
        seatings = self._seatings()
        wants = [
            Want(lane=lane, priority=lane.priority, seconds=_next_call_s(lane, seatings.get(lane)))
            for lane in self._riding()
        ]
        if not wants:
            return
        lane = self._robin.choose(wants).lane
        if lane.conditions != self._prepared:
            lane.prepare()
            self._prepared = lane.conditions
        seating = seatings.get(lane)
        if seating is None:
            self._survey(lane)
            return
        lane.seats.ridden(seating, len(lane.riding) - len(seating.riders), self._teams)
        self._steps.take(lane, seating)
        self._correction = lane.correction

    def _seatings(self) -> dict[Lane, Seating[Ride]]:
        """Who would ride in each lane whose profile is known."""
        seatings: dict[Lane, Seating[Ride]] = {}
        for lane in self._riding():
            if lane.survey is not None:
                continue
            seating = lane.seating(self._teams)
            if seating is not None:
                seatings[lane] = seating
            else:  # memory was found too small for any of them
                for ride in lane.riding:
                    self._end(ride, out_of_memory(ride.flight))
        return seatings

    def _heed(self, ride: Ride) -> None:
        """Do what those who wait for it want by now."""
        if ride.cancelled():
            self._end(ride, RenderCancelled("Cancelled on request."))
            return
        wish = ride.wish()
        if (wish.priority, wish.paused) == (ride.priority, ride.paused):
            return
        self._part(ride)
        ride.priority, ride.paused = wish.priority, wish.paused
        if not ride.paused:
            self._teams.enter(ride)

    def _part(self, ride: Ride) -> None:
        """It competes for the device no more; while it was paused it did not."""
        if not ride.paused:
            self._teams.leave(ride)
        self._outlook.changed()

    def _for_each(self, action: Callable[[Ride], None]) -> None:
        """Whatever is thrown on behalf of one flight is that flight's failure."""
        for ride in self._aloft():
            try:
                action(ride)
            except Exception as exc:  # noqa: BLE001  # becomes the failure of one flight
                self._end(ride, as_failure(exc, ride.flight))

    def _survey(self, lane: Lane) -> None:
        """Make one call for the lane's profile."""
        started = self._clock()
        try:
            lane.look(self._profiles)
        except Exception as exc:  # noqa: BLE001  # a model that fails on its own fails its flights
            for ride in list(lane.rides):
                self._end(ride, as_failure(exc, ride.flight))
        if lane.survey is None:
            self._outlook.changed()
        self._counters.survey_s += self._clock() - started

    def _end(self, ride: Ride, failure: RenderError | None) -> None:
        """The flight leaves: landed, cancelled or failed. Once."""
        if ride.ended.is_set():
            return
        lane = self._lanes.get(ride.flight.signature)
        if lane is not None and ride in lane.rides:
            lane.rides.remove(ride)
            self._part(ride)
            ride.flight.buckets = lane.profile.buckets if lane.profile else ()
            if not lane.rides:  # its model may be unloaded as soon as the flight has ended
                self._robin.forget(lane)
                with self._changed:
                    del self._lanes[lane.signature]
        if failure is None:
            self._counters.landed += 1
        elif isinstance(failure, RenderCancelled):
            self._counters.cancelled += 1
        else:
            self._counters.failed += 1
        ride.end(failure)


def _next_call_s(lane: Lane, seating: Seating[Ride] | None) -> float:
    if seating is not None:
        return seating.seconds
    return lane.survey.seconds if lane.survey else 1e-3
