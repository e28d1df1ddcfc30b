"""The gate between the step loop's calls: who waits for whom, and that nobody waits for ever."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

pytest.importorskip("torch")
from generation.engine.gate import Gate

PATIENCE_S = 20


class Loop:
    """Calls a model again and again, passing the gate before each call."""

    def __init__(self, gate: Gate) -> None:
        self.calls = 0
        self.calling = threading.Event()
        self.stop = threading.Event()
        self.hold = threading.Event()
        self.hold.set()
        self._gate = gate
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        with self._gate.flying():
            while not self.stop.is_set():
                self._gate.passing()
                self.calling.set()
                self.hold.wait(PATIENCE_S)
                self.calls += 1
                self.calling.clear()


@contextmanager
def looping(gate: Gate) -> Iterator[Loop]:
    loop = Loop(gate)
    loop.thread.start()
    assert loop.calling.wait(PATIENCE_S)
    try:
        yield loop
    finally:
        loop.stop.set()
        loop.hold.set()
        loop.thread.join(PATIENCE_S)
        assert not loop.thread.is_alive()


def test_no_call_is_made_while_the_gate_is_closed() -> None:
    gate = Gate()
    with looping(gate) as loop:
        with gate.closed():
            before = loop.calls
            loop.thread.join(0.05)
            assert not loop.calling.is_set()
            assert loop.calls == before
        assert loop.calling.wait(PATIENCE_S)


def test_the_call_that_is_being_made_is_waited_for() -> None:
    gate, entered = Gate(), threading.Event()

    def closing() -> None:
        with gate.closed():
            entered.set()

    with looping(gate) as loop:
        loop.hold.clear()
        loop.thread.join(0.02)
        thread = threading.Thread(target=closing, daemon=True)
        thread.start()
        assert not entered.wait(0.05)
        loop.hold.set()
        assert entered.wait(PATIENCE_S)
        thread.join(PATIENCE_S)


def test_nobody_is_waited_for_where_nobody_flies() -> None:
    gate = Gate()
    with gate.closed(), gate.closed():
        pass
    gate.passing()


def test_a_flight_that_ends_meanwhile_is_not_waited_for() -> None:
    gate, entered, landed = Gate(), threading.Event(), threading.Event()

    def flying() -> None:
        with gate.flying():
            entered.set()
            landed.wait(PATIENCE_S)

    thread = threading.Thread(target=flying, daemon=True)
    thread.start()
    assert entered.wait(PATIENCE_S)
    threading.Timer(0.05, landed.set).start()
    with gate.closed():
        assert landed.is_set()
    thread.join(PATIENCE_S)


def test_two_may_keep_it_closed_and_it_opens_after_the_last() -> None:
    gate = Gate()
    with looping(gate) as loop, gate.closed():
        with gate.closed():
            pass
        loop.thread.join(0.05)
        assert not loop.calling.is_set()
