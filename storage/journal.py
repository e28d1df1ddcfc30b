"""One append-only file of lines, each with a checksum, that survives being cut off anywhere.

A line is `CRC32 JSON`. What a crash leaves of a half-written last line does not count: nobody
was told that it was written. A damaged line in the middle is a disk's fault; it is put aside in
`NAME.damaged`, and the others are kept.
"""

import fcntl
import json
import logging
import os
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

from storage.disk import sync_folder

log = logging.getLogger(__name__)


class Journal:
    """An open journal, locked against other processes. Blocking calls: run them in a thread."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor
        self.size = os.fstat(descriptor).st_size

    @classmethod
    def create(cls, path: Path) -> Self:
        """A new journal whose name is durable. Raises OSError."""
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        sync_folder(path.parent)
        return cls(path, descriptor)

    @classmethod
    def adopt(cls, path: Path) -> Self | None:
        """A journal that no living process holds; None if one does, or it is gone."""
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Its last owner may have removed it between the opening and the lock.
            if path.exists() and path.stat().st_ino == os.fstat(descriptor).st_ino:
                return cls(path, descriptor)
        except BlockingIOError:
            pass
        os.close(descriptor)
        return None

    def read(self) -> list[Any]:
        """All entries; an unfinished last line is left out, damaged ones are put aside."""
        data = self.path.read_bytes()
        entries = []
        for line in data[: data.rfind(b"\n") + 1].splitlines():
            try:
                entries.append(_entry(line))
            except ValueError:
                self._put_aside(line)
        return entries

    def append(self, entries: Iterable[Any], *, sync: bool) -> None:
        """Write entries; with `sync` they are on the disk when this returns. Raises OSError."""
        data = b"".join(_line(entry) for entry in entries)
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(self._descriptor, view) :]
            if sync:
                os.fsync(self._descriptor)
        except OSError:
            # Half a line before the next one would damage both.
            os.ftruncate(self._descriptor, self.size)
            os.fsync(self._descriptor)
            raise
        self.size += len(data)

    def clear(self) -> None:
        """Forget all entries. Not fsynced: after a power cut they may be there again."""
        os.ftruncate(self._descriptor, 0)
        self.size = 0

    def close(self) -> None:
        """Let go of the lock; the file stays."""
        os.close(self._descriptor)

    def remove(self) -> None:
        """Close it and remove the file, durably."""
        self.path.unlink(missing_ok=True)
        sync_folder(self.path.parent)
        self.close()

    def _put_aside(self, line: bytes) -> None:
        damaged = self.path.with_name(self.path.name + ".damaged")
        log.error(
            "A damaged line of the inbox was put aside",
            extra={"action": "inbox.damaged", "file": str(damaged), "bytes": len(line)},
        )
        with damaged.open("ab") as file:
            file.write(line + b"\n")


def _line(entry: object) -> bytes:
    # ASCII has no line breaks but \n, which JSON writes as an escape.
    body = json.dumps(entry, separators=(",", ":"), allow_nan=False).encode("ascii")
    return b"%08x %s\n" % (zlib.crc32(body), body)


def _entry(line: bytes) -> Any:  # noqa: ANN401  (what JSON holds)
    checksum, _, body = line.partition(b" ")
    if len(checksum) != 8 or int(checksum, 16) != zlib.crc32(body):
        raise ValueError("damaged line")
    return json.loads(body)
