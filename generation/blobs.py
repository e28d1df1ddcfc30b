"""Input files by their sha256, in one folder: verified while they stream in, old ones give way."""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from brand.spec import InputMissing, SpecInvalid, is_sha256

_FRESH = ".incoming-"


class BlobTooLarge(SpecInvalid):
    """The upload is larger than a file may be here."""


class BlobMismatch(SpecInvalid):
    """The uploaded bytes have another hash than their name: they were cut short or changed."""


class BlobFolder:
    """A private folder of files named by their hash."""

    def __init__(self, folder: Path, *, max_blob_bytes: int, max_bytes: int) -> None:
        self._folder = folder
        self._max_blob_bytes = max_blob_bytes
        self._max_bytes = max_bytes
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for left in folder.glob(f"{_FRESH}*"):
            left.unlink()

    def path(self, sha256: str) -> Path:
        """Where the file lies; counts as use. Raises InputMissing."""
        path = self._folder / sha256
        if not is_sha256(sha256) or not path.is_file():
            raise InputMissing(f"The file {sha256[:12]} is not here: PUT /blobs/{sha256} first.")
        os.utime(path)
        return path

    def has(self, sha256: str) -> bool:
        """Whether the file is here."""
        return is_sha256(sha256) and (self._folder / sha256).is_file()

    @contextmanager
    def incoming(self, sha256: str) -> Iterator["Incoming"]:
        """Write the file in parts; it is kept if all of them together have this hash.

        Raises SpecInvalid for a bad name, BlobTooLarge, BlobMismatch.
        """
        if not is_sha256(sha256):
            raise SpecInvalid("a blob is named by the lower-case hexadecimal sha256 of its bytes")
        handle, name = tempfile.mkstemp(dir=self._folder, prefix=_FRESH)
        fresh = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                incoming = Incoming(file, max_bytes=self._max_blob_bytes)
                yield incoming
                incoming.check(sha256)
                file.flush()
                os.fsync(file.fileno())  # a name must never outlive its bytes
            fresh.replace(self._folder / sha256)
        finally:
            fresh.unlink(missing_ok=True)
        self._make_room(keep=sha256)

    def _make_room(self, *, keep: str) -> None:
        files = sorted(self._stats(), key=lambda found: found[1])
        total = sum(size for _, _, size in files)
        for path, _, size in files:
            if total <= self._max_bytes:
                return
            if path.name != keep:
                path.unlink(missing_ok=True)
                total -= size

    def _stats(self) -> Iterator[tuple[Path, int, int]]:
        for path in self._folder.iterdir():
            if is_sha256(path.name):
                found = path.stat()
                yield path, found.st_mtime_ns, found.st_size


class Incoming:
    """One file on its way in."""

    def __init__(self, file: BinaryIO, *, max_bytes: int) -> None:
        self._file = file
        self._max_bytes = max_bytes
        self._digest = hashlib.sha256()
        self._size = 0

    def write(self, part: bytes) -> None:
        """Raises BlobTooLarge as soon as it is."""
        self._size += len(part)
        if self._size > self._max_bytes:
            raise BlobTooLarge(f"A file may have at most {self._max_bytes:,} bytes here.")
        self._digest.update(part)
        self._file.write(part)

    def check(self, sha256: str) -> None:
        """Raises BlobMismatch."""
        found = self._digest.hexdigest()
        if found != sha256:
            raise BlobMismatch(
                f"These bytes have the hash {found}, not {sha256}: the upload was cut short or the "
                "name is wrong."
            )
