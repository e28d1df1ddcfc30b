"""Bring a backup into an empty place: every hash is compared, the tables come last.

A kill in the middle leaves a place without rows that must be emptied before the next try.
"""

import asyncio
import hashlib
import json
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from bot.core.errors import Mistake
from bot.core.ports import BlobStore
from brand.spec import canonical_json, is_sha256, sha256_hex
from storage import backup_tables
from storage.backup import ANCHORS, FOLDERS, FORMAT, MANIFEST, PRIVATE, Manifest, Place, digest_of
from storage.backup_tables import TableDump
from storage.database import upgrade
from storage.disk import disk_errors
from storage.engines import create_engine
from storage.errors import BackupDamaged, PlaceNotEmpty
from storage.revision import current, newest

MAX_MANIFEST_BYTES = 100_000_000


async def restore(place: Place, source: Path) -> Manifest:
    """Bring a backup into an empty place and compare every hash. Raises PlaceNotEmpty,
    BackupDamaged, StoreTooNew."""
    await _check_empty(place)
    with _opened(source) as tar:
        manifest = _manifest(tar)
        if manifest.revision > newest():
            raise Mistake(
                "The backup comes from a newer version.", fix="Install that version first."
            )
        await asyncio.to_thread(_check_tables, tar, manifest)
        await asyncio.to_thread(_restore_files, place, tar, manifest)
        await _restore_blobs(place.blobs, tar, manifest)
        await upgrade(place.database_url, manifest.revision)
        engine = create_engine(place.database_url)
        try:
            await _check_revision(engine, manifest)
            dumps = ((dump, _lines(tar, dump.name)) for dump in manifest.tables)
            await backup_tables.load_tables(engine, dumps)
        finally:
            await engine.dispose()
        await upgrade(place.database_url)
    return manifest


async def _check_empty(place: Place) -> None:
    engine = create_engine(place.database_url)
    try:
        table = await backup_tables.filled(engine)
    finally:
        await engine.dispose()
    if table:
        raise PlaceNotEmpty(f"The database has rows already (in {table}).", fix=_ELSEWHERE)
    async for _ in place.blobs.all():
        raise PlaceNotEmpty("The archive has files already.", fix=_ELSEWHERE)
    for name in FOLDERS:
        folder = place.folder(name)
        if folder.is_dir() and any(folder.iterdir()):
            raise PlaceNotEmpty(f"The folder {folder} is not empty.", fix=_ELSEWHERE)


def _check_tables(tar: tarfile.TarFile, manifest: Manifest) -> None:
    """Before anything is written: most damage is in the largest part."""
    for dump in manifest.tables:
        digest = hashlib.sha256()
        for line in _lines(tar, dump.name):
            digest.update(line)
        if digest.hexdigest() != dump.sha256:
            raise BackupDamaged(f"The backup's table {dump.name} is not as it was written.")


async def _check_revision(engine: AsyncEngine, manifest: Manifest) -> None:
    async with engine.connect() as connection:
        found = await connection.run_sync(current)
    if found != manifest.revision:
        raise PlaceNotEmpty("The database has tables of a newer version.", fix=_ELSEWHERE)


_ELSEWHERE = "Name an empty place: `housestyle --data-dir FOLDER restore FILE`."


def _restore_files(place: Place, tar: tarfile.TarFile, manifest: Manifest) -> None:
    for name, sha256 in manifest.files.items():
        data = _read(tar, name)
        if sha256_hex(data) != sha256:
            raise BackupDamaged(f"The backup's file {name} is not as it was written.")
        if name == ANCHORS:
            path = place.anchors
            if path is None or path.exists():
                continue  # newer ones, or nowhere to put them: they are in the backup still
        else:
            path = _inside(place, name)
        with disk_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            path.chmod(PRIVATE if name.startswith("inbox/") else 0o644)


def _inside(place: Place, name: str) -> Path:
    first, *rest = PurePosixPath(name).parts
    if first not in FOLDERS or not rest or any(part in ("..", "/") for part in rest):
        raise BackupDamaged(f"The backup names a file outside of its folders: {name!r}.")
    return place.folder(first).joinpath(*rest)


async def _restore_blobs(blobs: BlobStore, tar: tarfile.TarFile, manifest: Manifest) -> None:
    members = [m for m in tar.getmembers() if m.name.startswith("blobs/")]
    names = [member.name.removeprefix("blobs/") for member in members]
    if len(names) != manifest.blobs or digest_of(names) != manifest.blob_names:
        raise BackupDamaged("The backup does not hold the archive's files that it lists.")
    for name, member in zip(names, members, strict=True):
        data = await asyncio.to_thread(_read, tar, member.name)
        if not is_sha256(name) or sha256_hex(data) != name:
            raise BackupDamaged(f"The backup's file {name[:12]}… is not as it was written.")
        await blobs.put(data)


def _lines(tar: tarfile.TarFile, table: str) -> Iterator[bytes]:
    file = tar.extractfile(_member(tar, f"tables/{table}.jsonl"))
    if file is None:
        raise BackupDamaged(f"The backup's table {table} is no file.")
    with file:
        yield from file


def _manifest(tar: tarfile.TarFile) -> Manifest:
    member = _member(tar, MANIFEST)
    if member.size > MAX_MANIFEST_BYTES:
        raise BackupDamaged("The backup's manifest is too large.")
    try:
        whole = json.loads(_read(tar, MANIFEST))
        raw: dict[str, Any] = whole["manifest"]
        if sha256_hex(canonical_json(raw)) != whole["sha256"]:
            raise ValueError("it was changed")
        tables = [TableDump(**table) for table in raw.pop("tables")]
        manifest = Manifest(**raw, tables=tables)
        if manifest.format != FORMAT:
            raise ValueError(f"format {manifest.format} is not known")
    except (ValueError, TypeError, KeyError) as exc:
        raise BackupDamaged(f"The backup's manifest can't be read: {exc}.") from exc
    known = {table.name for table in backup_tables.tables()}
    if unknown := {dump.name for dump in manifest.tables} - known:
        raise BackupDamaged(f"The backup has tables that are not known: {sorted(unknown)}.")
    return manifest


def _member(tar: tarfile.TarFile, name: str) -> tarfile.TarInfo:
    try:
        member = tar.getmember(name)
    except (KeyError, tarfile.TarError, OSError) as exc:
        raise BackupDamaged(f"The backup lacks {name}: it may be cut off.") from exc
    if not member.isreg():
        raise BackupDamaged(f"The backup's {name} is no plain file.")
    return member


def _read(tar: tarfile.TarFile, name: str) -> bytes:
    file = tar.extractfile(_member(tar, name))
    return file.read() if file is not None else b""


@contextmanager
def _opened(source: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(source, "r:") as tar:
            yield tar
    except FileNotFoundError as exc:
        raise Mistake(f"There is no file {source}.", fix="Check its name.") from exc
    except (tarfile.TarError, EOFError) as exc:
        raise BackupDamaged(f"{source} is no backup, or is cut off: {exc}.") from exc
