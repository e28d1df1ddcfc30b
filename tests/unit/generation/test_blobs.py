"""Input files are kept under the hash that their bytes really have."""

import hashlib
import os
from pathlib import Path

import pytest

from brand.spec import InputMissing, SpecInvalid
from generation.blobs import BlobFolder, BlobMismatch, BlobTooLarge


def folder(path: Path, *, max_blob_bytes: int = 1000, max_bytes: int = 10_000) -> BlobFolder:
    return BlobFolder(path / "blobs", max_blob_bytes=max_blob_bytes, max_bytes=max_bytes)


def put(blobs: BlobFolder, *parts: bytes, name: str = "") -> str:
    sha256 = name or hashlib.sha256(b"".join(parts)).hexdigest()
    with blobs.incoming(sha256) as incoming:
        for part in parts:
            incoming.write(part)
    return sha256


def test_a_file_comes_in_parts_and_lies_under_its_hash(tmp_path: Path) -> None:
    blobs = folder(tmp_path)
    sha256 = put(blobs, b"one ", b"file")
    assert blobs.has(sha256)
    assert blobs.path(sha256).read_bytes() == b"one file"


def test_bytes_under_a_wrong_name_are_not_kept(tmp_path: Path) -> None:
    blobs = folder(tmp_path)
    with pytest.raises(BlobMismatch, match="cut short"):
        put(blobs, b"bytes", name="0" * 64)
    assert not list((tmp_path / "blobs").iterdir())


def test_a_file_over_the_limit_is_refused_before_all_of_it_came(tmp_path: Path) -> None:
    blobs = folder(tmp_path, max_blob_bytes=10)
    with pytest.raises(BlobTooLarge, match="10 bytes"):
        put(blobs, b"x" * 10, b"x")
    assert not list((tmp_path / "blobs").iterdir())


@pytest.mark.parametrize(
    "name",
    ["", "..", "../x", "a" * 63, "A" * 64, "0" * 63 + "/", "0" * 32 + "\x00" * 32, "٠" * 64],
)
def test_only_a_hash_is_a_name(tmp_path: Path, name: str) -> None:
    blobs = folder(tmp_path)
    with pytest.raises(SpecInvalid, match="sha256"), blobs.incoming(name):
        pass
    with pytest.raises(InputMissing):
        blobs.path(name)
    assert not blobs.has(name)


def test_an_absent_file_is_asked_for_by_its_address(tmp_path: Path) -> None:
    with pytest.raises(InputMissing, match=f"PUT /blobs/{'0' * 64}"):
        folder(tmp_path).path("0" * 64)


def test_the_longest_unused_file_gives_way(tmp_path: Path) -> None:
    blobs = folder(tmp_path, max_bytes=250)
    first, second = put(blobs, b"1" * 100), put(blobs, b"2" * 100)
    os.utime(tmp_path / "blobs" / first, (1, 1))
    os.utime(tmp_path / "blobs" / second, (2, 2))
    blobs.path(first)  # used again
    third = put(blobs, b"3" * 100)
    assert [blobs.has(sha256) for sha256 in (first, second, third)] == [True, False, True]


def test_what_a_crash_left_half_written_is_removed(tmp_path: Path) -> None:
    kept = put(folder(tmp_path), b"whole")
    (tmp_path / "blobs" / ".incoming-x").write_bytes(b"half")
    blobs = folder(tmp_path)
    assert [path.name for path in (tmp_path / "blobs").iterdir()] == [kept]
    assert blobs.has(kept)
