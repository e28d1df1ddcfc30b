"""Who rides the next step: class, fair turns, what remains; and nobody waits for ever."""

import gc
import weakref
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generation.engine.loop.lanes import RESERVE, TURN_ROWS, RoundRobin, Seating, Seats, Teams, Want

SECONDS = {2: 0.022, 4: 0.037, 6: 0.054, 8: 0.070}
ROW_S = SECONDS[8] / 8


@dataclass(eq=False)
class Rider:
    """A flight without tensors."""

    number: int
    remaining: int = 10
    rows: int = 2
    priority: int = 0
    team: str = ""


@dataclass
class Lane:
    """A lane that serves itself call by call."""

    seconds: dict[int, float] = field(default_factory=lambda: dict(SECONDS))
    riders: list[Rider] = field(default_factory=list)
    seats: Seats = field(default_factory=Seats)
    teams: Teams = field(default_factory=Teams)

    def enter(self, *riders: Rider) -> None:
        """They come in."""
        for rider in riders:
            self.riders.append(rider)
            self.teams.enter(rider)

    def step(self) -> Seating[Rider]:
        """One call."""
        seating = self.seats.choose(self.riders, self.seconds, self.teams)
        assert seating is not None
        self.seats.ridden(seating, len(self.riders) - len(seating.riders), self.teams)
        for rider in seating.riders:
            rider.remaining -= 1
        for rider in [rider for rider in self.riders if rider.remaining == 0]:
            self.riders.remove(rider)
            self.teams.leave(rider)
        return seating


def lane_with(*riders: Rider, seconds: dict[int, float] | None = None) -> Lane:
    """A lane that these have entered."""
    lane = Lane(seconds=seconds or dict(SECONDS))
    lane.enter(*riders)
    return lane


def test_a_lone_flight_rides_in_the_smallest_bucket_that_holds_it() -> None:
    for rows, bucket in ((1, 2), (2, 2)):
        seating = lane_with(Rider(0, rows=rows)).step()
        assert (len(seating.riders), seating.bucket) == (1, bucket)


def test_both_rows_of_a_guided_flight_ride_together_or_not_at_all() -> None:
    lane = lane_with(*(Rider(n) for n in range(5)), seconds={3: 0.03})
    seating = lane.step()
    assert (seating.rows, seating.bucket) == (2, 3)
    alone = lane_with(Rider(0, rows=2))
    alone.seconds = {1: 0.01}
    assert alone.seats.choose(alone.riders, alone.seconds, alone.teams) is None


def test_a_higher_class_rides_at_the_very_next_step() -> None:
    lane = lane_with(*(Rider(n) for n in range(8)))
    lane.step()
    urgent = Rider(99, priority=10)
    lane.enter(urgent)
    assert urgent in lane.step().riders


def test_an_urgent_flight_is_not_slowed_down_by_filling_up_a_larger_bucket() -> None:
    lane = lane_with(*(Rider(n) for n in range(8)), Rider(99, priority=10))
    assert lane.step().bucket == 2


def test_spare_rows_of_the_urgent_bucket_carry_lower_classes() -> None:
    lane = lane_with(*(Rider(n, rows=1) for n in range(8)), Rider(99, priority=10, rows=1))
    assert lane.step().rows == 2


def test_the_bucket_is_the_one_that_serves_most_rows_a_second() -> None:
    knee = {2: 0.02, 4: 0.04, 8: 0.20}
    assert lane_with(*(Rider(n) for n in range(4)), seconds=knee).step().bucket == 2
    assert lane_with(*(Rider(n) for n in range(4))).step().bucket == 8


def test_of_one_team_the_shortest_remaining_ride_first() -> None:
    riders = [Rider(n, remaining=r) for n, r in enumerate((30, 5, 20, 7, 25, 9))]
    chosen = lane_with(*riders).step().riders
    assert [rider.number for rider in chosen] == [1, 3, 5, 2]


def test_of_equals_the_first_to_come_rides_first() -> None:
    chosen = lane_with(*(Rider(n) for n in range(6))).step().riders
    assert [rider.number for rider in chosen] == [0, 1, 2, 3]


