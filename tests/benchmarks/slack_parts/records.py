"""What the house knows after a run, read from its database as it lies there."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Records:
    """The jobs and messages of a run."""

    jobs: dict[str, str]
    """Job -> its words."""
    messages: dict[str, tuple[str, bool]]
    """Id of an outgoing message -> (its subject, whether it stands in Slack; it may still wait
    there for a change, which Slack takes 50 times a minute)."""

    def carded(self) -> set[str]:
        """Jobs of which a card stands."""
        standing = {subject for subject, stands in self.messages.values() if stands}
        return {job for job in self.jobs if f"job:{job}" in standing}


def read_records(database: Path) -> Records:
    """All of them, as the last commit left them."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30)) as connection:
        jobs = dict(_jobs(connection))
        rows = connection.execute("SELECT id, subject, sent_message FROM outbox").fetchall()
    return Records(jobs=jobs, messages={key: (about, bool(ts)) for key, about, ts in rows})


def _jobs(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    for key, brief in connection.execute("SELECT id, brief FROM jobs"):
        told: dict[str, Any] = json.loads(brief)
        yield key, told["words"]
