"""Small tools for writing files that survive a crash."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from storage.errors import DiskFailed


@contextlib.contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn the system's errors into DiskFailed, naming the file and the reason."""
    try:
        yield
    except OSError as exc:
        raise DiskFailed(
            f"The disk refused the file {path}: {exc.strerror or exc}.",
            fix="Free some space, or check the permissions of the data folder.",
        ) from exc


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable: a file's own fsync does not cover its name."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
