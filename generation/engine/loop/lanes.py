"""Who rides the next step: pure policy, without torch and without a clock.

Two questions are settled before every call of a model. Which *lane* gets the device: deficit round
robin (Shreedhar and Varghese, 1995) in profiled seconds, lanes with work of the highest waiting
class first. Which *flights* of that lane ride: priority class, then the team that has had least
(start-time fair queueing; Goyal, Vin and Cheng, 1996), then the shortest that remains. At both
places a small reserve goes to whoever these rules leave out, so that nothing waits for ever.
"""

import heapq
import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

RESERVE = 1 / 16
"""Share of what is served that goes to those left out: lower classes, and whoever came first."""
TURN_ROWS = 64
"""Rows a team is served before another team's turn; about one picture with guidance."""
_EARNED = RESERVE / (1 - RESERVE)


class Rider(Protocol):
    """A flight as the policy sees it."""

    @property
    def rows(self) -> int:
        """Rows that ride together: 2 with guidance."""
        ...

    @property
    def remaining(self) -> float:
        """Evaluations still to come."""
        ...

    @property
    def priority(self) -> int:
        """Higher goes first."""
        ...

    @property
    def team(self) -> str:
        """Whose work it is."""
        ...

    @property
    def number(self) -> int:
        """Place in the order of arrival."""
        ...


R = TypeVar("R", bound=Rider)
L = TypeVar("L", bound=Hashable)


@dataclass(frozen=True, kw_only=True)
class Want(Generic[L]):
    """A lane that could use the device now."""

    lane: L
    priority: int
    """The highest of its flights'."""
    seconds: float
    """Profiled duration of the call it would make; more than 0."""


class RoundRobin(Generic[L]):
    """Shares the device among lanes by deficit round robin."""

    def __init__(self) -> None:
        self._order: list[L] = []
        """The lane whose turn is longest ago stands first."""
        self._deficit: dict[L, float] = {}
        self._reserved = 0.0

    def choose(self, wants: Sequence[Want[L]]) -> Want[L]:
        """The lane whose call is next; its seconds are charged to it. `wants` is not empty."""
        self._meet([want.lane for want in wants])
        top = max(want.priority for want in wants)
        upper = {want.lane: want for want in wants if want.priority == top}
        lower = {want.lane: want for want in wants if want.priority < top}
        if not lower:
            self._reserved = 0.0
        elif self._reserved >= min(want.seconds for want in lower.values()):
            chosen = self._next(lower)
            self._reserved -= chosen.seconds
            return chosen
        chosen = self._next(upper)
        if lower:
            self._reserved += chosen.seconds * _EARNED
        return chosen

    def forget(self, lane: L) -> None:
        """The lane is gone: nothing of it is kept alive here."""
        if lane in self._deficit:
            self._order.remove(lane)
            del self._deficit[lane]

    def _meet(self, present: Sequence[L]) -> None:
        """Forget lanes that want nothing any more: they save up no time. New ones come first."""
        for lane in set(self._deficit).difference(present):
            self.forget(lane)
        for lane in present:
            if lane not in self._deficit:
                self._order.insert(0, lane)
                self._deficit[lane] = 0.0

    def _next(self, group: Mapping[L, Want[L]]) -> Want[L]:
        """The one whose turn it is goes on while its turn lasts; then it is the next one's."""
        turns = [lane for lane in self._order if lane in group]
        lane = turns[-1]
        if self._deficit[lane] < group[lane].seconds:
            lane = turns[0]
            quantum = max(want.seconds for want in group.values())
            # No lane saves up more than one turn, however its calls change in length.
            self._deficit[lane] = min(self._deficit[lane], quantum) + quantum
            self._order.remove(lane)
            self._order.append(lane)
        self._deficit[lane] -= group[lane].seconds
        return group[lane]


class Teams:
    """Device seconds that each team has been served, per priority class."""

    def __init__(self, served: Mapping[tuple[int, str], float] | None = None) -> None:
        self._served = dict(served or {})
        self._flights: dict[tuple[int, str], int] = {}

    def copy(self) -> "Teams":
        """Another one with the same accounts, for a forecast."""
        other = Teams(self._served)
        other._flights = dict(self._flights)
        return other

    def enter(self, rider: Rider) -> None:
        """A flight comes in; who was away is owed nothing for that time."""
        account = (rider.priority, rider.team)
        if not self._flights.get(account):
            least = min(
                (self._served[other] for other in self._flights if other[0] == rider.priority),
                default=0.0,
            )
            self._served[account] = max(self._served.get(account, 0.0), least)
        self._flights[account] = self._flights.get(account, 0) + 1

    def leave(self, rider: Rider) -> None:
        """A flight is over."""
        account = (rider.priority, rider.team)
        self._flights[account] -= 1
        if self._flights[account]:
            return
        del self._flights[account]
        of_class = [other for other in self._flights if other[0] == rider.priority]
        least = min((self._served[other] for other in of_class), default=float("inf"))
        for other in [other for other in self._served if other[0] == rider.priority]:
            if other not in self._flights and self._served[other] <= least:
                del self._served[other]  # it would start at the least anyway

    def served(self, rider: Rider) -> float:
        """Device seconds of this flight's team in its class."""
        return self._served.get((rider.priority, rider.team), 0.0)

    def charge(self, rider: Rider, seconds: float) -> None:
        """The flight has used so much of the device."""
        account = (rider.priority, rider.team)
        self._served[account] = self._served.get(account, 0.0) + seconds


