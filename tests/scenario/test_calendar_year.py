"""A year on two machines: each slot exactly once, or missed and said so. See the benchmark."""

from pathlib import Path

import pytest

from tests.benchmarks.calendar import SUNDAYS, live


def check(figures: dict[str, int], *, slots: int) -> None:
    assert figures["slots"] == slots
    assert figures["posted_once"] + figures["missed_reported"] == slots
    assert figures["posted_once"] > figures["missed_reported"] > 0
    assert figures["doubled"] == 0
    assert figures["unapproved_posts"] == 0


@pytest.mark.deep
async def test_a_year_in_three_zones_posts_each_slot_once_or_reports_it() -> None:
    check(await live(rules=SUNDAYS, seed=2), slots=5 * 52)


@pytest.mark.deep
async def test_four_weeks_on_two_connections_to_one_file(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/house.db"
    check(await live(days=28, seed=3, url=url, rules=SUNDAYS), slots=5 * 4)
