"""`housestyle audit`: check the record, look into it, export it, anchor it."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.console import Terminal
from bot.cli.exits import ExitCode
from bot.cli.options import BrandId, Json, settings_of
from bot.cli.owner import at_terminal, run_async
from bot.core.errors import Mistake

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bot.core.anchors import Anchor
    from bot.core.chain import Report
    from bot.core.house import House
    from bot.core.ledger import Event

MAX_ANCHOR_BYTES = 100_000_000
AnchorFile = Annotated[
    str,
    typer.Option(
        "--anchor",
        help="A file with anchors, or - to paste one; default: the file that the settings name.",
    ),
]

group = typer.Typer(help="The record of who did what: check, search, export.", no_args_is_help=True)


@group.command()
def verify(
    context: typer.Context,
    anchor: AnchorFile = "",
    file: Annotated[
        Path | None, typer.Option(help="An export to check instead of the database.")
    ] = None,
    as_json: Json = False,
) -> int:
    """Check every line of the record against the chain, its texts and the anchors. Ends with 1 if
    anything is wrong."""
    terminal = Terminal(as_json=as_json)
    if file is not None:
        from bot.core.auditing import verify_export

        given = _given(anchor)
        with _opened(file).open("rb") as lines:
            report = verify_export(lines, given)
        return _tell(terminal, report)
    settings = settings_of(context)

    async def work() -> "Report":
        from bot.core.auditing import verify_ledger

        async with at_terminal(settings) as here:
            anchors = _given(anchor) if anchor else await _kept(here.house)
            return await verify_ledger(here.house.store, anchors)

    return _tell(terminal, run_async(work))


@group.command()
def log(
    context: typer.Context,
    subject: Annotated[str, typer.Option(help="A thing, as KIND:ID or its id alone.")] = "",
    person: Annotated[str, typer.Option(help="Who did it, or whom it was done to.")] = "",
    brand: BrandId = "",
    action: Annotated[str, typer.Option(help="For instance review.voted, or review.")] = "",
    since: Annotated[str, typer.Option(help="A day or a time, for instance 2026-03-01.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 50,
    as_json: Json = False,
) -> None:
    """Lines of the record, newest first."""
    from bot.core.ledger import EventQuery

    settings, terminal, since_at = settings_of(context), Terminal(as_json=as_json), _since(since)

    async def work() -> "tuple[Sequence[Event], dict[str, str]]":
        async with at_terminal(settings) as here, here.house.store.read() as tx:
            names = {member.id: member.name for member in await tx.people.all()}
            query = EventQuery(
                subjects=_subjects(subject),
                person=next((key for key, name in names.items() if name == person), person),
                brand=brand,
                action=action,
                since=since_at,
                limit=limit,
            )
            return await tx.ledger.find(query), names

    found, names = run_async(work)
    if not found:
        terminal.note("Nothing was recorded that fits.")
    rows = [_row(event, names) for event in found]
    if rows or as_json:
        columns = ("line", "at", "who", "what", "thing", "brand")
        terminal.table(columns, rows, [_facts(event) for event in found])


@group.command()
def export(
    context: typer.Context,
    out: Annotated[Path, typer.Option(help="The file to write.")] = Path("ledger.jsonl"),
    as_json: Json = False,
) -> None:
    """Write the whole chain and the anchors into a file that can be checked anywhere."""
    settings = settings_of(context)
    if out.exists():
        raise Mistake(f"{out} is there already.", fix="Name another file with --out.")

    async def work() -> int:
        from bot.core.auditing import export_ledger
        from bot.core.sequencing import chain_all

        async with at_terminal(settings) as here:
            await chain_all(here.house)
            count = 0
            with out.open("xb") as file:
                async for line in export_ledger(here.house, await _kept(here.house)):
                    file.write(line)
                    count += 1
            return count

    lines = run_async(work)
    Terminal(as_json=as_json).result(str(out), {"file": str(out), "lines": lines})


@group.command()
def anchor(context: typer.Context, as_json: Json = False) -> None:
    """Print an anchor of the record as it is now, and put it where the settings say."""
    settings = settings_of(context)

    async def work() -> "Anchor | None":
        from bot.core.anchors import anchor_now
        from bot.core.sequencing import chain_all

        async with at_terminal(settings) as here:
            await chain_all(here.house)
            return await anchor_now(here.house, actor=here.owner.id)

    made, terminal = run_async(work), Terminal(as_json=as_json)
    if made is None:
        raise Mistake("Nothing is recorded yet.", fix="Try again once something was done.")
    facts = {"seq": made.seq, "hash": made.hash, "count": made.count, "at": made.at.isoformat()}
    terminal.result(made.line(), facts)
    terminal.note("Keep this line where nobody who can change the database can change it.")


async def _kept(house: "House") -> "Sequence[Anchor]":
    return await house.anchors.book.all() if house.anchors.book else []


def _given(anchor: str) -> "Sequence[Anchor]":
    from bot.core.anchors import read_anchors

    if not anchor:
        return []
    if anchor == "-":
        return read_anchors(sys.stdin.read(MAX_ANCHOR_BYTES))
    with _opened(Path(anchor)).open(encoding="utf-8", errors="replace") as file:
        return read_anchors(file.read(MAX_ANCHOR_BYTES))


def _opened(path: Path) -> Path:
    if not path.is_file():
        raise Mistake(f"There is no file {path}.", fix="Check its name.")
    return path


def _tell(terminal: Terminal, report: "Report") -> int:
    facts = {
        "sound": report.sound,
        "lines": report.lines,
        "head": {"seq": report.head.seq, "hash": report.head.hash},
        "waiting": report.waiting,
        "texts": report.texts,
        "erased": report.erased,
        "anchors": report.anchors,
        "anchored": report.anchored,
        "findings": [
            {"seq": finding.seq, "fault": finding.fault.value, "says": finding.says}
            for finding in report.findings
        ],
        "more": report.more,
    }
    lines = [f"✗ #{f.seq}  {f.fault.value}: {f.says}" for f in report.findings]
    lines += [f"✗ and {report.more:,} more"] if report.more else []
    lines += [f"✓ unbroken, {report.lines:,} lines"] if report.sound else []
    terminal.result("\n".join(lines), facts)
    terminal.note(_beside(report))
    return ExitCode.OK if report.sound else ExitCode.FAILED


def _beside(report: "Report") -> str:
    said = [f"{report.texts:,} personal texts fit, {report.erased:,} erased."]
    if report.waiting:
        said.append(f"{report.waiting:,} events wait to be chained and are not protected yet.")
    if report.anchored:
        said.append(f"Confirmed by {report.anchors:,} anchors up to #{report.anchored:,}.")
    elif not report.anchors:
        said.append("No anchor was given: a cut-off end or a forgery of the whole would not show.")
    return " ".join(said)


def _subjects(text: str) -> tuple[str, ...]:
    if not text or ":" in text:
        return (text,) if text else ()
    from bot.core.ledger import SUBJECTS

    return tuple(f"{kind}:{text}" for kind in SUBJECTS)


def _since(text: str) -> "datetime | None":
    from datetime import UTC, datetime

    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as exc:
        raise Mistake(
            f"`{text[:40]}` isn't a day or a time.", fix="As in 2026-03-01, or 2026-03-01T09:00."
        ) from exc
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def _row(event: "Event", names: dict[str, str]) -> tuple[str, ...]:
    who = names.get(event.actor) or event.actor or "unknown"
    line = f"#{event.seq}" if event.seq else "waits"
    at = f"{event.at:%Y-%m-%d %H:%M:%S}"
    return (line, at, who, event.action, event.subject, event.brand)


def _facts(event: "Event") -> dict[str, Any]:
    from bot.core.auditing import plain_line

    return plain_line(event)