@dataclass(frozen=True, kw_only=True)
class Seating(Generic[R]):
    """One call of the model: who rides, padded to which bucket."""

    riders: tuple[R, ...]
    bucket: int
    seconds: float
    """Profiled."""
    by_reserve: bool = False
    """Whether the first of them rides only because it has waited longest."""

    @property
    def rows(self) -> int:
        """Rows that are asked about; the bucket's others are padding."""
        return sum(rider.rows for rider in self.riders)


class Seats:
    """Chooses the flights of one lane, step by step."""

    def __init__(self) -> None:
        self._reserved = 0.0

    def choose(
        self, riders: Sequence[R], seconds: Mapping[int, float], teams: Teams
    ) -> Seating[R] | None:
        """Who rides next, or None where no bucket holds any of them. Changes nothing.

        `seconds` gives the duration of a call for each bucket that may be used.
        """
        largest = max(seconds)
        fitting = [rider for rider in riders if rider.rows <= largest]
        if not fitting:
            return None
        turn_s = TURN_ROWS * seconds[largest] / largest
        seating = _seating(_first(fitting, largest, teams, turn_s), seconds, 0)
        oldest = min(fitting, key=lambda rider: rider.number)
        if self._reserved < oldest.rows or oldest in seating.riders:
            return seating
        others = [rider for rider in fitting if rider is not oldest]
        return _seating([oldest, *_first(others, largest, teams, turn_s)], seconds, 1)

    def ridden(self, seating: Seating[R], waiting: int, teams: Teams) -> None:
        """The chosen ones ride while `waiting` flights of the lane are left out."""
        rows = seating.rows
        for rider in seating.riders:
            teams.charge(rider, seating.seconds * rider.rows / rows)
        if seating.by_reserve:
            self._reserved -= seating.riders[0].rows
        if waiting:
            # Worth two calls at most, so that a long wait ends in no long turn.
            self._reserved = min(self._reserved + rows * _EARNED, 2.0 * seating.bucket)


def ranked(
    riders: Sequence[R],
    teams: Teams,
    *,
    turn: float,
    cost: Callable[[R], float],
    room: float = math.inf,
) -> list[R]:
    """Those of the riders that fit into so many rows, the most urgent first: by priority class,
    then the team that has had least, in whole turns, then the shortest that remains.

    `cost` is what a team is charged for a rider that goes before its next one; a `turn` is as much
    as a team is served before another one's, both in the unit of the teams' accounts.
    """
    of_account: dict[tuple[int, str], list[R]] = {}
    for rider in sorted(riders, key=lambda rider: (rider.remaining, rider.number), reverse=True):
        of_account.setdefault((rider.priority, rider.team), []).append(rider)

    def urgency(served: float, rider: R) -> tuple[int, int, float, int]:
        return -rider.priority, int(served / turn), rider.remaining, rider.number

    heads = [
        (urgency(teams.served(line[-1]), line[-1]), teams.served(line[-1]), account)
        for account, line in of_account.items()
    ]
    heapq.heapify(heads)
    chosen: list[R] = []
    while room > 0 and heads:
        _, served, account = heapq.heappop(heads)
        line = of_account[account]
        rider = line.pop()
        if rider.rows <= room:
            chosen.append(rider)
            room -= rider.rows
            served += cost(rider)
        if line:
            heapq.heappush(heads, (urgency(served, line[-1]), served, account))
    return chosen


def _first(riders: Sequence[R], room: int, teams: Teams, turn_s: float) -> list[R]:
    """Those who fill one call, each charged with one evaluation."""
    row_s = turn_s / TURN_ROWS
    return ranked(riders, teams, turn=turn_s, cost=lambda rider: rider.rows * row_s, room=room)


def _seating(order: Sequence[R], seconds: Mapping[int, float], reserved: int) -> Seating[R]:
    """The bucket that serves most rows of the first one's class a second, filled up by the rest.

    Riding in a larger bucket with lower classes would slow the urgent ones down; the first
    `reserved` of them count as urgent, whatever their class.
    """
    top = max(rider.priority for rider in order)
    urgent = [
        rider for place, rider in enumerate(order) if place < reserved or rider.priority == top
    ]

    def rate(bucket: int) -> float:
        return sum(rider.rows for rider in _filled(urgent, bucket)) / seconds[bucket]

    usable = [bucket for bucket in sorted(seconds) if bucket >= urgent[0].rows]
    bucket = max(usable, key=rate)  # the smallest of equals
    riders = _filled([*urgent, *(rider for rider in order if rider not in urgent)], bucket)
    return Seating(
        riders=tuple(riders), bucket=bucket, seconds=seconds[bucket], by_reserve=bool(reserved)
    )


def _filled(riders: Sequence[R], bucket: int) -> list[R]:
    chosen: list[R] = []
    for rider in riders:
        if rider.rows <= bucket:
            chosen.append(rider)
            bucket -= rider.rows
    return chosen
