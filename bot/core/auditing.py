"""Walk the ledger: check the whole chain, export it, check an export far from its house.

An export is text, one canonical JSON value a line: a header, the chain's lines, the anchors that
were known, and an end line with the SHA-256 of all bytes before it. Canonical means that there is
one way to write each line, so that any changed byte shows.
"""

import hashlib
import json
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from bot.core.anchors import Anchor, read_anchors
from bot.core.chain import ChainCheck, Fault, Finding, Report
from bot.core.errors import Mistake
from bot.core.house import House
from bot.core.ledger import LEDGER_VERSION, Event, Personal, Unreadable
from bot.core.ports import Store
from brand.spec import canonical_json

PAGE = 500
"""Lines read in one transaction: short ones, so that a long walk holds nobody up."""
HEADER = "housestyle-ledger"
_FIELDS = ("id", "seq", "previous", "actor", "brand", "action", "subject", "facts", "commitments")


async def verify_ledger(store: Store, anchors: Iterable[Anchor] = ()) -> Report:
    """Check every line of the chain and every personal text."""
    check = ChainCheck(anchors)
    async for line in _walk(store):
        check.add(line)
    async with store.read() as tx:
        waiting = await tx.ledger.waiting()
        check.note_waiting(await tx.ledger.unchained(waiting))
    return check.report(waiting=waiting)


async def _walk(store: Store) -> AsyncIterator[Event | Unreadable]:
    after: int | None = None
    while True:
        async with store.read() as tx:
            lines = await tx.ledger.page(after, PAGE)
        for line in lines:
            yield line
        if len(lines) < PAGE:
            return
        after = lines[-1].seq


async def export_ledger(house: House, anchors: Sequence[Anchor]) -> AsyncIterator[bytes]:
    """The lines of an export of everything that is chained, each with its line break.

    Raises Mistake at a line that can't be read any more: `audit verify` names all of those.
    """
    digest = hashlib.sha256()
    count, head = 0, ""

    def wrapped(value: dict[str, Any]) -> bytes:
        data = canonical_json(value) + b"\n"
        digest.update(data)
        return data

    made = house.clock.now().isoformat(timespec="seconds")
    yield wrapped({HEADER: LEDGER_VERSION, "made": made})
    async for line in _walk(house.store):
        if isinstance(line, Unreadable):
            raise Mistake(
                f"Line #{line.seq} of the ledger can't be read: {line.reason}",
                fix="`housestyle audit verify` names every line that was changed.",
            )
        count, head = count + 1, line.hash
        yield wrapped(plain_line(line))
    for anchor in anchors:
        data = anchor.line().encode() + b"\n"
        digest.update(data)
        yield data
    yield wrapped({"end": {"lines": count, "head": head, "sha256": digest.hexdigest()}})


def plain_line(line: Event) -> dict[str, Any]:
    """A chained event as plain JSON: what is hashed, the hash, and the personal texts left."""
    facts: dict[str, Any] = json.loads(line.body())
    texts = {name: {"value": text.value, "salt": text.salt} for name, text in line.personal.items()}
    return {**facts, "hash": line.hash, "personal": texts}


def read_line(data: bytes) -> Event:
    """The event of an export's line, without its line break. Raises ValueError unless it is
    written exactly as `export_ledger` writes it."""
    try:
        raw = json.loads(data)
        if raw["v"] != LEDGER_VERSION:
            raise ValueError(f"version {raw['v']!r} is not known")
        if type(raw["seq"]) is not int:
            raise ValueError("its number is none")
        line = Event(
            **{name: raw[name] for name in _FIELDS},
            at=datetime.fromisoformat(raw["at"]).astimezone(UTC),
            hash=raw["hash"],
            personal={name: Personal(**text) for name, text in raw["personal"].items()},
        )
        same = canonical_json(plain_line(line)) == data
    except (TypeError, KeyError, AttributeError, RecursionError) as exc:
        raise ValueError(f"not a line of the ledger ({type(exc).__name__}: {exc})") from exc
    if not same:
        raise ValueError("not written as the export writes it")
    return line


def verify_export(lines: Iterable[bytes], anchors: Iterable[Anchor] = ()) -> Report:
    """Check an export's lines (each with its line break), against its own anchors and more.

    Raises Mistake if it is no export at all.
    """
    reader = _ExportReader()
    events = list(reader.events(lines))
    check = ChainCheck([*anchors, *reader.anchors])
    for event in events:
        check.add(event)
    report = check.report()
    return replace(report, findings=(*report.findings, *reader.problems(report)))


class _ExportReader:
    """Takes an export apart; what is wrong with its frame is told at the end."""

    def __init__(self) -> None:
        self.anchors: list[Anchor] = []
        self._digest = hashlib.sha256()
        self._end: dict[str, Any] | None = None
        self._says: list[str] = []

    def events(self, lines: Iterable[bytes]) -> Iterator[Event | Unreadable]:
        """The chain's lines; a damaged one is Unreadable under the number it should have."""
        seq = 0
        for number, data in enumerate(lines):
            line = data.removesuffix(b"\n")
            if number == 0:
                self._check_header(line, data)
            elif self._end is not None:
                self._says.append("there is something after the end line")
            elif line.startswith(b'{"end":'):
                self._read_end(line, data)
            elif line.startswith(b'{"housestyle-anchor":'):
                self._read_anchor(line)
            else:
                event = _event(line, seq + 1)
                seq = event.seq or seq + 1
                yield event
            self._digest.update(data)

    def problems(self, report: Report) -> list[Finding]:
        """What is wrong with the frame."""
        end = self._end
        if end is None:
            self._says.append("the end line is missing: the export was cut off")
        elif (end["lines"], end["head"]) != (report.lines, report.head.hash):
            self._says.append("the end line names another end of the chain")
        where = report.head.seq + 1
        return [Finding(seq=where, fault=Fault.CHANGED, says=says) for says in self._says]

    def _check_header(self, line: bytes, data: bytes) -> None:
        try:
            raw = json.loads(line)
            known = raw[HEADER] == LEDGER_VERSION and canonical_json(raw) + b"\n" == data
        except (ValueError, TypeError, KeyError, RecursionError) as exc:
            raise Mistake(
                "This is not an export of the ledger: its first line is another one.",
                fix="`housestyle audit export` writes one.",
            ) from exc
        if not known:
            self._says.append("the header was changed, or comes from another version")

    def _read_end(self, line: bytes, data: bytes) -> None:
        try:
            end = json.loads(line)["end"]
            whole = canonical_json({"end": end}) + b"\n" == data
            if not whole or end["sha256"] != self._digest.hexdigest():
                self._says.append("its checksum is not that of the lines before")
            self._end = {"lines": end["lines"], "head": end["head"]}
        except (ValueError, TypeError, KeyError, RecursionError):
            self._says.append("the end line can't be read")
            self._end = {"lines": None, "head": None}

    def _read_anchor(self, line: bytes) -> None:
        try:
            self.anchors += read_anchors(line.decode())
        except (Mistake, ValueError):
            self._says.append("one of its anchors is damaged")


def _event(line: bytes, seq: int) -> Event | Unreadable:
    try:
        return read_line(line)
    except ValueError as exc:
        return Unreadable(seq=seq, reason=str(exc))
