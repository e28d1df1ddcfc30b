"""What lies in memory beside a model: loaded when first asked for, kept while somebody uses it."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from threading import Lock
from typing import Generic, Protocol, TypeVar

RoomFor = Callable[[int], AbstractContextManager[None]]
"""Keeps room for so many bytes within the context, in which they are loaded."""


class Thing(Protocol):
    """What a shelf holds."""

    @property
    def size(self) -> int:
        """Bytes on the device."""
        ...


class Beside(Protocol):
    """All that lies in memory beside one model and goes with it; any thread may ask."""

    @property
    def bytes(self) -> int:
        """That it takes now."""
        ...

    @property
    def idle_bytes(self) -> int:
        """Of them: what nobody uses."""
        ...

    def let_go(self, wanted: int) -> int:
        """Put away what nobody uses until so many bytes are free; says how many are."""
        ...


T = TypeVar("T", bound=Thing)


@dataclass(kw_only=True, eq=False)
class _Place(Generic[T]):
    thing: T
    users: int = 0


class Shelf(Generic[T]):
    """Things by name, the least recently used giving way. Any thread may ask."""

    def __init__(
        self,
        *,
        room: int | None = None,
        room_bytes: int | None = None,
        room_for: RoomFor | None = None,
    ) -> None:
        """Beyond `room` things or `room_bytes` it holds only what is in use; None: no bound."""
        self._room, self._room_bytes = room, room_bytes
        self._room_for: RoomFor = room_for or (lambda _: nullcontext())
        self._places: OrderedDict[str, _Place[T]] = OrderedDict()
        self._lock, self.loading = Lock(), Lock()

    @property
    def names(self) -> tuple[str, ...]:
        """Of what is in memory, the least recently used first."""
        with self._lock:
            return tuple(self._places)

    @property
    def bytes(self) -> int:
        """Of everything here."""
        with self._lock:
            return self._bytes()

    @property
    def idle_bytes(self) -> int:
        """Of what nobody uses."""
        with self._lock:
            return sum(place.thing.size for place in self._places.values() if not place.users)

    def __getitem__(self, name: str) -> T:
        """What is in memory, never waiting for what others load; KeyError if it is not."""
        with self._lock:
            return self._places[name].thing

    def get(self, name: str) -> T | None:
        """The same, or None."""
        with self._lock:
            place = self._places.get(name)
        return place.thing if place else None

    def take(self, name: str, load: Callable[[], T], expected: int = 0) -> T:
        """The thing, in memory until it is given back; loaded in this thread where it must be.

        `expected` is how many bytes it will take. Raises what `load` raises.
        """
        thing = self._taken(name)
        if thing is not None:
            return thing
        with self.loading:  # a second thread that wants the same waits for the first
            thing = self._taken(name)
            if thing is not None:
                return thing
            with self._room_for(expected):
                thing = load()
                with self._lock:
                    self._places[name] = _Place(thing=thing, users=1)
            return thing

    def give_back(self, name: str) -> None:
        """One uses it no more."""
        with self._lock:
            self._places[name].users -= 1
            self._drop_idle(lambda _: self._over_its_room())

    @contextmanager
    def using(self, name: str, load: Callable[[], T], expected: int = 0) -> Iterator[T]:
        """As `take`, given back afterwards."""
        thing = self.take(name, load, expected)
        try:
            yield thing
        finally:
            self.give_back(name)

    def let_go(self, wanted: int) -> int:
        """Put away what nobody uses until so many bytes are free; says how many are."""
        with self._lock:
            return self._drop_idle(lambda freed: freed < wanted)

    def _taken(self, name: str) -> T | None:
        with self._lock:
            place = self._places.get(name)
            if place is None:
                return None
            place.users += 1
            self._places.move_to_end(name)
            return place.thing

    def _drop_idle(self, more: Callable[[int], bool]) -> int:
        """The oldest idle things one by one, as long as `more`, told the bytes so far, says so."""
        freed = 0
        idle = [name for name, place in self._places.items() if not place.users]
        while idle and more(freed):
            freed += self._places.pop(idle.pop(0)).thing.size
        return freed

    def _over_its_room(self) -> bool:
        if self._room is not None and len(self._places) > self._room:
            return True
        return self._room_bytes is not None and self._bytes() > self._room_bytes

    def _bytes(self) -> int:
        return sum(place.thing.size for place in self._places.values())
