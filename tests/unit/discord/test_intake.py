"""What people do in Discord is on the disk first, then acknowledged, and worked off after that."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.chat.discord_chat.heard import Did
from bot.chat.discord_chat.incoming.intake import ELSEWHERE, NOT_OURS, NOT_TAKEN
from bot.chat.discord_chat.places import FILES_PLATFORM, PLATFORM, REACTIONS_PLATFORM
from bot.core.errors import Unavailable
from storage.errors import DiskFailed
from storage.inbox import JournalInbox
from tests.fakes.discord_intake import Taking, taking
from tests.fakes.waiting import until
from tests.hostile.discord import (
    APP,
    ASKS,
    CLICK,
    COMMAND,
    GUILD,
    MENU,
    REACTION,
    SENT_OFF,
    TYPING,
    WITH_PICTURE,
)

FORM = {"custom_id": "form:reason:reject:r1", "title": "Reject", "components": []}
SHOWN = CLICK | {"data": {"custom_id": "shown:1", "component_type": 2}}
WRITTEN_DOWN = {
    "command": COMMAND,
    "picture": WITH_PICTURE,
    "menu": MENU,
    "click": CLICK,
    "asks": ASKS,
    "form": SENT_OFF,
}


@pytest.fixture
async def house() -> AsyncIterator[Taking]:
    """What takes in."""
    async with taking() as made:
        yield made


@pytest.mark.parametrize("surface", WRITTEN_DOWN)
async def test_nothing_is_acknowledged_before_it_is_written_down(
    house: Taking, surface: str
) -> None:
    house.inbox.gate.clear()
    taking_in = asyncio.create_task(house.taken(WRITTEN_DOWN[surface]))
    await until(lambda: house.inbox.begun)
    assert house.acks.given == []
    house.inbox.gate.set()
    assert await taking_in == ("later", "")
    assert [one.id for one in house.inbox.put_down] == [f"interaction:{_id_of(surface)}"]


def _id_of(surface: str) -> str:
    return str(WRITTEN_DOWN[surface]["id"])


@pytest.mark.parametrize("taken", [True, False])
@pytest.mark.parametrize("surface", WRITTEN_DOWN)
async def test_work_begins_when_the_acknowledgement_was_answered_or_failed_and_knows_which(
    house: Taking, surface: str, taken: bool
) -> None:
    house.acks.taken = taken
    house.acks.gate.clear()
    taking_in = asyncio.create_task(house.taken(WRITTEN_DOWN[surface]))
    await until(lambda: house.acks.given)
    assert house.desk.heard == []
    house.acks.gate.set()
    await taking_in
    await until(lambda: house.desk.heard)
    assert house.desk.heard[0].acked is taken
    assert "acked" not in house.inbox.put_down[0].payload, "on the disk nothing is sure yet"


async def test_a_sweep_in_the_middle_waits_for_the_acknowledgement_too(house: Taking) -> None:
    house.acks.gate.clear()
    taking_in = asyncio.create_task(house.taken(COMMAND))
    await until(lambda: house.acks.given)
    async with house.intake.sweeping():
        reading = len(house.inbox.begun)
        await until(lambda: house.intake._lane._in_hand)
        assert house.desk.heard == []
        house.acks.gate.set()
        await taking_in
        await until(lambda: house.desk.heard)
    await house.intake.finish(5)
    assert [one.acked for one in house.desk.heard] == [True]
    assert len(house.inbox.begun) == reading


@pytest.mark.parametrize("surface", WRITTEN_DOWN)
async def test_an_acknowledgement_waits_for_no_work(house: Taking, surface: str) -> None:
    house.desk.gate.clear()
    assert await house.taken(WRITTEN_DOWN[surface]) == ("later", "")
    assert house.desk.heard == []


async def test_a_button_that_asks_opens_its_form_at_once_and_leaves_no_trace(
    house: Taking,
) -> None:
    house.desk.opens = FORM
    assert await house.taken(ASKS) == ("form", FORM)
    custom_id, heard = house.desk.asked[-1]
    assert (custom_id, heard.action) == ("ask:reason:reject:r1", "reject:r1")
    assert house.inbox.begun == []


async def test_a_command_that_needs_more_opens_its_form_at_once(house: Taking) -> None:
    house.desk.opens = FORM
    assert await house.taken(COMMAND) == ("form", FORM)
    assert house.inbox.begun == []


async def test_what_a_menu_points_at_is_written_down_before_its_form_opens(house: Taking) -> None:
    """Its picture is fetched while the form is open: addresses expire."""
    house.desk.opens = FORM
    house.inbox.gate.clear()
    taking_in = asyncio.create_task(house.taken(MENU))
    await until(lambda: house.inbox.begun)
    assert house.acks.given == []
    house.inbox.gate.set()
    assert await taking_in == ("form", FORM)
    await until(lambda: house.desk.heard)
    (heard,) = house.desk.heard
    assert (heard.did, heard.files) == (Did.MENU, ("https://cdn/1.png",))
    assert not heard.acked, "a form is no place for an answer"


async def test_choices_come_from_memory_and_leave_no_trace(house: Taking) -> None:
    house.inbox.trouble = DiskFailed("The disk is full.")
    assert await house.taken(TYPING) == ("choices", [("template pro", "acme")])
    asked = ("5001", ("4200",), GUILD, "4100", "imagine", "template", "pro")
    assert house.desk.asked[-1][:7] == asked
    assert house.desk.asked[-1][7]["prompt"] == "a mug"
    assert house.inbox.begun == []


async def test_choices_never_fail(house: Taking) -> None:
    house.desk.trips = True
    assert await house.taken(TYPING) == ("choices", [])
    assert await house.taken(TYPING | {"data": {"name": "imagine"}}) == ("choices", [])
    assert await house.taken(TYPING | {"data": []}) == ("choices", [])


async def test_a_click_that_does_nothing_is_acknowledged_and_leaves_no_trace(
    house: Taking,
) -> None:
    assert await house.taken(SHOWN) == ("nothing", "")
    assert house.inbox.begun == []


@pytest.mark.parametrize("trouble", [DiskFailed("full"), Unavailable("locked"), ValueError("bug")])
@pytest.mark.parametrize("surface", WRITTEN_DOWN)
async def test_what_can_t_be_written_down_is_told_at_once_and_not_done(
    house: Taking, surface: str, trouble: Exception
) -> None:
    house.inbox.trouble = trouble
    kind, said = await house.taken(WRITTEN_DOWN[surface])
    assert kind == "says"
    assert "nothing was queued" in said
    assert (said == NOT_TAKEN) is isinstance(trouble, Unavailable)
    await house.intake.finish(5)
    assert house.desk.heard == []


async def test_a_bug_is_told_with_a_reference_that_is_logged(
    house: Taking, caplog: pytest.LogCaptureFixture
) -> None:
    house.desk.trips = True
    with caplog.at_level(logging.ERROR):
        kind, said = await house.taken(ASKS)
    assert kind == "says"
    assert "Reference: " in said
    assert any(record.exc_info for record in caplog.records)


async def test_an_odd_shape_is_told_and_not_done(house: Taking) -> None:
    assert await house.taken(COMMAND | {"data": None}) == ("says", NOT_OURS)
    other = {"name": "other", "type": 1}
    assert await house.taken(COMMAND | {"data": other}) == ("says", NOT_OURS)
    await house.intake.taken({"type": 2}, house.acks)
    assert len(house.acks.given) == 2, "nobody can be answered without an id"
    assert house.inbox.begun == []


async def test_other_servers_than_the_listed_are_told_so(house: Taking) -> None:
    async with taking(guilds=("77",)) as listed:
        assert await listed.taken(COMMAND) == ("says", ELSEWHERE)
        assert await listed.taken(TYPING) == ("choices", [])
        await listed.intake.reacted(REACTION, own=APP, added=True)
        assert listed.inbox.begun == []
        assert listed.desk.asked == []
        assert (await listed.taken(COMMAND | {"guild_id": "77"}))[0] == "later"
        direct = {name: value for name, value in COMMAND.items() if name != "guild_id"}
        assert (await listed.taken(direct | {"context": 1, "id": "12"}))[0] == "later"
    assert (await house.taken(COMMAND))[0] == "later", "without a list any server may"


async def test_words_do_not_wait_for_the_pictures_that_others_bring(house: Taking) -> None:
    house.desk.gate.clear()
    house.desk.slow = lambda heard: bool(heard.files)
    for number in range(50):
        await house.taken(WITH_PICTURE | {"id": f"{700 + number}"})
    await house.taken(COMMAND)
    await until(lambda: house.desk.heard)
    assert [heard.files for heard in house.desk.heard] == [()]
    assert house.inbox.put_down[0].platform == FILES_PLATFORM
    assert house.inbox.put_down[-1].platform == PLATFORM


async def test_nobody_waits_for_reactions(house: Taking) -> None:
    house.desk.gate.clear()
    house.desk.slow = lambda heard: heard.did is Did.REACTED
    for _ in range(50):
        await house.intake.reacted(REACTION, own=APP, added=True)
    await house.taken(COMMAND)
    await until(lambda: house.desk.heard)
    assert house.inbox.put_down[0].platform == REACTIONS_PLATFORM
    house.desk.gate.set()
    await until(lambda: len(house.desk.heard) == 51)


async def test_each_reaction_is_its_own_delivery_for_it_may_be_put_again(house: Taking) -> None:
    await house.intake.reacted(REACTION, own=APP, added=True)
    await house.intake.reacted(REACTION, own=APP, added=False)
    await house.intake.reacted(REACTION, own=APP, added=True)
    await until(lambda: len(house.desk.heard) == 3)
    assert len(set(house.inbox.begun)) == 3


async def test_missed_events_are_a_delivery_too(house: Taking) -> None:
    await house.intake.missed()
    await until(lambda: house.desk.heard)
    assert house.desk.heard[0].did is Did.RESYNC
    house.inbox.trouble = DiskFailed("full")
    with pytest.raises(Unavailable):
        await house.intake.missed()
    with pytest.raises(Unavailable):
        await house.intake.reacted(REACTION, own=APP, added=True)


async def test_an_interaction_that_comes_again_while_it_is_worked_off_is_the_same_work(
    house: Taking,
) -> None:
    house.desk.gate.clear()
    for _ in range(3):
        assert await house.taken(COMMAND) == ("later", "")
    house.desk.gate.set()
    await house.intake.finish(5)
    assert len(house.desk.heard) == 1


async def test_what_an_earlier_process_left_is_worked_off_and_knows_of_no_acknowledgement(
    tmp_path: Path,
) -> None:
    gone = await JournalInbox.open(tmp_path)
    async with taking(inbox=gone) as before:
        before.desk.gate.clear()
        await before.taken(COMMAND)
        await before.intake.finish(0)  # it ends before the command was done
    await gone.close()
    reborn = await JournalInbox.open(tmp_path)
    async with taking(inbox=reborn) as after, after.intake.sweeping():
        await until(lambda: after.desk.heard)
        assert after.desk.heard[0].options == (("prompt", "a red mug"),)
        assert not after.desk.heard[0].acked
        await until(lambda: _is_empty(reborn))
    await reborn.close()


async def _is_empty(inbox: JournalInbox) -> bool:
    return not await inbox.pending()


async def test_a_real_disk_is_synced_before_the_acknowledgement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[int] = []
    real = os.fsync
    inbox = await JournalInbox.open(tmp_path)
    async with taking(inbox=inbox) as house:
        await house.taken(CLICK)  # makes the journal

        def synced(fd: int) -> None:
            order.append(fd)
            real(fd)

        monkeypatch.setattr(os, "fsync", synced)
        house.acks.gate.clear()
        taking_in = asyncio.create_task(house.taken(COMMAND))
        await until(lambda: len(house.acks.given) == 2)
        assert order
        house.acks.gate.set()
        await taking_in
    await inbox.close()
