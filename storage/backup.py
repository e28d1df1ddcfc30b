"""A backup: everything that the house keeps in one tar file; `restore` brings it back.

tables/NAME.jsonl   every table, from one consistent picture
blobs/SHA256        every file of the archive, hashed again on its way
brands/…            the folder of kits and LoRA files
inbox/…             deliveries that were not worked off yet
anchors.jsonl       the anchors of the ledger, as far as their file is known
manifest.json       the hashes of all that

The order keeps it whole while the product runs. The inbox goes first: what is worked off between
it and the tables is known there as taken. Files of the archive go after the tables: a row's file
is always there before the row. Settings and secrets are not in it.
"""

import asyncio
import hashlib
import io
import json
import os
import tarfile
import tempfile
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.core.errors import HousestyleError, Mistake
from bot.core.ports import BlobStore
from brand.spec import canonical_json, sha256_hex
from storage import backup_tables
from storage.backup_tables import TableDump
from storage.database import upgrade
from storage.disk import disk_errors, sync_folder
from storage.engines import create_engine
from storage.revision import newest

FORMAT = 1
MANIFEST = "manifest.json"
ANCHORS = "anchors.jsonl"
PRIVATE = 0o600
FOLDERS = ("brands", "inbox")


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a house keeps its things."""

    database_url: str
    blobs: BlobStore
    brands: Path
    inbox: Path
    anchors: Path | None = None
    """The file of anchors, if one is set."""

    def folder(self, name: str) -> Path:
        """The folder behind a name in the backup."""
        return {"brands": self.brands, "inbox": self.inbox}[name]


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a backup holds."""

    format: int = FORMAT
    made: str
    """When, in UTC."""
    revision: str
    """Of the tables."""
    tables: list[TableDump]
    files: dict[str, str]
    """Member name: SHA-256."""
    blobs: int
    blob_names: str
    """SHA-256 over the names of all blobs, each on a line, in order."""
    damaged: list[str] = field(default_factory=list)
    """Blobs that were damaged already and so are not in it."""


async def back_up(place: Place, target: Path, now: datetime) -> Manifest:
    """Write everything into `target`, which must not exist. Raises Mistake, DiskFailed."""
    if not place.database_url.partition(":")[2]:
        raise Mistake("The store in memory has no backup.", fix="Set database_url.")
    if await asyncio.to_thread(target.exists):
        raise Mistake(f"{target} is there already.", fix="Name another file.")
    await upgrade(place.database_url)
    engine = create_engine(place.database_url)
    try:
        async with _written(target) as tar:
            return await _Writer(tar).everything(place, engine, now)
    finally:
        await engine.dispose()


class _Writer:
    """Puts one thing after the other into the tar file."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self._files: dict[str, str] = {}

    async def everything(self, place: Place, engine: AsyncEngine, now: datetime) -> Manifest:
        await asyncio.to_thread(self._folder, "inbox", place.inbox)
        tables = [dump async for dump in self._tables(engine)]
        names, damaged = await self._blobs(place.blobs)
        await asyncio.to_thread(self._folder, "brands", place.brands)
        if place.anchors is not None and place.anchors.is_file():
            self._add(ANCHORS, await asyncio.to_thread(place.anchors.read_bytes))
        manifest = Manifest(
            made=now.isoformat(timespec="seconds"),
            revision=newest(),
            tables=tables,
            files=self._files,
            blobs=len(names),
            blob_names=digest_of(names),
            damaged=damaged,
        )
        await asyncio.to_thread(self._member, MANIFEST, sealed(asdict(manifest)))
        return manifest

    async def _tables(self, engine: AsyncEngine) -> AsyncIterator[TableDump]:
        async with backup_tables.snapshot(engine) as connection:
            for table in backup_tables.tables():
                with tempfile.TemporaryFile() as file:
                    dump = await _dumped(connection, table, file)
                    await asyncio.to_thread(self._copy, f"tables/{table.name}.jsonl", file)
                yield dump

    async def _blobs(self, blobs: BlobStore) -> tuple[list[str], list[str]]:
        names, damaged = [], []
        async for sha256 in blobs.all():
            try:
                data = await blobs.get(sha256)
            except HousestyleError:  # damaged, or swept away meanwhile: told in the manifest
                damaged.append(sha256)
                continue
            await asyncio.to_thread(self._member, f"blobs/{sha256}", data)
            names.append(sha256)
        return names, damaged

    def _folder(self, name: str, folder: Path) -> None:
        for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
            relative = path.relative_to(folder)
            if path.is_symlink() or not path.is_file() or relative.parts[0].startswith("."):
                continue
            try:
                data = path.read_bytes()
            except FileNotFoundError:
                continue  # a journal that was worked off meanwhile
            self._add(f"{name}/{relative.as_posix()}", data)

    def _add(self, name: str, data: bytes) -> None:
        self._member(name, data)
        self._files[name] = sha256_hex(data)

    def _member(self, name: str, data: bytes) -> None:
        self._tar.addfile(_info(name, len(data)), io.BytesIO(data))

    def _copy(self, name: str, file: IO[bytes]) -> None:
        size = file.tell()
        file.seek(0)
        self._tar.addfile(_info(name, size), file)


async def _dumped(connection: AsyncConnection, table: Table, file: IO[bytes]) -> TableDump:
    try:
        return await backup_tables.dump_table(connection, table, cast("BinaryIO", file))
    except (ValueError, TypeError) as exc:
        raise HousestyleError(
            f"The table {table.name} holds what can't be read: {exc}",
            fix="Someone changed it from outside; `housestyle audit verify` may say more.",
        ) from exc


@asynccontextmanager
async def _written(target: Path) -> AsyncIterator[tarfile.TarFile]:
    """The tar file under another name until it is whole and on the disk."""
    part = target.with_name(target.name + ".part")
    with disk_errors(part), ExitStack() as stack:
        target.parent.mkdir(parents=True, exist_ok=True)
        stack.callback(part.unlink, missing_ok=True)
        descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_TRUNC, PRIVATE)
        file = stack.enter_context(os.fdopen(descriptor, "w+b"))
        with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
            yield tar
        file.flush()
        os.fsync(file.fileno())
        part.rename(target)
        sync_folder(target.parent)


def _info(name: str, size: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, PRIVATE
    return info


def sealed(facts: dict[str, Any]) -> bytes:
    """A manifest's text, with a checksum of itself."""
    whole = {"manifest": facts, "sha256": sha256_hex(canonical_json(facts))}
    return json.dumps(whole, indent=1, ensure_ascii=False).encode()


def digest_of(names: list[str]) -> str:
    """One hash over names in their order."""
    return hashlib.sha256("\n".join(names).encode()).hexdigest()
