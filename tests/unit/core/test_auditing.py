"""An export of the ledger can be checked far from its house, and any changed byte shows."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from bot.core.anchors import Anchor, read_anchors
from bot.core.auditing import (
    export_ledger,
    plain_line,
    read_line,
    verify_export,
    verify_ledger,
)
from bot.core.chain import Fault, Report, follows
from bot.core.errors import Mistake
from bot.core.ledger import ERASED, Event, Head
from bot.core.sequencing import Sequencer, chained
from brand.spec import canonical_json
from tests.fakes.ledger_lines import START, make_chain, make_events
from tests.fakes.town import Town, make_town

FEW = 12
MANY = 1000


async def town_with(events: Sequence[Event]) -> Town:
    """A house whose ledger holds these events, chained."""
    town = await make_town()
    async with town.house.store.write() as tx:
        for event in events:
            await tx.ledger.append(event)
    while await Sequencer(town.house, "s1").run_one():
        pass
    return town


async def exported(count: int, anchors: Sequence[Anchor] = ()) -> list[bytes]:
    """An export of so many lines."""
    town = await town_with(make_events(count))
    return [line async for line in export_ledger(town.house, anchors)]


def last_anchor(count: int) -> Anchor:
    """The anchor of a chain of so many lines."""
    return Anchor(seq=count, hash=make_chain(count)[-1].hash, count=count, at=START)


def faults(report: Report) -> list[Fault]:
    """What was found."""
    return [finding.fault for finding in report.findings]


async def test_an_export_is_verified_without_its_house() -> None:
    report = verify_export(await exported(FEW, [last_anchor(FEW)]))
    assert report.sound
    assert (report.lines, report.anchored) == (FEW, FEW)


async def test_any_changed_byte_of_an_export_shows() -> None:
    lines = await exported(3, [last_anchor(3)])
    for number, line in enumerate(lines):
        for place in range(len(line)):
            changed = bytearray(line)
            changed[place] ^= 1
            forged = b"".join([*lines[:number], bytes(changed), *lines[number + 1 :]])
            try:
                report = verify_export(forged.splitlines(keepends=True))
            except Mistake:
                assert number == 0, "only the header decides whether it is an export at all"
            else:
                assert not report.sound, (number, place)


@pytest.mark.deep
def test_any_changed_byte_of_a_thousand_lines_shows_in_that_line() -> None:
    """Without the checksum at the export's end, which a forger would make anew."""
    undetected = []
    before = Head()
    for line in make_chain(MANY):
        data = canonical_json(plain_line(line))
        for place in range(len(data)):
            changed = bytearray(data)
            changed[place] ^= 1 << (place % 8)
            try:
                read = read_line(bytes(changed))
            except ValueError:
                continue
            if follows(read, before):
                undetected.append((line.seq, place))
        before = line.head
    assert undetected == []


async def test_an_export_without_its_end_was_cut_off() -> None:
    lines = await exported(FEW)
    assert not verify_export(lines[:-1]).sound
    assert not verify_export(lines[:-3] + lines[-1:]).sound


async def test_a_forged_end_shows_against_an_anchor() -> None:
    shorter = await exported(FEW - 3)
    assert verify_export(shorter).sound
    assert faults(verify_export(shorter, [last_anchor(FEW)])) == [Fault.CUT_OFF]


async def test_lines_after_the_end_show() -> None:
    lines = await exported(FEW)
    assert not verify_export([*lines, lines[3]]).sound


async def test_what_is_no_export_is_named_a_mistake() -> None:
    with pytest.raises(Mistake, match="not an export"):
        verify_export([b"GIF89a\n"])


async def test_the_ledger_of_a_house_is_verified_with_what_waits() -> None:
    town = await town_with(make_events(FEW))
    async with town.house.store.write() as tx:
        await tx.ledger.append(make_events(FEW + 1)[-1])
    report = await verify_ledger(town.house.store, [last_anchor(FEW)])
    assert report.sound
    assert (report.lines, report.waiting, report.anchored) == (FEW, 1, FEW)


async def test_an_erased_person_leaves_a_ledger_that_verifies() -> None:
    town = await town_with(make_events(FEW))
    before = await verify_ledger(town.house.store)
    async with town.house.store.write() as tx:
        count = await tx.ledger.forget("mia")
        await tx.ledger.append(Event(action=ERASED, subject="person:mia", at=START, actor="ida"))
    report = await verify_ledger(town.house.store, [last_anchor(FEW)])
    assert report.sound
    assert (report.texts, report.erased) == (before.texts - count, count)
    export = [line async for line in export_ledger(town.house, [])]
    assert b"a red mug" not in b"".join(export)


def test_an_anchor_is_read_back_from_any_text_around_it() -> None:
    anchor = last_anchor(FEW)
    post = f"Ledger anchor #12\nKeep this post.\n> `{anchor.line()}`\nAna: thanks"
    assert read_anchors(post) == [anchor]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no anchor here",
        '{"housestyle-anchor": {"seq": 1}}',
        '{"housestyle-anchor": ' * 2000,
        last_anchor(FEW).line().replace('"seq":12', '"seq":13'),
        last_anchor(FEW).line().replace('"seq":12', '"seq":true'),
        last_anchor(FEW).line().replace('"hash":"', '"hash":"A'),
    ],
)
def test_a_damaged_anchor_is_a_mistake(text: str) -> None:
    with pytest.raises(Mistake):
        read_anchors(text)


def test_a_chain_continues_where_it_ended() -> None:
    first, rest = make_events(FEW)[:5], make_events(FEW)[5:]
    head = chained(first, Head())[-1].head
    assert chained(rest, head)[-1] == make_chain(FEW)[-1]
    assert replace(make_chain(FEW)[0], hash="").previous == ""
