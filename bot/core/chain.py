"""Whether the ledger's lines are still those that were chained, and if not, which are wrong how.

A line is right if it has the next number, names the hash of the line before, has the hash of its
own body, and its personal texts fit their commitments. Where a line is wrong, a second look says
what was done: a line that fits under another number was moved, a number that fits none was taken
out. What is consistent in itself can still be a forgery; only an anchor kept outside shows that.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from bot.core.anchors import Anchor
from bot.core.ledger import ERASED, Event, Head, Unreadable
from brand.spec import sha256_hex

MAX_FINDINGS = 100
"""Wrong lines that are named; the others are counted."""
MAX_SHIFT = 16
"""Lines taken out or put in at one place that are recognised as such."""


class Fault(StrEnum):
    """What was done to the ledger."""

    CHANGED = "changed"
    DELETED = "deleted"
    INSERTED = "inserted"
    SWAPPED = "swapped"
    REWRITTEN = "rewritten"
    CUT_OFF = "cut off"
    TEXT_CHANGED = "text changed"
    TEXT_MISSING = "text missing"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that is wrong. `seq` is the line's number."""

    seq: int
    fault: Fault
    says: str


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a walk over the whole chain found."""

    lines: int
    head: Head
    findings: tuple[Finding, ...] = ()
    """By line number, the first MAX_FINDINGS."""
    more: int = 0
    """Wrong lines beyond those named."""
    texts: int = 0
    """Personal texts that fit their commitments."""
    erased: int = 0
    """Texts that were taken out when a person was erased."""
    anchors: int = 0
    """Anchors that were compared."""
    anchored: int = 0
    """The last line that an anchor confirms."""
    waiting: int = 0
    """Events that are not chained yet, and so not protected."""

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings


def wrong_texts(line: Event) -> tuple[str, ...]:
    """Names of the personal texts that are not those that were committed to."""
    return tuple(
        name
        for name, text in line.personal.items()
        if line.commitments.get(name) != text.commitment
    )


def follows(line: Event, before: Head) -> bool:
    """Whether this is the right next line after `before`, with the texts that it commits to."""
    in_place = line.seq == before.seq + 1 and line.previous == before.hash
    return in_place and _hashed(line) and not wrong_texts(line)


@dataclass(frozen=True, kw_only=True)
class _Suspect:
    """A line whose hash is not that of its body."""

    line: Event
    seq: int
    offset: int = 0
    """Its hash fits if it stood so many lines further on."""
    part: str = ""
    """Which part alone was changed, where that can be told."""


class ChainCheck:
    """A walk along the chain: hand it every line in order, then ask for the report."""

    def __init__(self, anchors: Iterable[Anchor] = ()) -> None:
        self._anchors: dict[int, list[Anchor]] = {}
        for anchor in anchors:
            self._anchors.setdefault(anchor.seq, []).append(anchor)
        self._head = Head()
        self._link_known = True
        """Whether the hash that the next line must name is known."""
        self._lines = self._texts = self._more = self._anchored = 0
        self._shift = 0
        """By how much the lines here were renumbered."""
        self._findings: list[Finding] = []
        self._suspects: list[_Suspect] = []
        self._gone: dict[tuple[str, str], _Gone] = {}
        self._erased: set[str] = set()

    def add(self, line: Event | Unreadable) -> None:
        """The next stored line."""
        self._lines += 1
        seq = line.seq or 0
        self._check_number(seq)
        if isinstance(line, Unreadable):
            self._find(seq, Fault.CHANGED, f"it can't be read any more: {line.reason}")
            self._head, self._link_known = Head(seq=seq), False
            return
        if fits := self._fits(line):
            self._check_link(line)
            self._check_texts(line)
        else:
            self._suspect(line)
        self._check_anchor(line)
        self._head, self._link_known = Head(seq=max(seq, self._head.seq), hash=line.hash), fits

    def note_waiting(self, events: Iterable[Event]) -> None:
        """Events that are not chained yet explain erased texts too."""
        for event in events:
            self._note_erasure(event)

    def report(self, *, waiting: int = 0) -> Report:
        """What was found."""
        findings = [*self._findings, *_judged(self._suspects), *self._withheld(), *self._cut_off()]
        findings.sort(key=lambda finding: finding.seq)
        return Report(
            lines=self._lines,
            head=self._head,
            findings=tuple(findings[:MAX_FINDINGS]),
            more=self._more + max(len(findings) - MAX_FINDINGS, 0),
            texts=self._texts,
            erased=sum(gone.count for key, gone in self._gone.items() if self._explained(key)),
            anchors=sum(len(found) for found in self._anchors.values()),
            anchored=self._anchored,
            waiting=waiting,
        )

    def _find(self, seq: int, fault: Fault, says: str) -> None:
        if len(self._findings) < MAX_FINDINGS:
            self._findings.append(Finding(seq=seq, fault=fault, says=says))
        else:
            self._more += 1

    def _check_number(self, seq: int) -> None:
        expected = self._head.seq + 1
        if seq > expected:
            gone = f"#{expected}" if seq == expected + 1 else f"#{expected} to #{seq - 1}"
            self._find(expected, Fault.DELETED, f"{gone} is missing")
            self._link_known = False
        elif seq < expected:
            self._find(seq, Fault.INSERTED, "a line with this number has no place here")
            self._link_known = False

    def _fits(self, line: Event) -> bool:
        """Whether the line has the hash of its body, renumbered as those before it."""
        if follows(line, self._head) or _hashed(line):
            self._shift = 0
            return True
        return bool(self._shift) and _hashed(line, self._shift)

    def _check_link(self, line: Event) -> None:
        if not self._link_known or line.previous == self._head.hash:
            return
        if self._head.seq == 0:
            self._find(1, Fault.REWRITTEN, "it names a line before it, but it is the first")
            return
        says = f"it was given a new hash: #{line.seq} still names the old one"
        self._find(self._head.seq, Fault.REWRITTEN, says)

    def _check_texts(self, line: Event) -> None:
        self._note_erasure(line)
        for name in wrong_texts(line):
            says = f"the text {name!r} is not the one that was recorded"
            self._find(line.seq or 0, Fault.TEXT_CHANGED, says)
        self._texts += len(line.personal)
        missing = len(line.commitments) - len(line.personal)
        if missing > 0:
            key = (line.actor, _person_of(line))
            known = self._gone.get(key, _Gone(seq=line.seq or 0))
            self._gone[key] = replace(known, count=known.count + missing)

    def _note_erasure(self, event: Event) -> None:
        if event.action == ERASED:
            self._erased.add(_person_of(event))

    def _explained(self, key: tuple[str, str]) -> bool:
        return bool(self._erased & {person for person in key if person})

    def _withheld(self) -> Iterator[Finding]:
        for key, gone in self._gone.items():
            if not self._explained(key):
                says = f"{gone.count} texts of this person are gone, but nobody was erased"
                yield Finding(seq=gone.seq, fault=Fault.TEXT_MISSING, says=says)

    def _suspect(self, line: Event) -> None:
        if len(self._suspects) >= MAX_FINDINGS:
            self._more += 1
            return
        offset = next((step for step in _STEPS if _hashed(line, step)), 0)
        if offset:
            self._shift = offset
        relinked = self._link_known and _hashed(replace(line, previous=self._head.hash))
        part = "its link to the line before was changed" if relinked else ""
        self._suspects.append(_Suspect(line=line, seq=line.seq or 0, offset=offset, part=part))

    def _check_anchor(self, line: Event) -> None:
        for anchor in self._anchors.get(line.seq or 0, ()):
            if anchor.hash == line.hash:
                self._anchored = line.seq or 0
                continue
            since = f"since #{self._anchored}" if self._anchored else "from the start"
            says = (
                f"this is not the line that the anchor of {anchor.at:%Y-%m-%d %H:%M} UTC names: "
                f"lines {since} were rewritten"
            )
            self._find(anchor.seq, Fault.REWRITTEN, says)

    def _cut_off(self) -> Iterator[Finding]:
        for seq in sorted(seq for seq in self._anchors if seq > self._head.seq)[:1]:
            at = self._anchors[seq][0].at
            says = f"the chain ends here, but the anchor of {at:%Y-%m-%d %H:%M} UTC names #{seq}"
            yield Finding(seq=self._head.seq + 1, fault=Fault.CUT_OFF, says=says)


@dataclass(frozen=True, kw_only=True)
class _Gone:
    """Texts of one actor and subject that are not there any more."""

    seq: int
    count: int = 0


_STEPS = [step * sign for step in range(1, MAX_SHIFT + 1) for sign in (1, -1)]


def _hashed(line: Event, further: int = 0) -> bool:
    moved = replace(line, seq=(line.seq or 0) + further) if further else line
    try:
        return sha256_hex(moved.body()) == line.hash
    except (TypeError, ValueError, AttributeError):
        return False  # a column holds what no event has: then the hash can't be its own


def _person_of(event: Event) -> str:
    kind, _, key = str(event.subject).partition(":")
    return key if kind == "person" else ""


def _judged(suspects: Sequence[_Suspect]) -> Iterator[Finding]:
    """What was done to the lines whose hash does not fit."""
    swapped: set[int] = set()
    for place, one in enumerate(suspects):
        if place in swapped:
            continue
        for other_place in range(place + 1, len(suspects)):
            other = suspects[other_place]
            if _are_swapped(one.line, other.line):
                swapped.add(other_place)
                says = f"#{one.seq} and #{other.seq} were swapped"
                yield Finding(seq=one.seq, fault=Fault.SWAPPED, says=says)
                break
        else:
            yield _judge(one)


def _are_swapped(one: Event, other: Event) -> bool:
    """Whether each fits in the other's place, with or without the link that it has here."""
    seq, previous = one.seq or 0, one.previous
    here = replace(other, seq=seq), replace(other, seq=seq, previous=previous, hash=one.hash)
    there = (
        replace(one, seq=other.seq),
        replace(one, seq=other.seq, previous=other.previous, hash=other.hash),
    )
    return any(_hashed(a) and _hashed(b) for a, b in zip(here, there, strict=True))


def _judge(suspect: _Suspect) -> Finding:
    seq, offset = suspect.seq, suspect.offset
    if offset > 0:
        says = f"{_lines(offset)} taken out here, and the later ones renumbered"
        return Finding(seq=seq, fault=Fault.DELETED, says=says)
    if offset < 0:
        says = f"{_lines(-offset)} put in here, and the later ones renumbered"
        return Finding(seq=seq + offset, fault=Fault.INSERTED, says=says)
    says = suspect.part or "it is not as it was chained"
    return Finding(seq=seq, fault=Fault.CHANGED, says=says)


def _lines(count: int) -> str:
    return "a line was" if count == 1 else f"{count} lines were"
