"""Slack under load while a process dies, small: the benchmark has the full numbers."""

from pathlib import Path

import pytest

from bot.chat.slack_chat.options import Mode
from tests.benchmarks.slack import measure
from tests.benchmarks.slack_parts.plan import Wanted

pytestmark = pytest.mark.deep

KEYS = ["commands", "kills", "ack_p99_ms", "lost", "duplicate_jobs", "duplicate_posts"]


@pytest.mark.parametrize("mode", list(Mode))
async def test_a_bot_killed_between_acknowledgement_and_commit_loses_and_doubles_nothing(
    tmp_path: Path, mode: Mode
) -> None:
    wanted = Wanted(commands=20, seconds=4.0, kills=1, mode=mode)
    figures, verdict = await measure(wanted, tmp_path)
    assert list(figures) == KEYS
    assert verdict.findings == []
    assert figures | {"ack_p99_ms": 0} == dict(zip(KEYS, (20, 1, 0, 0, 0, 0), strict=True))
