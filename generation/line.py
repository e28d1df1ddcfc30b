"""The line in front of the engine: what waits, in the order in which it goes.

The order is the step loop's own (`loop.lanes`): priority class, then the team that has had least,
then the shortest that remains. What runs counts as had from its beginning. Within a class a small
reserve goes to whoever came first, so that nothing waits for ever.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from brand.spec import RenderRequest, RenderSpec
from generation.engine.loop.lanes import RESERVE, TURN_ROWS, Teams, ranked
from generation.renders import Work

_EVERY = round(1 / RESERVE)
"""So many may begin before whoever of their class came first does."""


@dataclass(frozen=True, kw_only=True)
class _Place:
    """A work as the policy sees it; lanes.Rider."""

    work: Work
    number: int
    rows: int
    remaining: float
    """Rows that it takes in all."""
    priority: int
    team: str


class Line:
    """Belongs to the event loop. A work is in it from when it is asked for until it has ended."""

    def __init__(self) -> None:
        self._teams = Teams()
        self._numbers = itertools.count()
        self._places: dict[Work, _Place] = {}
        self._waiting: list[Work] = []
        self._passed = 0
        """How many of its class have begun while the one that came first was left out."""

    def __len__(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def __iter__(self) -> Iterator[Work]:
        """Those who wait, the next one first."""
        return iter(self._waiting)

    def join(self, work: Work) -> None:
        """It is asked for."""
        self._enter(work, next(self._numbers))
        self._waiting.append(work)
        self._order()

    def weigh(self, work: Work) -> None:
        """Others want it now than before: its class or its team may have changed."""
        place = self._places[work]
        self._teams.leave(place)
        self._enter(work, place.number)
        self._order()

    def begin(self) -> Work:
        """The next one's turn has come: its team is charged with all of it at once."""
        work = self._waiting.pop(0)
        place = self._places[work]
        waiting = (self._places[other] for other in self._waiting)
        older = any(p.number < place.number and p.priority == place.priority for p in waiting)
        self._passed = self._passed + 1 if older else 0
        self._teams.charge(place, place.remaining)
        self._order()
        return work

    def leave(self, work: Work) -> None:
        """It has ended, or nobody wants it any more."""
        self._teams.leave(self._places.pop(work))
        if work in self._waiting:
            self._waiting.remove(work)
            self._order()

    def _enter(self, work: Work, number: int) -> None:
        request = work.request
        rows = 2 if request.spec.guidance > 1 else 1
        place = self._places[work] = _Place(
            work=work,
            number=number,
            rows=rows,
            remaining=rows * _steps(request.spec),
            priority=request.priority,
            team=team_of(request),
        )
        self._teams.enter(place)

    def _order(self) -> None:
        places = [self._places[work] for work in self._waiting]
        places = ranked(places, self._teams, turn=TURN_ROWS, cost=lambda place: place.remaining)
        if places:
            top = [place for place in places if place.priority == places[0].priority]
            first = min(top, key=lambda place: place.number)
            latest = max(0, _EVERY - 1 - self._passed)
            if places.index(first) > latest:
                places.remove(first)
                places.insert(latest, first)
        self._waiting = [place.work for place in places]


def team_of(request: RenderRequest) -> str:
    """Whose share of the device it uses up."""
    return request.team or request.brand


def _steps(spec: RenderSpec) -> int:
    return spec.steps + ((spec.highres.steps or spec.steps) if spec.highres else 0)
