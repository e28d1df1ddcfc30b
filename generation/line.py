"""The line in front of the engine: what waits, in the order in which it goes.

The order is the step loop's own (`loop.lanes`): priority class, then the team that has had least,
then the shortest that remains. What runs counts as had from its beginning. Within a class a small
reserve goes to whoever came first, so that nothing waits for ever.
"""

import itertools
from collections.abc import Iterator, Sequence
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
    paused: bool


class Line:
    """Belongs to the event loop. A work is in it from when it is asked for until it has ended."""

    def __init__(self) -> None:
        self._teams = Teams()
        self._numbers = itertools.count()
        self._places: dict[Work, _Place] = {}
        self._waiting: list[Work] = []
        """Whose turn comes, the next one first."""
        self._paused: list[Work] = []
        """Those who have not begun, and whose turn does not come."""
        self._passed = 0
        """How many of its class have begun while the one that came first was left out."""

    def __len__(self) -> int:
        """How many wait for their turn."""
        return len(self._waiting)

    def __iter__(self) -> Iterator[Work]:
        """Those whose turn comes, the next one first."""
        return iter(self._waiting)

    @property
    def paused(self) -> Sequence[Work]:
        """Those that have not begun, and whose turn does not come: all who want them pause."""
        return tuple(self._paused)

    def join(self, work: Work) -> None:
        """It is asked for."""
        self._enter(work, next(self._numbers))
        self._wait(work)

    def rejoin(self, work: Work) -> None:
        """It had begun, and is to begin anew in its turn."""
        self._wait(work)

    def weigh(self, work: Work) -> None:
        """Others want it now than before, or in another way: with another class, paused."""
        place = self._places[work]
        self._part(place)
        self._enter(work, place.number)
        if work in self._waiting or work in self._paused:
            self._unwait(work)
            self._wait(work)

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
        self._part(self._places.pop(work))
        self._unwait(work)
        self._order()

    def _wait(self, work: Work) -> None:
        (self._paused if work.paused else self._waiting).append(work)
        self._order()

    def _unwait(self, work: Work) -> None:
        for waiting in (self._waiting, self._paused):
            if work in waiting:
                waiting.remove(work)

    def _part(self, place: _Place) -> None:
        """It competes for the device no more; while it was paused it did not."""
        if not place.paused:
            self._teams.leave(place)

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
            paused=work.paused,
        )
        if not place.paused:
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
