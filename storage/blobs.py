"""Content-addressed files in a folder, written so that a crash leaves all of a file or nothing.

FOLDER/sha256/ab/cd/abcd…   each file named by the SHA-256 of its bytes
FOLDER/unfinished/          files while they are written
"""

import asyncio
import contextlib
import fcntl
import hashlib
import os
import secrets
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bot.core.errors import CorruptBlob
from brand.spec import is_sha256, sha256_hex
from storage.disk import disk_errors, sync_folder
from storage.steps import missing

_LEFT_OVER_S = 24 * 3600
"""An unfinished file this old belongs to a process that died."""
_READ_ONLY = 0o444


@dataclass(frozen=True, kw_only=True)
class BlobProblem:
    """A stored file that is not what it should be."""

    path: Path
    sha256: str
    """What its name says; empty if the name is none of ours."""
    problem: str


class FolderBlobs:
    """The BlobStore port in a folder. All file work runs in threads, off the event loop."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files = folder / "sha256"
        self._unfinished = folder / "unfinished"
        self._swept = False
        self._durable: set[Path] = set()

    async def put(self, data: bytes) -> str:
        """See the port. Raises DiskFailed."""
        return await asyncio.to_thread(self._put, data)

    async def get(self, sha256: str) -> bytes:
        """See the port. Raises DiskFailed."""
        return await asyncio.to_thread(self._get, sha256)

    async def exists(self, sha256: str) -> bool:
        """See the port."""
        if not is_sha256(sha256):
            return False
        return await asyncio.to_thread(self._touch, self._path(sha256))

    async def remove(self, sha256: str) -> None:
        """See the port. Raises DiskFailed."""
        await asyncio.to_thread(self._remove, sha256)

    async def untouched(self, since: datetime) -> AsyncIterator[str]:
        """See the port."""
        async for path in self._paths():
            if is_sha256(path.name) and await asyncio.to_thread(_is_older, path, since):
                yield path.name

    async def sweep(self, sha256: str, since: datetime) -> bool:
        """See the port. Raises DiskFailed."""
        return is_sha256(sha256) and await asyncio.to_thread(
            self._sweep_one, self._path(sha256), since
        )

    async def all(self) -> AsyncIterator[str]:
        """See the port. What has no name of ours is left out; `check` names it."""
        async for path in self._paths():
            if is_sha256(path.name):
                yield path.name

    async def check(self) -> AsyncIterator[BlobProblem]:
        """Read every file again and tell which are not what their names say."""
        async for path in self._paths():
            problem = await asyncio.to_thread(self._problem, path)
            if problem:
                known = path.name if is_sha256(path.name) else ""
                yield BlobProblem(path=path, sha256=known, problem=problem)

    def _path(self, sha256: str) -> Path:
        return self._files / sha256[:2] / sha256[2:4] / sha256

    def _put(self, data: bytes) -> str:
        sha256 = sha256_hex(data)
        path = self._path(sha256)
        # A damaged file is replaced; a good one is never written again.
        if not (self._touch(path) and not self._problem(path)):
            with disk_errors(path):
                self._sweep()
                self._write(path, data)
        return sha256

    def _touch(self, path: Path) -> bool:
        """Whether it is there; it is kept for a while then, a row may follow."""
        with self._locked(fcntl.LOCK_SH):
            try:
                os.utime(path)
            except (FileNotFoundError, NotADirectoryError):
                return False
            except PermissionError:
                return path.is_file()  # a folder that only reads is never swept
        return True

    def _sweep_one(self, path: Path, since: datetime) -> bool:
        with disk_errors(path), self._locked(fcntl.LOCK_EX):
            if not _is_older(path, since):
                return False
            path.unlink(missing_ok=True)
        return True

    @contextlib.contextmanager
    def _locked(self, how: int) -> Iterator[None]:
        """Between looking at a file's age and removing it nobody may count on it."""
        if not self._files.is_dir():
            yield
            return
        descriptor = os.open(self._files, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(descriptor, how)
            yield
        finally:
            os.close(descriptor)

    def _write(self, path: Path, data: bytes) -> None:
        self._unfinished.mkdir(parents=True, exist_ok=True)
        draft = self._unfinished / secrets.token_hex(16)
        try:
            with draft.open("xb") as file:
                file.write(data)
                file.flush()
                os.fchmod(file.fileno(), _READ_ONLY)
                os.fsync(file.fileno())
            self._make_folders(path.parent)
            draft.rename(path)
            sync_folder(path.parent)
        finally:
            draft.unlink(missing_ok=True)

    def _make_folders(self, folder: Path) -> None:
        """Make the folders of a file, each durable in the one above it.

        One that is there may have been made a moment ago and not be durable yet, so each is seen
        to once by this process itself.
        """
        if folder in self._durable:
            return
        if folder != self.folder:
            self._make_folders(folder.parent)
        folder.mkdir(parents=True, exist_ok=True)
        sync_folder(folder.parent)
        self._durable.add(folder)

    def _get(self, sha256: str) -> bytes:
        if not is_sha256(sha256):
            raise missing("file", sha256)
        path = self._path(sha256)
        with disk_errors(path):
            try:
                data = path.read_bytes()
            except FileNotFoundError as exc:
                raise missing("file", sha256) from exc
        if sha256_hex(data) != sha256:
            raise CorruptBlob(sha256)
        return data

    def _remove(self, sha256: str) -> None:
        path = self._path(sha256)
        if not is_sha256(sha256) or not path.is_file():
            return
        with disk_errors(path):
            path.unlink(missing_ok=True)
            sync_folder(path.parent)

    def _problem(self, path: Path) -> str:
        if not is_sha256(path.name):
            return "not a name of ours"
        if path != self._path(path.name):
            return "in the wrong folder"
        try:
            with path.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as exc:
            return f"unreadable: {exc.strerror}"
        return "" if found == path.name else "its contents do not match its name"

    def _sweep(self) -> None:
        """Once a process: remove what processes that died have left unfinished."""
        if self._swept or not self._unfinished.is_dir():
            return
        self._swept = True
        for draft in self._unfinished.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if time.time() - draft.stat().st_mtime > _LEFT_OVER_S:
                    draft.unlink()

    async def _paths(self) -> AsyncIterator[Path]:
        for folder in await asyncio.to_thread(_folders, self._files):
            for path in await asyncio.to_thread(_files, folder):
                yield path


def _folders(top: Path) -> list[Path]:
    """A first-level folder at a time keeps memory small in big archives."""
    return sorted(top.iterdir()) if top.is_dir() else []


def _files(top: Path) -> list[Path]:
    return sorted(_walk(top))


def _walk(top: Path) -> Iterator[Path]:
    if top.is_dir() and not top.is_symlink():
        for path in top.iterdir():
            yield from _walk(path)
    else:
        yield top


def _is_older(path: Path, since: datetime) -> bool:
    try:
        return path.stat().st_mtime < since.timestamp()
    except FileNotFoundError:
        return False
