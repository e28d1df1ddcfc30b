"""Anchors go out when something changed, to a file and a channel, and show what was rewritten."""

import logging
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.core.anchors import EVERY, EVERY_LINES, AnchorPlaces, anchor_due, anchor_now, read_anchors
from bot.core.auditing import verify_ledger
from bot.core.ledger import Event
from bot.core.messages import ChannelRef
from bot.core.sequencing import chain_all
from bot.core.trail import check_due, check_ledger
from storage.anchor_file import FileAnchors
from tests.fakes.town import Town
from tests.scenario.conftest import candidate

RECORD = ChannelRef(platform="local", channel="record")


@pytest.fixture
def book(town: Town, tmp_path: Path) -> FileAnchors:
    """The town with both places set; its file of anchors."""
    kept = FileAnchors(tmp_path / "elsewhere" / "anchors.jsonl")
    town.house = replace(town.house, anchors=AnchorPlaces(book=kept, channel=RECORD))
    return kept


async def happen(town: Town, count: int = 1) -> None:
    """Something happens and is chained."""
    async with town.house.store.write() as tx:
        for _ in range(count):
            event = Event(action="kit.loaded", subject="kit:1", at=town.clock.now())
            await tx.ledger.append(event)
    await chain_all(town.house)


async def test_an_anchor_stands_in_the_file_and_in_the_channel(
    town: Town, book: FileAnchors
) -> None:
    await candidate(town)
    await chain_all(town.house)
    assert await anchor_due(town.house) == 1
    await town.settle()
    [kept] = await book.all()
    [card] = town.chat.shown("record")
    assert read_anchors("\n".join(card.lines)) == [kept]
    report = await verify_ledger(town.house.store, [kept])
    assert report.sound
    assert report.anchored == kept.seq == kept.count


async def test_an_anchor_is_made_when_something_changed_and_not_before(
    town: Town, book: FileAnchors
) -> None:
    assert await anchor_due(town.house) == 0, "nothing is chained yet"
    await happen(town)
    assert await anchor_due(town.house) == 1
    await chain_all(town.house)
    await town.clock.advance(EVERY.total_seconds() * 3)
    assert await anchor_due(town.house) == 0, "only the anchor itself was recorded since"
    await happen(town)
    assert await anchor_due(town.house) == 1
    await happen(town)
    assert await anchor_due(town.house) == 0, "not within the hour"
    await happen(town, EVERY_LINES)
    assert await anchor_due(town.house) == 1
    assert [anchor.seq for anchor in await book.all()] == [1, 3, 5 + EVERY_LINES]


async def test_without_a_place_anchors_are_made_by_hand_alone(town: Town) -> None:
    await happen(town)
    assert await anchor_due(town.house) == 0
    made = await anchor_now(town.house, actor="ida")
    assert made is not None
    assert made.seq == 1


async def test_a_file_that_cannot_be_written_is_said_and_the_post_goes_out(
    town: Town, book: FileAnchors, caplog: pytest.LogCaptureFixture
) -> None:
    book.path.parent.write_text("a file where a folder should be")
    await happen(town)
    assert await anchor_due(town.house) == 1
    await town.settle()
    assert "could not be written" in caplog.text
    assert len(town.chat.shown("record")) == 1
    async with town.house.store.read() as tx:
        [told] = await tx.ledger.recent(subject="ledger:chain")
    assert told.facts["places"] == ["channel"]


async def test_a_rewritten_ledger_is_noticed_by_the_next_anchor(
    town: Town, book: FileAnchors, caplog: pytest.LogCaptureFixture
) -> None:
    await happen(town)
    await anchor_now(town.house)
    [kept] = await book.all()
    book.path.write_text(replace(kept, hash="0" * 64).line() + "\n")
    await happen(town)
    with caplog.at_level(logging.ERROR):
        await anchor_now(town.house)
    assert "not the one that was anchored" in caplog.text
    assert not (await check_ledger(town.house)).sound


async def test_half_a_line_that_a_power_cut_left_swallows_nothing(
    town: Town, book: FileAnchors
) -> None:
    await happen(town)
    await anchor_now(town.house)
    with book.path.open("a") as file:
        file.write('{"housestyle-anchor":{"count":1')
    await happen(town)
    await anchor_now(town.house)
    assert [anchor.seq for anchor in await book.all()] == [1, 2 + 1]


async def test_the_whole_chain_is_checked_once_a_day(town: Town) -> None:
    assert await check_due(town.house) == 0
    await happen(town)
    assert await check_due(town.house) == 1
    assert await check_due(town.house) == 0
    await town.clock.advance(timedelta(days=1).total_seconds())
    assert await check_due(town.house) == 1
    async with town.house.store.read() as tx:
        told = (await tx.ledger.recent(subject="ledger:chain"))[0]
    assert told.facts["sound"]
