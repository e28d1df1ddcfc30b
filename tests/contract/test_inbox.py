"""The Inbox port, and what only the journal can do."""

import asyncio
import logging
import os
import sys
import threading
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from bot.core.ports import Delivery, Inbox
from storage import inbox as inbox_module
from storage.errors import DiskFailed
from storage.inbox import JournalInbox
from storage.memory_blobs import MemoryInbox
from tests.contract.values import later


def delivery(number: int = 0, platform: str = "slack") -> Delivery:
    """A delivery with a payload of every plain kind."""
    return Delivery(
        platform=platform,
        id=f"d{number}",
        payload={
            "text": "a red mug 🫖\n",
            "n": number,
            "list": [1, None, True],
            "deep": {"a": 0.5},
        },
        received_at=later(number),
    )


@pytest.fixture(params=["memory", "journal"])
async def inbox(request: pytest.FixtureRequest, tmp_path: Path) -> Inbox:
    """An empty inbox of each kind."""
    return MemoryInbox() if request.param == "memory" else await JournalInbox.open(tmp_path)


async def test_what_was_put_and_not_done_is_pending_oldest_first(inbox: Inbox) -> None:
    for number in (2, 0, 1):
        await inbox.put(delivery(number))
    await inbox.put(delivery(1))  # the platform delivers again
    await inbox.put(delivery(1, platform="discord"))
    await inbox.done("slack", "d0")
    await inbox.done("slack", "never seen")
    pending = list(await inbox.pending())
    assert sorted(pending, key=lambda d: d.platform) == [
        delivery(1, platform="discord"),
        delivery(1),
        delivery(2),
    ]
    assert [one.received_at for one in pending] == sorted(one.received_at for one in pending)


async def test_each_platform_is_told_of_its_own(inbox: Inbox) -> None:
    await inbox.put(delivery(1))
    await inbox.put(delivery(2, platform="discord"))
    assert await inbox.pending("discord") == [delivery(2, platform="discord")]
    assert await inbox.pending("local") == []


async def test_what_a_process_left_waits_for_one_that_works_for_its_platform(
    tmp_path: Path,
) -> None:
    gone = await JournalInbox.open(tmp_path)
    await gone.put(delivery(1))
    await gone.put(delivery(2, platform="discord"))
    await gone.close()
    portal = await JournalInbox.open(tmp_path)  # runs on, and speaks with neither of them
    assert await portal.pending("local") == []
    slack = await JournalInbox.open(tmp_path)
    assert await slack.pending("slack") == [delivery(1)]
    discord = await JournalInbox.open(tmp_path)
    assert await discord.pending("discord") == [delivery(2, platform="discord")]
    await slack.done("slack", "d1")
    await slack.close()
    assert [one.id for one in await restarted(tmp_path)] == []
    for each in (portal, discord):
        await each.close()


async def restarted(folder: Path) -> list[Delivery]:
    """What another process finds in the folder after this one is gone."""
    inbox = await JournalInbox.open(folder)
    pending = list(await inbox.pending())
    await inbox.close()
    return pending


def journals(folder: Path) -> list[Path]:
    """The journals in an inbox's folder."""
    return sorted(folder.glob("*.journal"))


async def test_pending_deliveries_outlive_the_process(tmp_path: Path) -> None:
    inbox = await JournalInbox.open(tmp_path / "inbox")
    await asyncio.gather(*(inbox.put(delivery(number)) for number in range(30)))
    await inbox.done("slack", "d7")
    await inbox.close()
    expected = [delivery(number) for number in range(30) if number != 7]
    assert await restarted(tmp_path / "inbox") == expected
    assert await restarted(tmp_path / "inbox") == expected


async def test_an_inbox_with_nothing_pending_leaves_no_file(tmp_path: Path) -> None:
    inbox = await JournalInbox.open(tmp_path)
    await inbox.put(delivery())
    await inbox.done("slack", "d0")
    await inbox.close()
    assert journals(tmp_path) == []


async def test_an_inbox_that_is_only_opened_touches_nothing(tmp_path: Path) -> None:
    inbox = await JournalInbox.open(tmp_path / "inbox")
    await inbox.close()
    assert not (tmp_path / "inbox").exists()


async def test_a_journal_cut_off_anywhere_keeps_all_whole_lines(tmp_path: Path) -> None:
    inbox = await JournalInbox.open(tmp_path / "whole")
    for number in range(3):
        await inbox.put(delivery(number))
    await inbox.close()
    data = journals(tmp_path / "whole")[0].read_bytes()
    ends = [index + 1 for index, byte in enumerate(data) if byte == ord("\n")]
    for size in range(0, len(data) + 1, 29):
        folder = tmp_path / f"cut-{size}"
        folder.mkdir()
        (folder / "x.journal").write_bytes(data[:size])
        whole = sum(end <= size for end in ends)
        assert await restarted(folder) == [delivery(number) for number in range(whole)]
        # What is put after the cut is not glued to the half line.
        inbox = await JournalInbox.open(folder)
        await inbox.pending()
        await inbox.put(delivery(9))
        await inbox.close()
        assert (await restarted(folder))[-1] == delivery(9)


