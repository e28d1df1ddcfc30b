"""What lies beside a model: loaded once, kept while used, the least recently used giving way."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from generation.engine.library.shelf import Shelf

PATIENCE_S = 20


@dataclass(frozen=True)
class Book:
    """Something with a size."""

    size: int


def reading(shelf: Shelf[Book], name: str, size: int = 10) -> Callable[[], None]:
    """Use it once."""

    def once() -> None:
        with shelf.using(name, lambda: Book(size), size):
            pass

    return once


def test_what_nobody_uses_stays_until_there_is_no_room_and_the_oldest_leaves_first() -> None:
    shelf: Shelf[Book] = Shelf(room=2)
    for name in ("a", "b", "a", "c"):
        reading(shelf, name)()
    assert shelf.names == ("a", "c")
    assert (shelf.bytes, shelf.idle_bytes) == (20, 20)


def test_what_is_in_use_stays_beyond_the_room() -> None:
    shelf: Shelf[Book] = Shelf(room_bytes=15)
    with shelf.using("a", lambda: Book(10)):
        reading(shelf, "b")()
        assert shelf.names == ("a",)
        with shelf.using("c", lambda: Book(10)):
            assert (shelf.bytes, shelf.idle_bytes) == (20, 0)
            assert shelf.let_go(100) == 0
    assert shelf.bytes == 10


def test_it_lets_go_of_no_more_than_is_wanted() -> None:
    shelf: Shelf[Book] = Shelf()
    for name in ("a", "b", "c"):
        reading(shelf, name)()
    assert shelf.let_go(15) == 20
    assert shelf.names == ("c",)
    assert shelf.let_go(0) == 0


def test_a_thing_is_loaded_once_for_all_who_ask_meanwhile() -> None:
    shelf: Shelf[Book] = Shelf()
    loading, go = threading.Event(), threading.Event()
    loads: list[int] = []

    def load() -> Book:
        loads.append(1)
        loading.set()
        assert go.wait(PATIENCE_S)
        return Book(10)

    asking = [threading.Thread(target=shelf.take, args=("a", load)) for _ in range(4)]
    for thread in asking:
        thread.start()
    assert loading.wait(PATIENCE_S)
    go.set()
    for thread in asking:
        thread.join(PATIENCE_S)
    assert len(loads) == 1
    for _ in asking:
        assert shelf.idle_bytes == 0
        shelf.give_back("a")
    assert shelf.idle_bytes == 10


def test_who_wants_what_is_here_never_waits_for_what_others_load() -> None:
    shelf: Shelf[Book] = Shelf()
    reading(shelf, "here")()
    with shelf.loading:  # as while something else is loaded
        asked = threading.Thread(target=reading(shelf, "here"), daemon=True)
        asked.start()
        asked.join(PATIENCE_S)
        assert not asked.is_alive()
        assert shelf["here"] == shelf.get("here") == Book(10)


def test_what_could_not_be_loaded_leaves_nothing_and_may_be_asked_for_again() -> None:
    shelf: Shelf[Book] = Shelf()

    def broken() -> Book:
        raise ValueError("torn page")

    with pytest.raises(ValueError, match="torn page"):
        shelf.take("a", broken)
    assert shelf.names == ()
    assert shelf.get("a") is None
    reading(shelf, "a")()
    assert shelf.names == ("a",)


def test_room_is_asked_for_only_while_something_is_loaded() -> None:
    told: list[object] = []

    @contextmanager
    def room_for(size: int) -> Iterator[None]:
        told.append(size)
        yield
        told.append("loaded")

    shelf: Shelf[Book] = Shelf(room_for=room_for)
    reading(shelf, "a", 30)()
    reading(shelf, "a", 30)()
    assert told == [30, "loaded"]
