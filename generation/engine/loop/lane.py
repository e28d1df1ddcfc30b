"""One lane of the step loop: flights of one signature, with the model that answers them."""

import logging
from collections.abc import Callable, Sequence

from generation.engine.flights import Denoiser, Signature
from generation.engine.loop.lanes import Seating, Seats, Teams
from generation.engine.loop.profile import Profile, Profiles
from generation.engine.loop.rides import Ride
from generation.engine.loop.standing import LaneStanding
from generation.engine.loop.survey import Survey

_WEIGHT_OF_NEWEST = 0.2
_log = logging.getLogger(__name__)


class Lane:
    """Belongs to the loop's thread. It lives as long as flights are in it."""

    def __init__(
        self,
        signature: Signature,
        denoiser: Denoiser,
        conditions: Sequence[str],
        prepare: Callable[[], None],
        correction: float = 1.0,
    ) -> None:
        self.signature = signature
        self.denoiser = denoiser
        self.conditions = tuple(conditions)
        self.prepare = prepare
        self.rides: list[Ride] = []
        self.seats = Seats()
        self.profile: Profile | None = None
        self.survey: Survey | None = None
        """Set until the profile is known; nobody rides before."""
        self.correction = correction
        """What a call takes now, over what the profile says."""
        self._measured = 0

    def open(self, profiles: Profiles, clock: Callable[[], float]) -> None:
        """Look up the profile, or begin to take it."""
        self.profile = profiles.known(self.conditions, self.signature)
        if self.profile is None:
            self.survey = Survey(self.signature, clock, max_rows=profiles.max_rows)

    def look(self, profiles: Profiles) -> None:
        """Make one call of the survey; the last opens the lane. Raises what the model raises."""
        survey = self.survey
        if survey is None:
            return
        survey.step(self.denoiser)
        if not survey.over:
            return
        self.survey = None
        self.profile = profiles.keep(self.conditions, self.signature, survey.profile())
        _log.info(
            "row buckets %s, at most %d rows, %.1f rows/s for %s",
            self.profile.buckets,
            self.profile.budget,
            self.profile.rows_per_s,
            self.signature,
            extra={"action": "profile"},
        )

    @property
    def riding(self) -> list[Ride]:
        """Those of its flights that are not paused."""
        return [ride for ride in self.rides if not ride.paused]

    @property
    def priority(self) -> int:
        """The highest of its riding flights'."""
        return max(ride.priority for ride in self.riding)

    @property
    def seconds(self) -> dict[int, float]:
        """What a call takes, by bucket in use; empty before the profile is known."""
        return self.profile.usable if self.profile else {}

    def seating(self, teams: Teams) -> Seating[Ride] | None:
        """Who rides next; None where no bucket is left that holds any of them."""
        seconds = self.seconds
        return self.seats.choose(self.riding, seconds, teams) if seconds else None

    def measured(self, seconds: float, profiled: float) -> None:
        """A call that should have taken `profiled` took so long."""
        self._measured += 1
        weight = max(_WEIGHT_OF_NEWEST, 1 / (1 + self._measured))
        self.correction += weight * (seconds / profiled - self.correction)

    def standing(self) -> LaneStanding:
        """For health and metrics."""
        profile = self.profile
        return LaneStanding(
            model=self.signature.model,
            height=self.signature.height,
            width=self.signature.width,
            flights=len(self.rides),
            buckets=profile.buckets if profile else (),
            budget=profile.budget if profile else 0,
            correction=self.correction,
        )
