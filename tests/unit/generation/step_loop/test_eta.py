"""A forecast tells when each flight lands, as the loop itself would have it."""

import statistics
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generation.engine.loop.eta import MAX_STRETCHES, Aloft, LaneAloft, forecast
from generation.engine.loop.lanes import RoundRobin, Seats, Teams, Want

SECONDS = {2: 0.022, 4: 0.037, 6: 0.054, 8: 0.070}
SLOW = {2: 0.30, 4: 0.55}


def aloft(number: int, remaining: float, **how: object) -> Aloft:
    """A guided flight, if nothing else is said."""
    values = {"rows": 2, "priority": 0, "team": ""} | how
    return Aloft(number=number, remaining=remaining, **values)  # type: ignore[arg-type]


@dataclass
class Simulation:
    """The loop's policy step by step, with nothing left out."""

    lanes: dict[str, LaneAloft]
    teams: Teams = field(default_factory=Teams)
    now: float = 0.0
    lands: dict[int, float] = field(default_factory=dict)

    def run(self, calls: int = 10**6) -> None:
        """So many calls, or until all have landed."""
        robin: RoundRobin[str] = RoundRobin()
        for _ in range(calls):
            seatings = {
                name: lane.seats.choose(lane.flights, lane.seconds, self.teams)
                for name, lane in self.lanes.items()
                if lane.flights
            }
            if not seatings:
                return
            wants = [
                Want(
                    lane=name,
                    priority=max(flight.priority for flight in self.lanes[name].flights),
                    seconds=seating.seconds,
                )
                for name, seating in seatings.items()
                if seating is not None
            ]
            self._ride(robin.choose(wants).lane, seatings)

    def _ride(self, name: str, seatings: dict) -> None:  # type: ignore[type-arg]
        lane, seating = self.lanes[name], seatings[name]
        lane.seats.ridden(seating, len(lane.flights) - len(seating.riders), self.teams)
        self.now += seating.seconds
        for flight in seating.riders:
            flight.remaining -= 1
            if flight.remaining <= 0:
                self.lands[flight.number] = self.now
                lane.flights.remove(flight)
                self.teams.leave(flight)

    def on_paper(self) -> list[LaneAloft]:
        """Copies for a forecast."""
        return [
            LaneAloft(
                flights=[Aloft(**vars(flight)) for flight in lane.flights], seconds=lane.seconds
            )
            for lane in self.lanes.values()
        ]


def simulated(lanes: dict[str, tuple[dict[int, float], list[Aloft]]]) -> Simulation:
    """A simulation that these flights have entered."""
    simulation = Simulation(
        {
            name: LaneAloft(flights=flights, seconds=seconds, seats=Seats())
            for name, (seconds, flights) in lanes.items()
        }
    )
    for _, flights in lanes.values():
        for flight in flights:
            simulation.teams.enter(flight)
    return simulation


def test_a_lone_flight_lands_after_its_calls() -> None:
    found = forecast([LaneAloft(flights=[aloft(0, 20)], seconds=SECONDS)], Teams())
    assert found.lands == {0: pytest.approx(20 * SECONDS[2])}
    assert found.begins == {0: 0.0}


def test_who_is_left_out_begins_when_somebody_lands() -> None:
    flights = [aloft(n, 10) for n in range(4)] + [aloft(9, 30)]
    found = forecast([LaneAloft(flights=flights, seconds=SECONDS)], Teams())
    assert found.begins[9] == pytest.approx(10 * SECONDS[8])
    assert found.lands[9] == pytest.approx(10 * SECONDS[8] + 30 * SECONDS[2])


def test_a_lane_without_a_bucket_for_its_flight_is_left_out() -> None:
    found = forecast([LaneAloft(flights=[aloft(0, 5)], seconds={1: 0.02})], Teams())
    assert found.lands == {}


def test_lanes_share_the_device() -> None:
    lanes = [
        LaneAloft(flights=[aloft(0, 100)], seconds=SECONDS),
        LaneAloft(flights=[aloft(1, 100)], seconds=SLOW),
    ]
    found = forecast(lanes, Teams())
    assert found.lands[0] == pytest.approx(2 * 100 * SECONDS[2])
    assert found.lands[1] == pytest.approx(100 * SECONDS[2] + 100 * SLOW[2])


def test_its_work_is_bounded() -> None:
    flights = [aloft(n, 1 + n) for n in range(5 * MAX_STRETCHES)]
    found = forecast([LaneAloft(flights=flights, seconds={2: 0.02})], Teams())
    assert len(found.lands) == MAX_STRETCHES


FLIGHT = st.tuples(
    st.integers(4, 40), st.sampled_from([1, 2]), st.sampled_from([0, 10]), st.sampled_from("abc")
)


@settings(max_examples=80, deadline=None)
@given(
    fast=st.lists(FLIGHT, min_size=1, max_size=10),
    slow=st.lists(FLIGHT, max_size=4),
)
def test_after_three_steps_the_median_error_is_within_a_quarter_and_a_call(
    fast: list[tuple[int, int, int, str]], slow: list[tuple[int, int, int, str]]
) -> None:
    flights = [
        aloft(number, remaining, rows=rows, priority=priority, team=team)
        for number, (remaining, rows, priority, team) in enumerate([*fast, *slow])
    ]
    lanes = {"fast": (SECONDS, flights[: len(fast)])}
    if slow:
        lanes["slow"] = (SLOW, flights[len(fast) :])
    simulation = simulated(lanes)
    simulation.run(3)
    begun = simulation.now
    found = forecast(simulation.on_paper(), simulation.teams.copy())
    simulation.run()
    # Which lane's call is the very next is not forecast: with two flights that is all there is.
    call = max(lanes[name][0][2] for name in lanes)
    errors = [
        (abs(found.lands[number] - (landed - begun)) - call) / max(landed - begun, 0.05)
        for number, landed in simulation.lands.items()
        if landed > begun
    ]
    assert not errors or statistics.median(errors) <= 0.25
