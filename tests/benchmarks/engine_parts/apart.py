"""The baseline in a process of its own, as whoever uses stock diffusers alone would have it.

Beside an engine in one process it would be slowed down: OpenMP counts the threads of all teams of
a process, and where they are more than the processors it puts a team to sleep after every
operation instead of letting it wait for the next one (half the pictures a second, on two cores).
"""

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from generation.engine.library.loader import quiet_libraries
from tests.benchmarks.engine_parts.stock import Stock
from tests.benchmarks.engine_parts.traffic import Arrival

_here: list[Stock] = []
"""The pipeline, in the process that has it."""


class StockApart:
    """`Stock` behind a pipe; between its runs the process sleeps."""

    def __init__(self, folder: Path, threads: int) -> None:
        self._pool = ProcessPoolExecutor(
            1,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_load,
            initargs=(folder, threads),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self._pool.shutdown()

    def serve(self, arrivals: Sequence[Arrival], *, by_priority: bool = False) -> list[float]:
        """As `Stock.serve`."""
        return self._pool.submit(_serve, arrivals, by_priority).result()


def _load(folder: Path, threads: int) -> None:
    quiet_libraries()
    _here.append(Stock(folder, threads))


def _serve(arrivals: Sequence[Arrival], by_priority: bool) -> list[float]:
    return _here[0].serve(arrivals, by_priority=by_priority)
