"""Slack is told "received" once a delivery is on the disk, and neither before nor much later."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from bot.chat.slack_chat.incoming.heard import Kind
from bot.chat.slack_chat.incoming.intake import AT_ONCE, FILES_PLATFORM, LIVE_PLATFORM
from bot.chat.slack_chat.places import PLATFORM
from bot.core.errors import Unavailable
from storage.errors import DiskFailed
from storage.inbox import JournalInbox
from tests.fakes.slack_intake import Taking, taking
from tests.fakes.waiting import until
from tests.hostile.slack import CLICK, COMMAND, EVENT, SENT_OFF, SUGGESTION

OPENER = COMMAND | {"text": "", "trigger_id": "9.9"}
SWITCH = CLICK | {
    "view": {"id": "V1", "type": "modal", "hash": "h"},
    "actions": [{"action_id": "pick_brand", "selected_option": {"value": "acme"}}],
}
SHORTCUT = {
    "type": "shortcut",
    "callback_id": "new_picture",
    "team": {"id": "T1"},
    "user": {"id": "U1"},
    "trigger_id": "4.1",
}
FIELDS = [{"type": "section"}, {"type": "input", "block_id": "words"}]
FORM = SENT_OFF | {"view": SENT_OFF["view"] | {"blocks": FIELDS}}
WRITTEN_DOWN = {
    "event": EVENT,
    "command": COMMAND,
    "opener": OPENER,
    "click": CLICK,
    "switch": SWITCH,
    "shortcut": SHORTCUT,
    "form": FORM,
}


@pytest.fixture
async def house() -> AsyncIterator[Taking]:
    """What takes in."""
    async with taking() as made:
        yield made


async def deliver(house: Taking, payload: dict[str, Any]) -> BoltResponse:
    """As both transports do."""
    return await house.bolt.async_dispatch(AsyncBoltRequest(mode="socket_mode", body=dict(payload)))


def body(answer: BoltResponse) -> Any:  # noqa: ANN401
    """What Slack reads."""
    return json.loads(answer.body) if answer.body else None


@pytest.mark.parametrize("surface", WRITTEN_DOWN)
async def test_nothing_is_acknowledged_before_it_is_written_down(
    house: Taking, surface: str
) -> None:
    house.inbox.gate.clear()
    acknowledging = asyncio.create_task(deliver(house, WRITTEN_DOWN[surface]))
    await until(lambda: house.inbox.begun)
    assert not acknowledging.done()
    house.inbox.gate.set()
    answer = await acknowledging
    assert (answer.status, answer.body) == (200, "")
    assert [one.id for one in house.inbox.put_down] == house.inbox.begun


@pytest.mark.parametrize("surface", WRITTEN_DOWN)
async def test_an_acknowledgement_waits_for_no_work(house: Taking, surface: str) -> None:
    house.desk.gate.clear()
    answer = await deliver(house, WRITTEN_DOWN[surface])
    assert (answer.status, answer.body) == (200, "")
    assert house.desk.heard == []
    house.desk.gate.set()
    await until(lambda: house.desk.heard + house.desk.live)


@pytest.mark.parametrize("surface", ["opener", "switch", "shortcut"])
async def test_what_needs_an_answer_in_three_seconds_has_a_lane_of_its_own(
    house: Taking, surface: str
) -> None:
    house.desk.gate.clear()
    for number in range(100):
        await deliver(house, COMMAND | {"trigger_id": f"slow.{number}"})
    await deliver(house, WRITTEN_DOWN[surface])
    await until(lambda: house.desk.live)
    assert house.desk.heard == [], "the slow ones are still at it"
    assert house.inbox.put_down[-1].platform == LIVE_PLATFORM
    assert AT_ONCE < 100
    house.desk.gate.set()
    await until(lambda: len(house.desk.heard) == 100)


def bringing(number: int) -> dict[str, Any]:
    """Somebody mentions the app beside a picture."""
    event = EVENT["event"] | {"files": [{"id": f"F{number}"}]}
    return EVENT | {"event_id": f"Ev{number}", "event": event}


async def test_words_do_not_wait_for_the_pictures_that_others_bring(house: Taking) -> None:
    house.desk.gate.clear()
    house.desk.slow = lambda heard: bool(heard.files)
    for number in range(100):
        await deliver(house, bringing(number))
    await deliver(house, COMMAND)
    await until(lambda: house.desk.heard)
    assert [heard.kind for heard in house.desk.heard] == [Kind.COMMAND]
    house.desk.gate.set()
    await until(lambda: len(house.desk.heard) == 101)


async def test_a_form_with_a_picture_is_one_that_brings(house: Taking) -> None:
    values = {"file": {"file": {"type": "file_input", "files": [{"id": "F1"}]}}}
    view = SENT_OFF["view"] | {"callback_id": "imagine", "state": {"values": values}}
    await deliver(house, SENT_OFF | {"view": view})
    assert house.inbox.put_down[-1].platform == FILES_PLATFORM
    view = view | {"state": {"values": {}}}
    await deliver(house, SENT_OFF | {"view": view})
    assert house.inbox.put_down[-1].platform == PLATFORM


async def test_a_delivery_that_comes_again_while_it_is_worked_off_is_the_same_work(
    house: Taking,
) -> None:
    house.desk.gate.clear()
    answers = [await deliver(house, COMMAND) for _ in range(3)]
    assert [answer.status for answer in answers] == [200] * 3
    house.desk.gate.set()
    await until(lambda: house.desk.heard)
    await house.intake.finish(5)
    assert len(house.desk.heard) == 1


async def test_what_is_wrong_with_a_form_is_said_at_its_fields_and_nothing_is_queued(
    house: Taking,
) -> None:
    house.desk.wrong = {"words": "Acme's kit doesn't allow the word 'cheap'."}
    answer = await deliver(house, FORM)
    assert body(answer) == {"response_action": "errors", "errors": house.desk.wrong}
    assert house.inbox.begun == []
    house.desk.wrong = {}
    assert (await deliver(house, FORM)).body == ""
    await until(lambda: [one.kind for one in house.desk.heard] == [Kind.SUBMIT])


async def test_options_come_from_memory_and_leave_no_trace(house: Taking) -> None:
    house.inbox.trouble = DiskFailed("The disk is full.")
    answer = await deliver(house, SUGGESTION)
    assert body(answer)["options"][0]["text"]["text"] == "pick_brand ac"
    assert house.inbox.begun == []


@pytest.mark.parametrize("trouble", [DiskFailed("full"), Unavailable("locked"), ValueError("bug")])
@pytest.mark.parametrize("surface", WRITTEN_DOWN)
async def test_what_can_t_be_written_down_is_not_acknowledged_but_answered(
    house: Taking, surface: str, trouble: Exception
) -> None:
    house.inbox.trouble = trouble
    answer = await deliver(house, WRITTEN_DOWN[surface])
    is_bug = not isinstance(trouble, Unavailable)
    if surface in ("command", "opener"):
        assert answer.status == 200
        assert body(answer)["response_type"] == "ephemeral"
        assert "nothing was queued" in body(answer)["text"]
        assert ("Reference:" in body(answer)["text"]) is is_bug
    elif surface == "form":
        assert "nothing was queued" in body(answer)["errors"]["words"]
    else:
        assert (answer.status, answer.body) == (500 if is_bug else 503, "")
    await house.intake.finish(5)
    assert house.desk.heard + house.desk.live == []


async def test_a_bug_while_a_form_is_checked_is_answered_with_a_reference_that_is_logged(
    house: Taking, caplog: pytest.LogCaptureFixture
) -> None:
    house.desk.trips = True
    with caplog.at_level(logging.ERROR):
        answer = await deliver(house, FORM)
    assert "Reference: " in body(answer)["errors"]["words"]
    assert any(record.exc_info for record in caplog.records)
    assert body(await deliver(house, SUGGESTION)) == {"options": []}


async def test_a_form_without_fields_that_can_t_be_taken_fails_openly(house: Taking) -> None:
    house.inbox.trouble = DiskFailed("full")
    assert (await deliver(house, SENT_OFF)).status == 503


async def test_what_an_earlier_process_left_is_worked_off_in_its_lane(tmp_path: Path) -> None:
    gone = await JournalInbox.open(tmp_path)
    async with taking(inbox=gone) as before:
        before.desk.gate.clear()
        for payload in (COMMAND, OPENER):
            await deliver(before, payload)
        await until(lambda: before.desk.live)
        await before.intake.finish(0)  # it ends before the command was done
    await gone.close()
    reborn = await JournalInbox.open(tmp_path)
    async with taking(inbox=reborn) as after, after.intake.sweeping():
        await until(lambda: after.desk.heard)
        assert [one.text for one in after.desk.heard] == [COMMAND["text"]]
        await until(lambda: _is_empty(reborn))
    await reborn.close()


async def _is_empty(inbox: JournalInbox) -> bool:
    return not await inbox.pending()


async def test_a_real_disk_is_synced_before_the_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    synced: list[int] = []
    real = os.fsync
    inbox = await JournalInbox.open(tmp_path)
    async with taking(inbox=inbox) as house:
        house.desk.gate.clear()
        await deliver(house, OPENER)  # makes the journal
        monkeypatch.setattr(os, "fsync", lambda fd: (synced.append(fd), real(fd)))
        await deliver(house, COMMAND)
        assert synced
        house.desk.gate.set()
    await inbox.close()
