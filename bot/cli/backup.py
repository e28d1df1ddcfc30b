"""`housestyle backup` and `restore`: everything into one file, and back into an empty place."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.console import Terminal
from bot.cli.exits import ExitCode
from bot.cli.options import Json, settings_of
from bot.cli.owner import at_terminal, run_async

if TYPE_CHECKING:
    from bot.core.chain import Report
    from bot.core.house import House
    from bot.settings import Settings
    from storage.backup import Manifest, Place


def backup(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The tar file to write; it must not exist yet.")],
    as_json: Json = False,
) -> int:
    """Write everything into one file, while the product runs.

    The database, the archive's files, the kits and what waits in the inbox. Settings, secrets and
    models are not in it. Ends with 1 if files of the archive were damaged and so left out."""
    settings = settings_of(context)

    async def work() -> "Manifest":
        from bot.clock import SystemClock
        from storage.backup import back_up

        return await back_up(place_of(settings), file, SystemClock().now())

    manifest, terminal = run_async(work), Terminal(as_json=as_json)
    facts = {"file": str(file), **_facts(manifest), "damaged": manifest.damaged}
    terminal.result(str(file), facts)
    terminal.note(
        f"{facts['rows']:,} rows in {facts['tables']} tables, {manifest.blobs:,} files of the "
        f"archive, {facts['files']} files of kits and inbox."
    )
    if manifest.damaged:
        terminal.note(f"✗ {len(manifest.damaged)} files of the archive are damaged and not in it.")
    return ExitCode.FAILED if manifest.damaged else ExitCode.OK


def restore(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The file that `housestyle backup` wrote.")],
    as_json: Json = False,
) -> int:
    """Bring a backup into an empty place and check all of it.

    The place is that of the settings; it may use another kind of database. Ends with 1 if the
    record or the archive is not whole."""
    settings = settings_of(context)

    async def work() -> "tuple[Manifest, Report, list[str]]":
        from storage.restore import restore as bring_back

        manifest = await bring_back(place_of(settings), file)
        async with at_terminal(settings) as here:
            report, missing = await _checked(here.house)
            return manifest, report, missing

    (manifest, report, missing), terminal = run_async(work), Terminal(as_json=as_json)
    sound = report.sound and not missing
    facts = {
        **_facts(manifest),
        "made": manifest.made,
        "ledger_sound": report.sound,
        "ledger_lines": report.lines,
        "missing": missing,
    }
    says = "restored and whole" if sound else "restored, but not whole"
    terminal.result(f"{'✓' if sound else '✗'} {says}: as of {manifest.made}", facts)
    terminal.note(
        f"{facts['rows']:,} rows and {manifest.blobs:,} files as they were written; "
        f"{report.lines:,} lines of the record {'verify' if report.sound else 'do not verify'}."
    )
    for sha256 in missing:
        terminal.note(f"✗ missing from the archive: {sha256}")
    return ExitCode.OK if sound else ExitCode.FAILED


def place_of(settings: "Settings") -> "Place":
    """Where this installation keeps its things."""
    from storage.backup import Place
    from storage.blobs import FolderBlobs

    return Place(
        database_url=settings.database_url,
        blobs=FolderBlobs(settings.blobs),
        brands=settings.brands_dir,
        inbox=settings.data_dir / "inbox",
        anchors=settings.audit.anchor_file,
    )


async def _checked(house: "House") -> "tuple[Report, list[str]]":
    from bot.core.auditing import verify_ledger

    anchors = await house.anchors.book.all() if house.anchors.book else []
    report = await verify_ledger(house.store, anchors)
    async with house.store.read() as tx:
        named = {file_hash async for _, file_hash in tx.assets.file_hashes()}
    there = {sha256 async for sha256 in house.blobs.all()}
    return report, sorted(named - there)


def _facts(manifest: "Manifest") -> dict[str, Any]:
    return {
        "tables": len(manifest.tables),
        "rows": sum(dump.rows for dump in manifest.tables),
        "blobs": manifest.blobs,
        "files": len(manifest.files),
        "revision": manifest.revision,
    }
