"""`housestyle audit`, `backup`, `restore` and `prune`, as people type them."""

import asyncio
import json
import sqlite3
from pathlib import Path

import pytest

from bot.core.ledger import Event, Personal
from storage.database import open_store
from tests.fakes.command_line import Housestyle
from tests.fakes.ledger_lines import START, make_events

DATA = Path("data")


@pytest.fixture
def recorded(own_folder: Path) -> Path:
    """A data folder in which things were done."""

    async def fill() -> None:
        store = await open_store(f"sqlite:///{own_folder}/data/housestyle.db")
        async with store.write() as tx:
            for event in make_events(6):
                await tx.ledger.append(event)
        await store.close()

    asyncio.run(fill())
    return own_folder


def test_an_anchor_kept_aside_confirms_the_record_later(
    recorded: Path, housestyle: Housestyle
) -> None:
    made = housestyle("--data-dir", DATA, "audit", "anchor")
    assert made.code == 0
    (recorded / "anchor.txt").write_text(made.out)
    done = housestyle("--data-dir", DATA, "audit", "verify", "--anchor", "anchor.txt", "--json")
    assert done.code == 0
    assert done.json["sound"]
    assert done.json["anchored"] == json.loads(made.out)["housestyle-anchor"]["seq"]


def test_a_changed_line_is_named_and_the_command_fails(
    recorded: Path, housestyle: Housestyle
) -> None:
    assert housestyle("--data-dir", DATA, "audit", "anchor").code == 0

    connection = sqlite3.connect(recorded / "data" / "housestyle.db")
    connection.execute("UPDATE ledger SET actor = 'zoe' WHERE seq = 3")
    connection.commit()
    connection.close()
    done = housestyle("--data-dir", DATA, "audit", "verify")
    assert done.code == 1
    assert "✗ #3  changed" in done.out
    assert "No anchor was given" in done.err


def test_an_export_is_checked_without_the_database(recorded: Path, housestyle: Housestyle) -> None:
    assert housestyle("--data-dir", DATA, "audit", "export", "--out", "e.jsonl").code == 0
    assert housestyle("--data-dir", "nothing", "audit", "verify", "--file", "e.jsonl").code == 0
    text = (recorded / "e.jsonl").read_text()
    (recorded / "e.jsonl").write_text(text.replace("too dark", "too light"))
    done = housestyle("audit", "verify", "--file", "e.jsonl")
    assert done.code == 1
    assert "text changed" in done.out
    again = housestyle("--data-dir", DATA, "audit", "export", "--out", "e.jsonl")
    assert again.code == 2, "an export overwrites nothing"


def test_the_record_is_searched_by_all_it_says(recorded: Path, housestyle: Housestyle) -> None:
    def log(*wanted: str) -> list[str]:
        done = housestyle("--data-dir", DATA, "audit", "log", "--json", *wanted)
        assert done.code == 0
        return [line["action"] for line in done.json]

    assert len(log()) >= 6
    assert set(log("--action", "review")) == {"review.voted"}
    assert set(log("--person", "mia")) == {"job.queued"}
    assert log("--subject", f"{0:022d}") == ["job.queued"]
    assert log("--since", "2999-01-01") == []
    assert housestyle("audit", "log", "--since", "yesterday").code == 2
    plain = housestyle("--data-dir", DATA, "audit", "log", "--action", "review.voted")
    assert "review.voted" in plain.out


def test_a_backup_is_restored_elsewhere_and_nowhere_else(
    recorded: Path, housestyle: Housestyle
) -> None:
    assert housestyle("--data-dir", DATA, "audit", "anchor").code == 0
    done = housestyle("--data-dir", DATA, "backup", "house.tar", "--json")
    assert done.code == 0
    assert done.json["rows"] > 6
    restored = housestyle("--data-dir", "other", "restore", "house.tar", "--json")
    assert restored.code == 0
    assert restored.json["ledger_sound"]
    assert restored.json["rows"] == done.json["rows"]
    assert housestyle("--data-dir", "other", "audit", "verify").code == 0
    assert housestyle("--data-dir", "other", "restore", "house.tar").code == 1
    assert housestyle("--data-dir", DATA, "backup", "house.tar").code == 2
    (recorded / "house.tar").write_bytes((recorded / "house.tar").read_bytes()[:5000])
    assert housestyle("--data-dir", "third", "restore", "house.tar").code == 1


def test_pruning_counts_first(recorded: Path, housestyle: Housestyle) -> None:
    async def old_delivery() -> None:
        store = await open_store(f"sqlite:///{recorded}/data/housestyle.db")
        async with store.write() as tx:
            await tx.deliveries.take("slack", "d1", START.replace(year=2020))
            event = Event(
                action="a.b", subject="job:1", at=START, personal={"t": Personal(value="x")}
            )
            await tx.ledger.append(event)
        await store.close()

    asyncio.run(old_delivery())
    counted = housestyle("--data-dir", DATA, "prune", "--dry-run", "--json")
    assert counted.json["deliveries"] == 1
    assert "Removed: 1 deliveries" in housestyle("--data-dir", DATA, "prune").out
    assert housestyle("--data-dir", DATA, "prune", "--json").json["deliveries"] == 0
    assert len(housestyle("--data-dir", DATA, "audit", "log", "--json").json) >= 7