@settings(deadline=None)
@given(
    backlog=st.lists(st.integers(8, 40), min_size=2, max_size=5),
    calls=st.integers(50, 400),
)
def test_busy_teams_are_served_alike_within_two_turns(backlog: list[int], calls: int) -> None:
    lane = Lane()
    served = [0.0] * len(backlog)
    number = 0
    for _ in range(calls):
        for team, remaining in enumerate(backlog):
            while sum(rider.team == str(team) for rider in lane.riders) < 6:
                lane.enter(Rider(number, remaining - number % 7, team=str(team)))
                number += 1
        seating = lane.step()
        for rider in seating.riders:
            served[int(rider.team)] += seating.seconds * rider.rows / seating.rows
    turn_s = TURN_ROWS * ROW_S
    # The reserve for whoever has waited longest does not ask for the team.
    slack = 2 * RESERVE * sum(served)
    assert max(served) - min(served) <= 2 * turn_s + slack


def test_a_team_is_owed_nothing_for_the_time_it_was_away() -> None:
    lane = lane_with(*(Rider(n, 500, team="a") for n in range(4)))
    for _ in range(100):
        lane.step()
    lane.enter(*(Rider(n, 500, team="b") for n in range(10, 14)))
    before = lane.teams.served(Rider(0, team="a"))
    for _ in range(100):
        lane.step()
    own = lane.teams.served(Rider(0, team="a")) - before
    assert own >= 100 * SECONDS[8] * 0.3


def test_a_team_that_leaves_and_comes_back_keeps_its_account() -> None:
    lane = lane_with(*(Rider(n, 500, team="a") for n in range(4)))
    lane.enter(Rider(9, 3, team="b"))
    for _ in range(40):
        lane.step()
    taken = Teams.served(lane.teams, Rider(0, team="b"))
    lane.enter(Rider(10, 3, team="b"))
    assert lane.teams.served(Rider(0, team="b")) >= taken


@settings(deadline=None)
@given(
    remaining=st.integers(1, 30),
    rows=st.sampled_from([1, 2]),
    same_class=st.booleans(),
    urgent_rows=st.sampled_from([1, 2]),
    width=st.integers(4, 12),
)
def test_nobody_starves_under_an_endless_stream_of_better_flights(
    remaining: int, rows: int, same_class: bool, urgent_rows: int, width: int
) -> None:
    lane = lane_with(poor := Rider(0, remaining, rows=rows, team="z"))
    calls = number = served = 0
    while poor in lane.riders:
        while len(lane.riders) < 1 + width:
            number += 1
            better = Rider(number, 1, rows=urgent_rows, priority=0 if same_class else 10, team="z")
            lane.enter(better)
        served += lane.step().rows
        calls += 1
        # A ride waits for its share, and for the rest of the call that makes the share full.
        assert served * RESERVE <= (remaining + 2) * (rows + 8 * RESERVE)


@settings(deadline=None)
@given(width=st.integers(4, 10), calls=st.integers(100, 400))
def test_the_lower_classes_get_no_more_than_their_reserve(width: int, calls: int) -> None:
    lane = lane_with(*(Rider(n, 10_000) for n in range(6)))
    lane.enter(*(Rider(n, 10_000, priority=10) for n in range(6, 6 + width)))
    rows = {0: 0, 10: 0}
    for _ in range(calls):
        for rider in lane.step().riders:
            rows[rider.priority] += rider.rows
    share = rows[0] / sum(rows.values())
    assert RESERVE / 2 <= share <= RESERVE + 0.05


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_whatever_comes_and_goes_everybody_lands(data: st.DataObject) -> None:
    arrivals = data.draw(
        st.lists(
            st.tuples(
                st.integers(0, 60),
                st.integers(1, 12),
                st.sampled_from([1, 2]),
                st.sampled_from([0, 5, 10]),
                st.sampled_from("abc"),
            ),
            min_size=1,
            max_size=25,
        )
    )
    buckets = data.draw(st.sampled_from([(2,), (2, 4), (2, 3, 4, 6, 8), (16,), (1, 2, 4)]))
    lane = Lane(seconds={size: 0.01 + size * 0.008 for size in buckets})
    due = sorted(arrivals)
    step = total = 0
    evaluations = sum(remaining for _, remaining, *_ in arrivals)
    number = 0
    while due or lane.riders:
        while due and (due[0][0] <= step or not lane.riders):
            _, remaining, rows, priority, team = due.pop(0)
            lane.enter(Rider(number, remaining, rows=rows, priority=priority, team=team))
            number += 1
        seating = lane.step()
        assert seating.rows <= seating.bucket <= max(buckets)
        assert len(set(seating.riders)) == len(seating.riders)
        total += len(seating.riders)
        step += 1
    assert total == evaluations


