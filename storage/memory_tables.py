"""Tables in memory with real transactions.

A committed state is never changed: a writer copies the tables that it touches and puts the new
state in place at its end, so readers keep one consistent picture and a rollback forgets the copy.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, TypeVar

from bot.core.lives import Steps
from storage.codec import encode
from storage.steps import check_move, check_same, grown, missing, taken

V = TypeVar("V")
State = Mapping[str, Mapping[Any, Any]]


class Tables:
    """The tables as one transaction sees them."""

    def __init__(self, state: State, *, writable: bool) -> None:
        self._state = state
        self._changed: dict[str, dict[Any, Any]] = {}
        self._writable = writable

    def seen(self, name: str) -> Mapping[Any, Any]:
        """A table with this transaction's own changes."""
        if name in self._changed:
            return self._changed[name]
        return self._state.get(name, {})

    def own(self, name: str) -> dict[Any, Any]:
        """This transaction's copy of a table, to be changed."""
        if not self._writable:
            raise RuntimeError("A read transaction can't change anything: use Store.write().")
        if name not in self._changed:
            self._changed[name] = dict(self._state.get(name, {}))
        return self._changed[name]

    def names(self) -> list[str]:
        """All tables there are."""
        return sorted({*self._state, *self._changed})

    def values(self, name: str) -> list[Any]:
        """What stands in a table."""
        return list(self.seen(name).values())

    def result(self) -> State:
        """The state with the changes."""
        return {**self._state, **self._changed}


class Table(Generic[V]):
    """One table of values by key; values keep the order in which they were added."""

    def __init__(self, tables: Tables, kind: str) -> None:
        self._tables = tables
        self._kind = kind

    def get(self, key: object) -> V | None:
        """The value, or None."""
        value: V | None = self._tables.seen(self._kind).get(key)
        return value

    def need(self, key: object) -> V:
        """The value. Raises NotFound."""
        value = self.get(key)
        if value is None:
            raise missing(self._kind, str(key))
        return value

    def add(self, key: object, value: V) -> None:
        """Raises Conflict if the key exists."""
        if self.get(key) is not None:
            raise taken(self._kind, str(key))
        self.put(key, value)

    def put(self, key: object, value: V) -> None:
        """Store or replace."""
        encode(value)  # what a database could not keep is refused here too
        self._tables.own(self._kind)[key] = value

    def drop(self, key: object) -> None:
        """Forget; no error if it is gone."""
        self._tables.own(self._kind).pop(key, None)

    def drop_where(self, gone: Callable[[V], bool]) -> int:
        """Forget all values for which `gone` is true; how many."""
        seen = self._tables.seen(self._kind)
        keys = [key for key, value in seen.items() if gone(value)]
        for key in keys:
            self.drop(key)
        return len(keys)

    def update(self, new: V, was: V, steps: Steps[Any] | None) -> V:
        """Compare-and-set of a value with `id` and `version`."""
        check_move(new, was, steps)
        key = new.id  # type: ignore[attr-defined]
        check_same(self.need(key), was)
        result = grown(new, was)
        self.put(key, result)
        return result

    def __iter__(self) -> Iterator[V]:
        return iter(list(self._tables.seen(self._kind).values()))

    def pairs(self) -> list[tuple[Any, V]]:
        """All keys with their values."""
        return list(self._tables.seen(self._kind).items())

    def oldest(self, key: Callable[[V], Any]) -> list[V]:
        """All by `key`, equal ones as they were added."""
        return sorted(self, key=key)

    def newest(self, key: Callable[[V], Any]) -> list[V]:
        """The exact reverse of `oldest`."""
        return self.oldest(key)[::-1]


def after(values: list[V], cursor: str) -> list[V]:
    """What follows the value with the id `cursor` (all if it is empty). Raises NotFound.

    The values must not be filtered yet: the cursor's own thing may have changed since.
    """
    if not cursor:
        return values
    for place, value in enumerate(values):
        if value.id == cursor:  # type: ignore[attr-defined]
            return values[place + 1 :]
    raise missing("page after", cursor)
