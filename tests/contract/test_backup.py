"""A backup holds everything, restores into an empty place of either kind, and hides no damage."""

import asyncio
import io
import json
import shutil
import tarfile
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from bot.core.errors import HousestyleError, Mistake
from bot.core.ids import new_id
from bot.core.ledger import Event
from bot.core.ports import Delivery
from storage import backup_tables, upgrades
from storage.backup import Place, back_up, sealed
from storage.backup_tables import TableDump
from storage.blobs import FolderBlobs
from storage.database import open_store
from storage.engines import create_engine
from storage.errors import BackupDamaged, PlaceNotEmpty
from storage.inbox import JournalInbox
from storage.restore import restore
from storage.revision import newest
from tests.contract.conftest import POSTGRESQL
from tests.contract.every_table import NOW, fill, reflected


def place_at(folder: Path, url: str) -> Place:
    """A place whose files are in this folder."""
    return Place(
        database_url=url,
        blobs=FolderBlobs(folder / "blobs"),
        brands=folder / "brands",
        inbox=folder / "inbox",
        anchors=folder / "elsewhere" / "anchors.jsonl",
    )


async def filled(url: str, folder: Path) -> Place:
    """A place with rows in every table and something in every folder."""
    engine = create_engine(url)
    await fill(engine)
    await engine.dispose()
    place = place_at(folder, url)
    for number in range(5):
        await place.blobs.put(f"picture {number}".encode() * 100)
    (place.brands / "lora").mkdir(parents=True)
    (place.brands / "acme.toml").write_text("[brand]")
    (place.brands / "lora" / "stripes.safetensors").write_bytes(b"\x00" * 1000)
    assert place.anchors is not None
    place.anchors.parent.mkdir()
    place.anchors.write_text("an anchor\n")
    inbox = await JournalInbox.open(place.inbox)
    await inbox.put(Delivery(platform="slack", id="d1", payload={"n": 1}, received_at=NOW))
    await inbox.close()
    return place


@pytest.fixture
async def full(upgraded_sqlite: Path, tmp_path: Path) -> Place:
    """A filled place on SQLite."""
    shutil.copy(upgraded_sqlite, tmp_path / "full.db")
    return await filled(f"sqlite:///{tmp_path}/full.db", tmp_path / "full")


@pytest.fixture
def empty(tmp_path: Path) -> Place:
    """A place with nothing in it."""
    return place_at(tmp_path / "empty", f"sqlite:///{tmp_path}/empty/house.db")


@pytest.fixture(params=["sqlite", POSTGRESQL])
async def empty_of_a_kind(
    request: pytest.FixtureRequest, empty: Place, tmp_path: Path
) -> AsyncIterator[Place]:
    """The same on either database."""
    if request.param == "sqlite":
        yield empty
        return
    server: str = request.getfixturevalue("postgres")
    admin = create_engine(server)
    async with admin.connect() as connection:
        alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await alone.execute(text("CREATE DATABASE restored"))
        yield place_at(tmp_path / "empty", server.replace("/postgres?", "/restored?"))
        await alone.execute(text("DROP DATABASE restored WITH (FORCE)"))
    await admin.dispose()


async def dumps_of(place: Place) -> list[TableDump]:
    """The hash of every table."""
    engine = create_engine(place.database_url)
    async with backup_tables.snapshot(engine) as connection:
        found = [
            await backup_tables.dump_table(connection, table, io.BytesIO())
            for table in backup_tables.tables()
        ]
    await engine.dispose()
    return found


def files_of(place: Place) -> dict[str, bytes]:
    """The files of kits and the inbox."""
    return {
        f"{folder.name}/{path.relative_to(folder)}": path.read_bytes()
        for folder in (place.brands, place.inbox)
        for path in folder.rglob("*")
        if path.is_file()
    }


async def names_of(place: Place) -> list[str]:
    """The archive's files."""
    return [name async for name in place.blobs.all()]


