"""Keeps the forecast fresh without spending more than a hundredth of the time on it."""

from collections.abc import Callable, Iterable

from generation.engine.loop.eta import Aloft, LaneAloft, forecast
from generation.engine.loop.lane import Lane
from generation.engine.loop.lanes import Teams

_STALE_S = 0.1
"""A forecast as old as that is made anew, even if nobody came or left."""
_SHARE = 0.01


class Outlook:
    """Forecasts for the flights in the air. Belongs to the loop's thread."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._changed = False
        self._stale_at = 0.0
        self._not_before = 0.0

    def changed(self) -> None:
        """Somebody came or left."""
        self._changed = True

    def due(self) -> bool:
        """Whether it is time for a new forecast."""
        now = self._clock()
        return now >= self._not_before and (self._changed or now >= self._stale_at)

    def renew(self, lanes: Iterable[Lane], teams: Teams) -> None:
        """Write into each ride when it will land and how many begin before it."""
        started = self._clock()
        lanes = list(lanes)
        on_paper = [
            LaneAloft(
                flights=[
                    Aloft(
                        number=ride.number,
                        rows=ride.rows,
                        remaining=ride.remaining,
                        priority=ride.priority,
                        team=ride.team,
                    )
                    for ride in lane.riding
                ],
                seconds={size: s * lane.correction for size, s in lane.seconds.items()},
            )
            for lane in lanes
            if lane.seconds
        ]
        found = forecast(on_paper, teams.copy())
        rides = [ride for lane in lanes for ride in lane.rides]
        begun = sum(ride.begun and not ride.paused for ride in rides)
        waiting = sorted(
            (ride for ride in rides if not ride.begun and not ride.paused),
            key=lambda ride: (found.begins.get(ride.number, float("inf")), ride.number),
        )
        for place, ride in enumerate(waiting):
            ride.ahead = begun + place
        for ride in rides:
            lands = found.lands.get(ride.number)
            ride.lands_at = None if lands is None else started + lands
        now = self._clock()
        self._changed = False
        self._stale_at = now + _STALE_S
        self._not_before = now + (now - started) / _SHARE
