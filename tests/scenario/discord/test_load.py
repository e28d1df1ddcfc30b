"""Discord under load while the bot dies, small: the benchmark has the full numbers."""

from pathlib import Path

import pytest

from tests.benchmarks.discord import measure
from tests.benchmarks.discord_parts.plan import Wanted

pytestmark = pytest.mark.deep

KEYS = [
    "interactions",
    "reactions",
    "kills",
    "ack_p99_ms",
    "lost",
    "duplicate_jobs",
    "duplicate_posts",
    "missed_reactions",
]


async def test_a_bot_killed_between_acknowledgement_and_commit_loses_and_doubles_nothing(
    tmp_path: Path,
) -> None:
    wanted = Wanted(interactions=20, seconds=4.0, kills=1, drops=1, reviews=3, votes=2, threads=2)
    figures, verdict = await measure(wanted, tmp_path)
    assert list(figures) == KEYS
    assert verdict.findings == []
    assert figures | {"ack_p99_ms": 0} == dict(zip(KEYS, (20, 6, 1, 0, 0, 0, 0, 0), strict=True))
