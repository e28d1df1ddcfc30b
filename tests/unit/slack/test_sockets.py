"""Deliveries over sockets: any takes one, all come back, none is cut off in the middle."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from bot.chat.slack_chat.incoming.sockets import Link, Sockets
from bot.chat.slack_chat.options import Mode
from storage.errors import DiskFailed
from tests.fakes.slack import payloads
from tests.fakes.slack.app import FakeSlack
from tests.fakes.slack.delivery import ACK_S
from tests.fakes.slack_intake import Taking, taking
from tests.fakes.waiting import ENOUGH_S, until


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    """A Slack that is left without a complaint."""
    async with FakeSlack() as made:
        yield made
        assert made.violations == []


@asynccontextmanager
async def connected(
    slack: FakeSlack,
    *,
    sockets: int = 2,
    watch_s: float = 0.02,
    patience_s: float = 0.4,
    link: type[Link] = Link,
) -> AsyncIterator[tuple[Taking, Sockets]]:
    """A house on sockets, all of them open. It has no signing secret."""
    async with taking(
        api_url=slack.api_url,
        mode=Mode.SOCKET,
        app_token=slack.app_token,
        signing_secret="",
        sockets=sockets,
    ) as house:
        made = Sockets(house.bolt, house.options, watch_s=watch_s, patience_s=patience_s, link=link)
        before = len(slack.sockets.open)
        async with made.running():
            await until(lambda: len(slack.sockets.open) == before + sockets)
            yield house, made


async def test_people_in_slack_are_answered_over_sockets(slack: FakeSlack) -> None:
    async with connected(slack) as (house, _):
        mia = slack.person("U0MIA")
        house.desk.gate.clear()
        receipts = await asyncio.gather(
            mia.command("/imagine", "a mug", channel="C0DRAFTS"),
            mia.command("/imagine"),
            mia.shortcut("new_picture"),
            mia.mention("a mug", channel="C0DRAFTS"),
        )
        assert all(receipt.acked for receipt in receipts)
        assert all(socket.sent for socket in slack.sockets.open), "each took some"
        assert {call.method for call in slack.calls} == {"apps.connections.open"}
        house.desk.gate.set()
        await until(lambda: len(house.desk.heard) == 2 and len(house.desk.live) == 2)


async def test_what_is_said_with_the_acknowledgement_arrives(slack: FakeSlack) -> None:
    async with connected(slack, sockets=1) as (house, _):
        house.inbox.trouble = DiskFailed("The disk is full.")
        mia = slack.person("U0MIA")
        receipt = await mia.command("/imagine", "a mug", channel="C0DRAFTS")
        assert "nothing was queued" in receipt.body["text"]


async def test_one_envelope_over_two_sockets_has_one_name(slack: FakeSlack) -> None:
    async with connected(slack) as (house, _):
        house.desk.gate.clear()
        body = payloads.global_shortcut(slack.world, "T1", "U0MIA", "new_picture")
        receipt = await slack.delivery.send(
            "T1", "interactive", body | {"trigger_id": None}, copies=2
        )
        assert receipt.acked
        await until(lambda: len(house.inbox.begun) == 2)
        assert set(house.inbox.begun) == {f"T1:envelope:{receipt.envelope}"}


async def test_an_odd_shape_is_acknowledged_and_not_heard(slack: FakeSlack) -> None:
    async with connected(slack, sockets=1) as (house, _):
        odd = {"type": "event_callback", "team_id": "T1", "event": []}
        receipt = await slack.delivery.send("T1", "interactive", odd)
        assert receipt.acked
        assert house.inbox.begun == []


async def test_an_event_that_can_t_be_written_down_is_delivered_again(slack: FakeSlack) -> None:
    slack.delivery.ack_s = 0.2
    async with connected(slack, sockets=1) as (house, _):
        house.inbox.trouble = DiskFailed("The disk is full.")
        mentioning = asyncio.create_task(slack.person("U0MIA").mention("a mug", channel="C0DRAFTS"))
        await until(lambda: house.inbox.begun)
        house.inbox.trouble = None
        slack.delivery.ack_s = ACK_S  # the first one's time runs already
        await mentioning
        await until(lambda: house.desk.heard)
        assert slack.forgive("operation_timed_out"), "it was not acknowledged the first time"


async def test_sockets_come_anew_when_slack_asks_them_to(slack: FakeSlack) -> None:
    async with connected(slack) as (house, _):
        first = list(slack.sockets.open)
        await slack.sockets.refresh(after_s=0)
        await until(lambda: len([s for s in slack.sockets.open if s not in first]) == 2)
        assert (await slack.person("U0MIA").command("/imagine", "a mug")).acked
        await until(lambda: house.desk.heard)


@pytest.mark.parametrize("how", ["drop", "restart"])
async def test_sockets_come_back_after_slack_was_away(slack: FakeSlack, how: str) -> None:
    async with connected(slack) as (house, sockets):
        first = list(slack.sockets.open)
        if how == "drop":
            slack.sockets.drop()
        else:
            await slack.stop()
            await slack.start()
        await until(lambda: len([s for s in slack.sockets.open if s not in first]) >= 2)
        await until(lambda: _all_open(sockets, 2))
        assert (await slack.person("U0MIA").command("/imagine", "a mug")).acked
        await until(lambda: house.desk.heard)


async def _all_open(sockets: Sockets, count: int) -> bool:
    return await sockets.connected() == count


async def test_a_ticket_that_is_void_is_not_tried_for_ever(slack: FakeSlack) -> None:
    """slack_sdk keeps an address that did not work and asks for no other."""
    real, given = slack.sockets.connections_open, []

    def first_is_void() -> dict[str, Any]:
        answer = real()
        if not given:
            slack.sockets.tickets.clear()
        given.append(answer)
        return answer

    slack.api.connections = first_is_void
    async with connected(slack, sockets=1, patience_s=1.0) as (_, sockets):
        await until(lambda: _all_open(sockets, 1))
    assert len(given) == 2


async def test_no_ticket_is_in_the_log_when_a_socket_can_t_be_opened(
    slack: FakeSlack, caplog: pytest.LogCaptureFixture
) -> None:
    """Where a proxy breaks the handshake, the ticket is still good for half a minute."""
    real, given = slack.sockets.connections_open, []

    def first_is_void() -> dict[str, Any]:
        given.append(real())
        if len(given) == 1:
            slack.sockets.tickets.clear()
        return given[-1]

    slack.api.connections = first_is_void
    with caplog.at_level(logging.DEBUG):
        async with connected(slack, sockets=1, patience_s=0.1):
            pass
    assert "Failed to connect" in caplog.text
    tickets = [parse_qs(urlsplit(answer["url"]).query)["ticket"][0] for answer in given]
    assert len(tickets) >= 2
    assert [ticket for ticket in tickets if ticket in caplog.text] == []


async def test_a_socket_that_trips_over_a_bug_is_told_of_and_opened_anew(
    slack: FakeSlack, caplog: pytest.LogCaptureFixture
) -> None:
    class Clumsy(Link):
        made = 0

        def __init__(self, *parts: Any) -> None:
            super().__init__(*parts)
            Clumsy.made += 1
            self.trips = Clumsy.made == 1

        async def is_connected(self) -> bool:
            if self.trips:
                raise ZeroDivisionError
            return await super().is_connected()

    async with connected(slack, sockets=1, link=Clumsy) as (house, sockets):
        await until(lambda: Clumsy.made == 2)
        await until(lambda: _all_open(sockets, 1))
        assert (await slack.person("U0MIA").command("/imagine", "a mug")).acked
        await until(lambda: house.desk.heard)
    (told,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert told.message == "A socket to Slack broke and is opened anew"
    assert "ZeroDivisionError" in caplog.text


async def test_no_proxy_of_the_environment_is_used(
    slack: FakeSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with connected(slack) as (house, _):
        assert (await slack.person("U0MIA").command("/imagine", "a mug")).acked
        await until(lambda: house.desk.heard)


async def test_a_stop_lets_what_came_in_be_acknowledged(slack: FakeSlack) -> None:
    async with connected(slack) as (house, _):
        house.inbox.gate.clear()
        command = slack.person("U0MIA").command("/imagine", "a mug", channel="C0DRAFTS")
        commanding = asyncio.create_task(command)
        await until(lambda: house.inbox.begun)
        asyncio.get_running_loop().call_later(0.05, house.inbox.gate.set)
    assert (await commanding).acked
    assert slack.sockets.open == []
    await until(lambda: house.desk.heard)


async def test_a_stop_does_not_wait_for_ever(slack: FakeSlack) -> None:
    async with connected(slack, sockets=1) as (house, sockets):
        house.inbox.gate.clear()
        mentioning = asyncio.create_task(slack.person("U0MIA").mention("a mug", channel="C0DRAFTS"))
        await until(lambda: house.inbox.begun)
        assert not await sockets.drain(0.01)
        house.inbox.gate.set()
        assert await sockets.drain(ENOUGH_S)
        assert (await mentioning).acked


async def test_what_comes_after_the_last_answer_of_a_stop_is_not_taken(slack: FakeSlack) -> None:
    """It would be done, and the person told that it was not."""
    slack.delivery.ack_s = 0.2
    async with connected(slack, sockets=1) as (house, sockets):
        assert await sockets.drain(ENOUGH_S)
        receipt = await slack.person("U0MIA").command("/imagine", "a mug", channel="C0DRAFTS")
        assert not receipt.acked
        assert house.inbox.begun == []
    assert slack.forgive("operation_timed_out")


async def test_of_two_processes_one_goes_and_the_other_takes_all(slack: FakeSlack) -> None:
    async with connected(slack, sockets=1) as (stays, _):
        async with connected(slack, sockets=1) as (goes, _):
            mia = slack.person("U0MIA")
            receipts = await asyncio.gather(
                *(mia.command("/imagine", f"mug {n}", channel="C0DRAFTS") for n in range(10))
            )
        receipts += [
            await mia.command("/imagine", f"cup {n}", channel="C0DRAFTS") for n in range(5)
        ]
        assert all(receipt.acked for receipt in receipts)
        await until(lambda: len(stays.desk.heard) + len(goes.desk.heard) == 15)
        assert len(goes.desk.heard) == 5
