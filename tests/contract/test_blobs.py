"""The BlobStore port, and what only the folder can do."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from bot.core.errors import CorruptBlob, NotFound
from bot.core.ports import BlobStore
from brand.spec import sha256_hex
from storage.blobs import FolderBlobs
from storage.errors import DiskFailed
from storage.memory_blobs import MemoryBlobs


@pytest.fixture(params=["memory", "folder"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    """An empty blob store of each kind."""
    return MemoryBlobs() if request.param == "memory" else FolderBlobs(tmp_path / "blobs")


@pytest.fixture
def folder(tmp_path: Path) -> FolderBlobs:
    """An empty blob store in a folder that is not there yet."""
    return FolderBlobs(tmp_path / "data" / "blobs")


def path_of(blobs: FolderBlobs, sha256: str) -> Path:
    """Where the design says that a file lies."""
    return blobs.folder / "sha256" / sha256[:2] / sha256[2:4] / sha256


@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n", bytes(range(256)) * 4096], ids=len)
async def test_bytes_come_back_by_their_hash(blobs: BlobStore, data: bytes) -> None:
    sha256 = await blobs.put(data)
    assert sha256 == sha256_hex(data)
    assert await blobs.get(sha256) == data
    assert await blobs.exists(sha256)


async def test_the_same_bytes_are_one_file(blobs: BlobStore) -> None:
    await asyncio.gather(*(blobs.put(b"same") for _ in range(8)))
    await blobs.put(b"other")
    every = [sha256 async for sha256 in blobs.all()]
    assert sorted(every) == sorted([sha256_hex(b"same"), sha256_hex(b"other")])


async def test_a_removed_file_is_gone_and_can_be_written_again(blobs: BlobStore) -> None:
    sha256, other = await blobs.put(b"mine"), await blobs.put(b"yours")
    for name in (sha256, sha256, "", "../../x", "a" * 64):
        await blobs.remove(name)
    assert not await blobs.exists(sha256)
    with pytest.raises(NotFound):
        await blobs.get(sha256)
    assert [name async for name in blobs.all()] == [other]
    assert await blobs.put(b"mine") == sha256
    assert await blobs.get(sha256) == b"mine"


@pytest.mark.parametrize(
    "name", [sha256_hex(b"nothing"), "", "..", "../../etc/passwd", "A" * 64, "a" * 63, "a/" * 32]
)
async def test_what_is_not_there_is_not_found_whatever_its_name(
    blobs: BlobStore, name: str
) -> None:
    await blobs.put(b"x")
    assert not await blobs.exists(name)
    with pytest.raises(NotFound):
        await blobs.get(name)


async def test_a_flipped_bit_is_noticed_on_reading_and_healed_by_writing(
    folder: FolderBlobs,
) -> None:
    sha256 = await folder.put(b"a picture")
    path = path_of(folder, sha256)
    path.chmod(0o644)
    path.write_bytes(b"a pictura")
    with pytest.raises(CorruptBlob, match=sha256[:12]):
        await folder.get(sha256)
    await folder.put(b"a picture")
    assert await folder.get(sha256) == b"a picture"


async def test_the_check_finds_one_flipped_bit_among_a_thousand_files(folder: FolderBlobs) -> None:
    hashes = []
    for number in range(1000):  # by hand: durably each takes some milliseconds
        data = b"picture %d" % number
        hashes.append(sha256_hex(data))
        path = path_of(folder, hashes[-1])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    assert [problem async for problem in folder.check()] == []
    path = path_of(folder, hashes[617])
    flipped = bytearray(path.read_bytes())
    flipped[-1] ^= 0b100
    path.write_bytes(flipped)
    (problem,) = [problem async for problem in folder.check()]
    assert (problem.path, problem.sha256) == (path, hashes[617])
    assert "do not match" in problem.problem


async def test_the_check_names_cut_misplaced_and_foreign_files(folder: FolderBlobs) -> None:
    good = await folder.put(b"good")
    cut = path_of(folder, await folder.put(b"cut off"))
    cut.chmod(0o644)
    cut.write_bytes(b"cut")
    misplaced = path_of(folder, good).with_name(sha256_hex(b"elsewhere"))
    misplaced.write_bytes(b"elsewhere")
    foreign = folder.folder / "sha256" / "notes.txt"
    foreign.write_text("mine")
    found = {problem.path: problem.problem async for problem in folder.check()}
    assert set(found) == {cut, misplaced, foreign}
    assert "wrong folder" in found[misplaced]
    assert "not a name of ours" in found[foreign]
    assert foreign.name not in [name async for name in folder.all()]


async def test_a_stored_file_is_read_only_and_nothing_is_left_unfinished(
    folder: FolderBlobs,
) -> None:
    path = path_of(folder, await folder.put(b"x"))
    assert path.stat().st_mode & 0o222 == 0
    assert list((folder.folder / "unfinished").iterdir()) == []


async def test_what_a_dead_process_left_unfinished_is_swept_after_a_day(tmp_path: Path) -> None:
    unfinished = tmp_path / "unfinished"
    unfinished.mkdir()
    old, young = unfinished / "old", unfinished / "young"
    for draft in (old, young):
        draft.write_bytes(b"half")
    os.utime(old, (1, 1))
    await FolderBlobs(tmp_path).put(b"x")
    assert not old.exists()
    assert young.exists()


async def test_a_full_disk_is_told_and_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "sha256").write_text("a file where a folder should be")
    blobs = FolderBlobs(tmp_path)
    with pytest.raises(DiskFailed, match="disk refused"):
        await blobs.put(b"x")
    assert list((tmp_path / "unfinished").iterdir()) == []


_WRITER = """
import asyncio, os, sys
from pathlib import Path
from storage.blobs import FolderBlobs

async def main():
    blobs = FolderBlobs(Path(sys.argv[1]))
    while True:
        print(await blobs.put(os.urandom(200_000)), flush=True)

asyncio.run(main())
"""


async def test_a_killed_writer_leaves_whole_files_only(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _WRITER, str(tmp_path), stdout=PIPE
    )
    assert process.stdout is not None
    told = [(await process.stdout.readline()).decode().strip() for _ in range(20)]
    process.kill()
    await process.wait()
    blobs = FolderBlobs(tmp_path)
    assert [problem async for problem in blobs.check()] == []
    assert set(told) <= {name async for name in blobs.all()}
