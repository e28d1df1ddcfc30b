"""When each flight will land: the loop's own policy, run ahead on paper.

Between two landings the same flights ride, so one stretch is worked out at once and not step by
step: at most about as many stretches as there are flights.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from generation.engine.loop.lanes import RESERVE, TURN_ROWS, Seating, Seats, Teams

MAX_STRETCHES = 200
"""What lands later than that many stretches ahead is not forecast."""
_DONE = 1e-6


@dataclass(kw_only=True, eq=False)
class Aloft:
    """A flight on paper; lanes.Rider."""

    number: int
    rows: int
    remaining: float
    priority: int
    team: str


@dataclass(frozen=True, kw_only=True, eq=False)
class LaneAloft:
    """A lane on paper."""

    flights: list[Aloft]
    seconds: Mapping[int, float]
    """What a call takes really, by bucket."""
    seats: Seats = field(default_factory=Seats)


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """Seconds from now, by the flights' numbers."""

    begins: Mapping[int, float]
    lands: Mapping[int, float]


def forecast(lanes: Sequence[LaneAloft], teams: Teams) -> Forecast:
    """When each flight rides next and when it lands, if nothing comes and nobody leaves.

    Uses up `lanes` and `teams`: give copies.
    """
    now = 0.0
    begins: dict[int, float] = {}
    lands: dict[int, float] = {}
    for _ in range(MAX_STRETCHES):
        busy = [
            (lane, seating)
            for lane in lanes
            if lane.flights
            and (seating := lane.seats.choose(lane.flights, lane.seconds, teams)) is not None
        ]
        if not busy:
            break
        shares = _shares([max(f.priority for f in lane.flights) for lane, _ in busy])
        rates = [share / seating.seconds for share, (_, seating) in zip(shares, busy, strict=True)]
        stretch = min(
            _until_change(lane, seating) / rate
            for rate, (lane, seating) in zip(rates, busy, strict=True)
        )
        for rate, (lane, seating) in zip(rates, busy, strict=True):
            for flight in seating.riders:
                begins.setdefault(flight.number, now)
                flight.remaining -= rate * stretch
                teams.charge(flight, rate * stretch * seating.seconds * flight.rows / seating.rows)
                if flight.remaining <= _DONE:
                    lands[flight.number] = now + stretch
                    lane.flights.remove(flight)
        now += stretch
    return Forecast(begins=begins, lands=lands)


def _shares(priorities: Sequence[int]) -> list[float]:
    """Each lane's share of the device: the lower classes have the reserve among themselves."""
    top = max(priorities)
    upper = sum(priority == top for priority in priorities)
    lower = len(priorities) - upper
    of_upper = (1 - RESERVE if lower else 1.0) / upper
    return [of_upper if priority == top else RESERVE / lower for priority in priorities]


def _until_change(lane: LaneAloft, seating: Seating[Aloft]) -> float:
    """Calls until somebody lands, or another team's turn may have come."""
    calls = min(flight.remaining for flight in seating.riders)
    if len({flight.team for flight in lane.flights}) > 1:
        calls = min(calls, TURN_ROWS / seating.rows)
    return max(calls, _DONE)
