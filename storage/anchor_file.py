"""The file of anchors: lines are added at its end and on the disk before anyone is told so."""

import asyncio
import fcntl
import os
from collections.abc import Sequence
from pathlib import Path

from bot.core.anchors import Anchor, read_anchors
from storage.disk import disk_errors, sync_folder


class FileAnchors:
    """The AnchorBook port on a file. Several processes may add to it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    async def append(self, anchor: Anchor) -> None:
        """See the port. Raises DiskFailed."""
        await asyncio.to_thread(self._append, anchor.line())

    async def all(self) -> Sequence[Anchor]:
        """See the port. Raises DiskFailed, and Mistake where the file is damaged."""
        lines = (await asyncio.to_thread(self._read)).splitlines()
        # A power cut may have left half a line, which nobody was told of.
        whole = [line for line in lines if line.rstrip().endswith("}}")]
        return read_anchors("\n".join(whole)) if whole else []

    def _append(self, line: str) -> None:
        with disk_errors(self.path):
            is_new = not self.path.exists()
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                _end_line(file.fileno())
                file.write(line.encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
            if is_new:
                sync_folder(self.path.parent)

    def _read(self) -> str:
        with disk_errors(self.path):
            try:
                return self.path.read_text(encoding="utf-8", errors="replace")
            except FileNotFoundError:
                return ""


def _end_line(descriptor: int) -> None:
    """A line that a power cut left half-written shall not swallow the next one."""
    size = os.fstat(descriptor).st_size
    if size and os.pread(descriptor, 1, size - 1) != b"\n":
        os.write(descriptor, b"\n")