@settings(deadline=None)
@given(
    costs=st.lists(st.floats(0.01, 2.0), min_size=1, max_size=6),
    calls=st.integers(1, 600),
)
def test_lanes_of_one_class_share_the_device_in_seconds(costs: list[float], calls: int) -> None:
    robin: RoundRobin[int] = RoundRobin()
    served = [0.0] * len(costs)
    wants = [Want(lane=lane, priority=0, seconds=cost) for lane, cost in enumerate(costs)]
    for _ in range(calls):
        chosen = robin.choose(wants)
        served[chosen.lane] += chosen.seconds
    assert max(served) - min(served) <= 3 * max(costs)


@settings(deadline=None)
@given(
    upper=st.lists(st.floats(0.01, 1.0), min_size=1, max_size=3),
    lower=st.lists(st.floats(0.01, 1.0), min_size=1, max_size=3),
)
def test_lanes_of_lower_classes_get_their_reserve_and_no_more(
    upper: list[float], lower: list[float]
) -> None:
    robin: RoundRobin[str] = RoundRobin()
    wants = [Want(lane=f"u{n}", priority=10, seconds=s) for n, s in enumerate(upper)]
    wants += [Want(lane=f"l{n}", priority=0, seconds=s) for n, s in enumerate(lower)]
    served = dict.fromkeys((want.lane for want in wants), 0.0)
    while sum(served.values()) < 200:
        chosen = robin.choose(wants)
        served[chosen.lane] += chosen.seconds
    share = sum(s for lane, s in served.items() if lane[0] == "l") / sum(served.values())
    assert share == pytest.approx(RESERVE, abs=0.02)
    assert min(served.values()) > 0


def test_a_lane_that_gets_urgent_work_is_next() -> None:
    robin: RoundRobin[str] = RoundRobin()
    for _ in range(3):
        robin.choose([Want(lane="a", priority=0, seconds=1.0)])
    wants = [
        Want(lane="a", priority=0, seconds=1.0),
        Want(lane="b", priority=10, seconds=0.1),
    ]
    assert robin.choose(wants).lane == "b"


def test_a_lane_saves_up_nothing_while_it_is_empty() -> None:
    robin: RoundRobin[str] = RoundRobin()
    wants = {name: Want(lane=name, priority=0, seconds=1.0) for name in "ab"}
    robin.choose(list(wants.values()))
    for _ in range(20):
        assert robin.choose([wants["a"]]).lane == "a"
    first_ten = [robin.choose(list(wants.values())).lane for _ in range(10)]
    assert 4 <= first_ten.count("b") <= 6


def test_a_lane_that_is_gone_is_forgotten_and_the_others_keep_their_turns() -> None:
    class Heavy:
        """A lane with a model."""

    robin: RoundRobin[object] = RoundRobin()
    lane = Heavy()
    robin.choose([Want(lane=lane, priority=0, seconds=1.0)])
    robin.choose([Want(lane=each, priority=0, seconds=1.0) for each in (lane, "b")])
    gone = weakref.ref(lane)
    robin.forget(lane)
    robin.forget("never seen")
    del lane
    gc.collect()
    assert gone() is None
    assert robin.choose([Want(lane="b", priority=0, seconds=1.0)]).lane == "b"