async def test_a_restored_place_is_equal_in_every_row_and_file_and_goes_on_counting(
    url: str, empty_of_a_kind: Place, tmp_path: Path
) -> None:
    full, empty = await filled(url, tmp_path / "full"), empty_of_a_kind
    backup = tmp_path / "backup.tar"
    manifest = await back_up(full, backup, NOW)
    assert all(dump.rows for dump in manifest.tables), "every table has rows"
    assert await restore(empty, backup) == manifest
    assert await dumps_of(empty) == await dumps_of(full) == manifest.tables
    assert await names_of(empty) == await names_of(full)
    assert files_of(empty) == files_of(full)
    assert empty.anchors is not None
    assert empty.anchors.read_text() == "an anchor\n"
    assert backup.stat().st_mode & 0o077 == 0, "it holds what people wrote"
    store = await open_store(empty.database_url)
    event = Event(action="job.queued", subject="job:1", at=NOW)
    async with store.write() as tx:
        await tx.ledger.append(event)
        assert (await tx.ledger.recent(limit=1))[0] == event
    await store.close()


@pytest.mark.parametrize("revision", ["0001", pytest.param("0004", marks=pytest.mark.deep)])
async def test_a_backup_of_an_older_version_is_upgraded(
    empty: Place, tmp_path: Path, revision: str
) -> None:
    now = place_at(tmp_path / "now", f"sqlite:///{tmp_path}/now.db")
    await back_up(now, tmp_path / "now.tar", NOW)
    tables, texts = await older_tables(f"sqlite:///{tmp_path}/old.db", revision)
    older = edited(
        tmp_path / "now.tar",
        lambda raw: raw | {"revision": revision, "tables": [asdict(table) for table in tables]},
        texts,
        name="older.tar",
    )
    await restore(empty, older)
    rows = {dump.name: dump.rows for dump in await dumps_of(empty)}
    assert {dump.name: dump.rows for dump in tables}.items() <= rows.items()


async def older_tables(url: str, revision: str) -> tuple[list[TableDump], dict[str, bytes]]:
    """What the version with this revision would have put into its backup."""
    engine = create_engine(url)
    await upgrades.upgrade(engine, revision)
    await fill(engine)
    dumps, texts = [], {}
    async with backup_tables.snapshot(engine) as connection:
        for table in (await connection.run_sync(reflected)).sorted_tables:
            if table.name != "alembic_version":
                file = io.BytesIO()
                dumps.append(await backup_tables.dump_table(connection, table, file))
                texts[f"tables/{table.name}.jsonl"] = file.getvalue()
    await engine.dispose()
    return dumps, texts


def edited(
    backup: Path,
    change: Callable[[dict[str, Any]], dict[str, Any]],
    texts: dict[str, bytes] | None = None,
    *,
    name: str,
    renamed: dict[str, str] | None = None,
) -> Path:
    """The backup with another manifest, and other texts and names of these members."""
    target = backup.with_name(name)
    with tarfile.open(backup) as old, tarfile.open(target, "w") as new:
        for member in old.getmembers():
            data = (texts or {}).get(member.name) or _bytes(old, member)
            if member.name == "manifest.json":
                data = sealed(change(json.loads(data)["manifest"]))
            member.name = (renamed or {}).get(member.name, member.name)
            member.size = len(data)
            new.addfile(member, io.BytesIO(data))
    return target


def _bytes(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member)
    return file.read() if file is not None else b""


async def test_a_backup_is_whole_while_others_write(url: str, tmp_path: Path) -> None:
    full = await filled(url, tmp_path / "full")
    store = await open_store(full.database_url)
    stop, enough = asyncio.Event(), asyncio.Event()

    async def write() -> int:
        count = 0
        while not stop.is_set():
            key = new_id()
            async with store.write() as tx:
                await tx.ledger.append(Event(action="a.b", subject=f"job:{key}", at=NOW, id=key))
                await tx.deliveries.take("slack", key, NOW)
            count += 1
            if count == 10:
                enough.set()
        return count

    writing = asyncio.create_task(write())
    await enough.wait()
    manifest = await back_up(full, tmp_path / "backup.tar", NOW)
    stop.set()
    written = await writing
    rows = {dump.name: dump.rows for dump in manifest.tables}
    assert rows["ledger"] == rows["deliveries"], "each write is in it whole or not at all"
    assert 10 <= rows["deliveries"] <= written + 4
    await store.close()


