"""Killed and frozen processes, small: the benchmark has the full numbers."""

from pathlib import Path

import pytest

from tests.benchmarks.chaos import good, measure
from tests.chaos.conductor import Wanted
from tests.contract.conftest import POSTGRESQL

pytestmark = pytest.mark.deep


@pytest.mark.parametrize("backend", ["sqlite", POSTGRESQL])
async def test_killed_processes_lose_nothing_and_post_nothing_twice(
    backend: str, tmp_path: Path
) -> None:
    wanted = Wanted(jobs=16, kills=6, backend=backend)
    figures, verdict, missed = await measure(wanted, tmp_path)
    assert good(figures, verdict, missed), (figures, verdict, missed)
    assert (figures["jobs"], figures["kills"] >= wanted.kills) == (16, True)


async def test_what_frozen_processes_post_twice_is_repaired(tmp_path: Path) -> None:
    wanted = Wanted(jobs=16, kills=1, freezes=4, backend="sqlite")
    figures, verdict, missed = await measure(wanted, tmp_path)
    assert good(figures, verdict, missed), (figures, verdict, missed)
    assert figures["freezes"] >= wanted.freezes