async def test_a_damaged_line_is_put_aside_and_the_others_are_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    inbox = await JournalInbox.open(tmp_path)
    for number in range(3):
        await inbox.put(delivery(number))
    await inbox.close()
    path = journals(tmp_path)[0]
    lines = path.read_bytes().splitlines(keepends=True)
    lines[1] = lines[1].replace(b"mug", b"mud")
    path.write_bytes(b"".join(lines))
    with caplog.at_level(logging.ERROR):
        assert await restarted(tmp_path) == [delivery(0), delivery(2)]
    assert "damaged" in caplog.text
    assert path.with_name(path.name + ".damaged").read_bytes() == lines[1]


async def test_two_processes_share_a_folder_and_leave_each_other_alone(tmp_path: Path) -> None:
    first, second = await JournalInbox.open(tmp_path), await JournalInbox.open(tmp_path)
    await first.put(delivery(1))
    await second.put(delivery(2))
    assert await first.pending() == [delivery(1)]
    assert await second.pending() == [delivery(2)]
    await first.close()
    assert await second.pending() == [delivery(1), delivery(2)]
    await second.done("slack", "d1")
    await second.close()
    assert await restarted(tmp_path) == [delivery(2)]


async def test_puts_at_once_share_few_fsyncs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    real = os.fsync
    monkeypatch.setattr(
        os, "fsync", lambda descriptor: (calls.append(descriptor), real(descriptor))
    )
    inbox = await JournalInbox.open(tmp_path)
    await inbox.put(delivery(0))
    calls.clear()
    await asyncio.gather(*(inbox.put(delivery(number)) for number in range(1, 101)))
    assert 1 <= len(calls) <= 3
    await inbox.done("slack", "d0")
    assert len(calls) <= 3
    await inbox.close()


async def test_a_put_does_not_wait_for_whatever_fills_the_common_threads(tmp_path: Path) -> None:
    loop, release = asyncio.get_running_loop(), threading.Event()
    blocked = [loop.run_in_executor(None, release.wait) for _ in range(50)]
    inbox = await JournalInbox.open(tmp_path)
    try:
        async with asyncio.timeout(5):
            await inbox.put(delivery(1))
            assert await inbox.pending() == [delivery(1)]
            await inbox.done("slack", "d1")
            await inbox.close()
    finally:
        release.set()
        await asyncio.gather(*blocked)


async def test_a_put_that_is_cancelled_does_not_take_others_along(tmp_path: Path) -> None:
    inbox = await JournalInbox.open(tmp_path)
    puts = [asyncio.create_task(inbox.put(delivery(number))) for number in range(3)]
    await asyncio.sleep(0)
    puts[0].cancel()
    results = await asyncio.gather(*puts, return_exceptions=True)
    assert isinstance(results[0], asyncio.CancelledError)
    assert results[1:] == [None, None]
    await inbox.close()
    assert {one.id for one in await restarted(tmp_path)} >= {"d1", "d2"}


async def test_a_disk_that_refuses_is_told_to_every_caller_and_later_puts_work(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "inbox"
    folder.write_text("a file where the folder should be")
    inbox = await JournalInbox.open(folder)
    results = await asyncio.gather(
        *(inbox.put(delivery(number)) for number in range(3)), return_exceptions=True
    )
    assert [type(result) for result in results] == [DiskFailed] * 3
    folder.unlink()
    await inbox.put(delivery(5))
    assert await inbox.pending() == [delivery(5)]
    await inbox.close()
    assert await restarted(folder) == [delivery(5)]


async def test_a_half_written_line_is_taken_back_when_the_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox = await JournalInbox.open(tmp_path)
    await inbox.put(delivery(1))
    real = os.write

    def full(descriptor: int, data: bytes) -> int:
        real(descriptor, bytes(data)[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(DiskFailed, match="No space left"):
        await inbox.put(delivery(2))
    monkeypatch.setattr(os, "write", real)
    await inbox.put(delivery(3))
    await inbox.close()
    assert await restarted(tmp_path) == [delivery(1), delivery(3)]


async def test_a_long_journal_is_written_anew_with_what_is_pending(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox_module, "COMPACT_BYTES", 5000)
    inbox = await JournalInbox.open(tmp_path)
    await inbox.put(delivery(1000))
    for number in range(200):
        await inbox.put(delivery(number))
        await inbox.done("slack", f"d{number}")
    (journal,) = journals(tmp_path)
    assert journal.stat().st_size < 12_000
    await inbox.close()
    assert await restarted(tmp_path) == [delivery(1000)]


_WRITER = """
import asyncio, itertools, sys
from pathlib import Path
from storage.inbox import JournalInbox
from tests.contract.test_inbox import delivery

async def put(inbox, number):
    await inbox.put(delivery(number))
    print(number, flush=True)

async def main():
    inbox = await JournalInbox.open(Path(sys.argv[1]))
    for start in itertools.count(step=8):
        await asyncio.gather(*(put(inbox, start + n) for n in range(8)))

asyncio.run(main())
"""


async def test_what_was_acknowledged_before_a_kill_is_there_after_it(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _WRITER, str(tmp_path), stdout=PIPE
    )
    assert process.stdout is not None
    for _ in range(100):
        await process.stdout.readline()
    process.kill()
    rest = (await process.stdout.read()).decode().splitlines()
    await process.wait()
    last = max([99, *(int(line) for line in rest[:-1])])
    found = {one.payload["n"] for one in await restarted(tmp_path)}
    assert set(range(last - 6)) <= found
