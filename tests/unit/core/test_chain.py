"""The walk along the chain names what was done to which line."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.anchors import Anchor
from bot.core.chain import MAX_FINDINGS, ChainCheck, Fault, Report
from bot.core.ledger import ERASED, Event, Personal, Unreadable
from tests.fakes.ledger_lines import START, make_chain, make_events, rechained

LINES = make_chain(30)


def check(lines: Iterable[Event | Unreadable], anchors: Iterable[Anchor] = ()) -> Report:
    """Walk along these lines."""
    walk = ChainCheck(anchors)
    for line in lines:
        walk.add(line)
    return walk.report()


def anchor(lines: list[Event], seq: int) -> Anchor:
    """An anchor of that line."""
    return Anchor(seq=seq, hash=lines[seq - 1].hash, count=seq, at=START)


def found(report: Report) -> list[tuple[int, Fault]]:
    """Which lines, and what of them."""
    return [(finding.seq, finding.fault) for finding in report.findings]


def renumbered(lines: Iterable[Event], by: int) -> list[Event]:
    """The lines under other numbers, their hashes left as they were."""
    return [replace(line, seq=(line.seq or 0) + by) for line in lines]


def test_a_whole_chain_is_sound() -> None:
    report = check(LINES, [anchor(LINES, 7), anchor(LINES, 30)])
    assert report.sound
    assert report.lines == 30
    assert report.head == LINES[-1].head
    assert report.texts == 20
    assert report.anchored == 30


def test_an_empty_chain_is_sound() -> None:
    assert check([]).sound


@pytest.mark.parametrize(
    "change",
    [
        lambda e: replace(e, action="job.done"),
        lambda e: replace(e, subject="job:other"),
        lambda e: replace(e, at=e.at + timedelta(microseconds=1)),
        lambda e: replace(e, actor="zoe"),
        lambda e: replace(e, brand="other"),
        lambda e: replace(e, facts={**e.facts, "n": -1}),
        lambda e: replace(e, facts={**e.facts, "ok": 1}),
        lambda e: replace(e, commitments={**e.commitments, "name": "0" * 64}),
        lambda e: replace(e, id="x" * 22),
        lambda e: replace(e, hash="0" * 64),
        lambda e: replace(e, previous="0" * 64),
        lambda e: replace(e, facts=["n"]),
    ],
)
@pytest.mark.parametrize("at", [0, 12, 29])
def test_any_changed_part_of_a_line_is_found_there(
    change: Callable[[Event], Event], at: int
) -> None:
    lines = [*LINES[:at], change(LINES[at]), *LINES[at + 1 :]]
    assert found(check(lines)) == [(at + 1, Fault.CHANGED)]


def test_a_line_that_cannot_be_read_is_found() -> None:
    lines = [*LINES[:5], Unreadable(seq=6, reason="not JSON"), *LINES[6:]]
    assert found(check(lines)) == [(6, Fault.CHANGED)]


def test_a_changed_line_with_a_new_hash_is_found_by_the_next_one() -> None:
    forged = replace(LINES[11], actor="zoe").linked(LINES[10].head)
    assert found(check([*LINES[:11], forged, *LINES[12:]])) == [(12, Fault.REWRITTEN)]


@pytest.mark.parametrize("count", [1, 3])
def test_deleted_lines_are_named(count: int) -> None:
    report = check([*LINES[:9], *LINES[9 + count :]])
    assert found(report) == [(10, Fault.DELETED)]
    assert "#10" in report.findings[0].says


@pytest.mark.parametrize("count", [1, 3])
def test_deleted_lines_are_named_though_the_later_ones_are_renumbered(count: int) -> None:
    report = check([*LINES[:9], *renumbered(LINES[9 + count :], -count)])
    assert found(report) == [(10, Fault.DELETED)]


@pytest.mark.parametrize("count", [1, 2])
def test_inserted_lines_are_named(count: int) -> None:
    forged = rechained([*LINES[:9], *make_events(40)[30 : 30 + count]])[9:]
    report = check([*LINES[:9], *forged, *renumbered(LINES[9:], count)])
    assert found(report) == [(10, Fault.INSERTED)]


def test_a_line_inserted_under_a_number_that_stands_there_is_named() -> None:
    forged = replace(LINES[4], actor="zoe")
    assert (5, Fault.INSERTED) in found(check([*LINES[:5], forged, *LINES[5:]]))


@pytest.mark.parametrize(("one", "other"), [(5, 6), (5, 9), (1, 30)])
def test_swapped_lines_are_named(one: int, other: int) -> None:
    lines = list(LINES)
    a, b = lines[one - 1], lines[other - 1]
    lines[one - 1], lines[other - 1] = replace(b, seq=one), replace(a, seq=other)
    assert found(check(lines)) == [(one, Fault.SWAPPED)]


def test_swapped_contents_are_named() -> None:
    lines = list(LINES)
    a, b = lines[3], lines[20]
    lines[3] = replace(b, seq=4, previous=a.previous, hash=a.hash)
    lines[20] = replace(a, seq=21, previous=b.previous, hash=b.hash)
    assert found(check(lines)) == [(4, Fault.SWAPPED)]


def test_a_cut_off_tail_shows_against_an_anchor_alone() -> None:
    assert check(LINES[:20]).sound
    assert found(check(LINES[:20], [anchor(LINES, 25)])) == [(21, Fault.CUT_OFF)]


def test_a_whole_rewrite_shows_against_an_anchor_alone() -> None:
    forged = rechained([*make_events(11), *make_events(40)[11:30]][:5] + make_events(40)[12:37])
    assert check(forged).sound
    report = check(forged, [anchor(LINES, 3), anchor(LINES, 20), anchor(LINES, 30)])
    assert found(report)[0] == (20, Fault.REWRITTEN)
    assert "#3" in report.findings[0].says
    assert report.anchored == 3


def test_a_changed_text_is_named() -> None:
    forged = {"words": Personal(value="a gold mug", salt=LINES[0].personal["words"].salt)}
    lines = [replace(LINES[0], personal=forged), *LINES[1:]]
    assert found(check(lines)) == [(1, Fault.TEXT_CHANGED)]


def test_texts_that_are_gone_without_an_erasure_are_named() -> None:
    lines = [replace(line, personal={}) if line.actor == "mia" else line for line in LINES]
    report = check(lines)
    assert found(report) == [(1, Fault.TEXT_MISSING)]
    assert report.erased == 0


@pytest.mark.parametrize("chained_already", [True, False])
def test_an_erased_person_leaves_a_sound_chain(chained_already: bool) -> None:
    erasure = Event(action=ERASED, subject="person:mia", at=START, actor="ida")
    kept = rechained([*make_events(30), erasure]) if chained_already else LINES
    lines = [replace(line, personal={}) if line.actor == "mia" else line for line in kept]
    walk = ChainCheck()
    for line in lines:
        walk.add(line)
    walk.note_waiting([] if chained_already else [erasure])
    report = walk.report()
    assert report.sound
    assert report.erased == 10
    assert report.texts == 10


def test_countless_wrong_lines_are_counted_beyond_the_first() -> None:
    lines = [replace(line, actor="zoe") for line in make_chain(150)]
    report = check(lines)
    assert len(report.findings) == MAX_FINDINGS
    assert len(report.findings) + report.more == 150