async def test_nothing_is_restored_over_what_is_there(
    full: Place, empty: Place, tmp_path: Path
) -> None:
    backup = tmp_path / "backup.tar"
    await back_up(full, backup, NOW)
    with pytest.raises(PlaceNotEmpty, match="rows"):
        await restore(full, backup)
    for name in ("blobs", "brands", "inbox"):
        with pytest.raises(PlaceNotEmpty):
            await restore(replace(empty, **{name: getattr(full, name)}), backup)
    await restore(empty, backup)
    with pytest.raises(PlaceNotEmpty):
        await restore(empty, backup)


async def test_a_backup_never_overwrites_a_file(full: Place, tmp_path: Path) -> None:
    backup = tmp_path / "backup.tar"
    backup.write_text("mine")
    with pytest.raises(Mistake):
        await back_up(full, backup, NOW)
    assert backup.read_text() == "mine"


async def test_a_damaged_picture_is_named_and_left_out(full: Place, tmp_path: Path) -> None:
    assert isinstance(full.blobs, FolderBlobs)
    name = (await names_of(full))[0]
    path = next(full.blobs.folder.rglob(name))
    path.chmod(0o600)
    path.write_bytes(b"flipped")
    manifest = await back_up(full, tmp_path / "backup.tar", NOW)
    assert manifest.damaged == [name]
    assert manifest.blobs == 4


async def test_a_changed_byte_in_any_part_of_a_backup_is_found(
    full: Place, empty: Place, tmp_path: Path
) -> None:
    backup = tmp_path / "backup.tar"
    await back_up(full, backup, NOW)
    data = backup.read_bytes()
    with tarfile.open(backup) as tar:
        members = [member for member in tar.getmembers() if member.size]
    for member in members:
        changed = bytearray(data)
        changed[member.offset_data + member.size // 2] ^= 4
        backup.write_bytes(bytes(changed))
        with pytest.raises(HousestyleError):
            await restore(empty, backup)
        shutil.rmtree(tmp_path / "empty", ignore_errors=True)


async def test_a_cut_off_backup_is_no_backup(full: Place, empty: Place, tmp_path: Path) -> None:
    backup = tmp_path / "backup.tar"
    await back_up(full, backup, NOW)
    data = backup.read_bytes()
    for size in (0, 100, 5000, len(data) // 2, len(data) - 11_000):
        backup.write_bytes(data[:size])
        with pytest.raises((BackupDamaged, Mistake)):
            await restore(empty, backup)


async def test_a_forged_manifest_writes_nowhere_else(
    full: Place, empty: Place, tmp_path: Path
) -> None:
    backup = tmp_path / "backup.tar"
    await back_up(full, backup, NOW)
    for name in ("../x", "brands/../../x", "/etc/x", "inbox", "secrets/x"):

        def forged(raw: dict[str, Any], name: str = name) -> dict[str, Any]:
            raw["files"][name] = raw["files"].pop("brands/acme.toml")
            return raw

        copy = edited(backup, forged, name="forged.tar", renamed={"brands/acme.toml": name})
        with pytest.raises(BackupDamaged, match="outside"):
            await restore(empty, copy)
        shutil.rmtree(tmp_path / "empty", ignore_errors=True)


async def test_a_backup_of_a_newer_version_is_refused(
    full: Place, empty: Place, tmp_path: Path
) -> None:
    await back_up(full, tmp_path / "backup.tar", NOW)
    newer = edited(
        tmp_path / "backup.tar", lambda raw: raw | {"revision": "9999"}, name="newer.tar"
    )
    with pytest.raises(Mistake, match="newer"):
        await restore(empty, newer)
    assert newest() < "9999"
