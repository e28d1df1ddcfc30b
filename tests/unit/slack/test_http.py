"""Slack's addresses: signed deliveries are taken, all else is refused, the portal is left alone."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.response import BoltResponse
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from bot.chat.slack_chat.incoming.bolt import build_bolt
from bot.chat.slack_chat.incoming.http import PATHS, SlackDoor, SlackHttp
from bot.chat.slack_chat.options import Mode, SlackOptions
from bot.clock import SystemClock
from storage.errors import DiskFailed
from tests.fakes.clock import DrivenClock
from tests.fakes.slack.app import FakeSlack
from tests.fakes.slack_intake import Taking, serving, taking
from tests.fakes.waiting import ENOUGH_S, until
from tests.hostile.slack import (
    BROKEN_SIGNATURES,
    DELIVERIES,
    SECRET,
    Doorstep,
    Pages,
    doorstep,
    odd_payloads,
    post,
    signed,
)

FORM = "application/x-www-form-urlencoded"


@pytest.fixture
async def step() -> AsyncIterator[Doorstep]:
    """A house that listens for Slack."""
    async with doorstep() as made:
        yield made


@pytest.mark.parametrize("delivery", DELIVERIES)
async def test_what_slack_signed_is_taken(step: Doorstep, delivery: str) -> None:
    content_type, body = DELIVERIES[delivery]
    answer = await post(step, "/slack/events", content_type, signed(step, body), body)
    assert answer.status_code == 200
    if delivery != "options":
        await until(lambda: step.heard)


@pytest.mark.parametrize("path", PATHS)
async def test_a_broken_signature_is_refused_at_every_address(step: Doorstep, path: str) -> None:
    for content_type, body in DELIVERIES.values():
        for broken in BROKEN_SIGNATURES:
            headers, sent = broken.make(body, SECRET, step.now)
            answer = await post(step, path, content_type, headers, sent)
            assert answer.status_code in (400, 401), broken.name
    assert step.heard == []


async def test_an_odd_shape_is_refused_although_it_is_signed(step: Doorstep) -> None:
    for name, (content_type, body) in odd_payloads():
        answer = await post(step, "/slack/events", content_type, signed(step, body), body)
        assert answer.status_code == 400, name
    assert step.heard == []


async def test_the_retry_of_a_delivery_is_the_same_delivery(step: Doorstep) -> None:
    content_type, body = DELIVERIES["event"]
    retry = [(b"x-slack-retry-num", b"1"), (b"x-slack-retry-reason", b"http_timeout")]
    for more in ([], retry):
        headers = [*signed(step, body), *more]
        answer = await post(step, "/slack/events", content_type, headers, body)
        assert answer.status_code == 200
    await until(lambda: step.heard)
    assert {one.key for one in step.heard} == {"T1:event:Ev1"}


async def test_a_header_that_nobody_signed_does_not_lead_bolt_elsewhere(step: Doorstep) -> None:
    content_type, body = DELIVERIES["command"]
    headers = [*signed(step, body), (b"x-slack-bolt-lazy-only", b"1")]
    assert (await post(step, "/slack/events", content_type, headers, body)).status_code == 200
    await until(lambda: step.heard)


async def test_the_other_addresses_and_methods_are_plain(step: Doorstep) -> None:
    client = step.client
    assert (await client.get("/slack/install")).text == "begin"
    assert (await client.get("/slack/oauth_redirect")).text == "finish"
    assert (await client.get("/slack/events")).status_code == 405
    assert (await client.put("/slack/install")).status_code == 405
    for path in ("/", "/slack", "/slack/", "/slack/events/", "/slack/eventsx"):
        assert (await client.get(path)).text == "the portal"


async def _no_portal(scope: Scope, receive: Receive, send: Send) -> None:
    raise AssertionError("the portal is not asked")


@asynccontextmanager
async def client_of(slack: SlackHttp) -> AsyncIterator[httpx.AsyncClient]:
    """A client of Slack's addresses in this process."""
    transport = httpx.ASGITransport(app=SlackDoor(_no_portal, slack=slack))
    async with httpx.AsyncClient(transport=transport, base_url="http://house.test") as client:
        yield client


OPTIONS = SlackOptions(mode=Mode.HTTP, base_url="http://house.test", signing_secret=SECRET)


async def _never(_: dict[str, object], __: AsyncBoltContext) -> BoltResponse:
    raise ZeroDivisionError("the words of somebody")


async def test_without_an_installation_there_are_no_pages() -> None:
    slack = SlackHttp(build_bolt(OPTIONS, _never), OPTIONS, DrivenClock(), installing=None)
    async with client_of(slack) as client:
        assert (await client.get("/slack/install")).status_code == 404


class BrokenPages(Pages):
    """An installation that trips."""

    async def begin(self, request: Request) -> Response:
        """Fails."""
        raise ZeroDivisionError


async def test_a_bug_is_answered_400_with_a_reference_that_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = DrivenClock()
    slack = SlackHttp(build_bolt(OPTIONS, _never), OPTIONS, clock, installing=BrokenPages())
    async with client_of(slack) as client:
        with caplog.at_level(logging.ERROR):
            page = await client.get("/slack/install")
        assert page.status_code == 400
        assert "Reference: " in page.text
        assert "tripped over a bug" in caplog.text
        content_type, body = DELIVERIES["command"]
        step = Doorstep(client=client, heard=[], now=clock.now(), intake=None)  # type: ignore[arg-type]
        answer = await post(step, "/slack/events", content_type, signed(step, body), body)
        assert answer.status_code == 400
        assert "words of somebody" not in answer.text


@asynccontextmanager
async def listening(slack: FakeSlack) -> AsyncIterator[Taking]:
    """A house that Slack delivers to over real HTTP."""
    async with taking(api_url=slack.api_url, signing_secret=slack.world.signing_secret) as house:
        http = SlackHttp(house.bolt, house.options, SystemClock(), installing=None)
        app = SlackDoor(PlainTextResponse("the portal"), slack=http)
        async with serving(app) as url:
            slack.listens(f"{url}/slack/events")
            yield house


async def test_people_in_slack_are_answered_over_http() -> None:
    async with FakeSlack() as slack, listening(slack) as house:
        mia = slack.person("U0MIA")
        house.desk.gate.clear()
        receipts = await asyncio.gather(
            mia.command("/imagine", "a mug", channel="C0DRAFTS"),
            mia.command("/imagine"),
            mia.shortcut("new_picture"),
            mia.mention("a mug", channel="C0DRAFTS"),
        )
        assert all(receipt.acked for receipt in receipts)
        assert slack.calls == [], "an acknowledgement needs nobody"
        house.desk.gate.set()
        await until(lambda: len(house.desk.heard) == 2 and len(house.desk.live) == 2)
        assert slack.violations == []


async def test_an_event_that_can_t_be_written_down_is_delivered_again() -> None:
    async with FakeSlack() as slack, listening(slack) as house:
        house.inbox.trouble = DiskFailed("The disk is full.")
        receipt = await slack.person("U0MIA").mention("a mug", channel="C0DRAFTS")
        assert receipt.status == 503
        house.inbox.trouble = None
        await until(lambda: house.desk.heard)
        slack.forgive("503")
        assert slack.violations == []


async def test_a_body_that_never_comes_holds_nothing_up_for_long() -> None:
    bolt = build_bolt(OPTIONS, _never)
    slack = SlackHttp(bolt, OPTIONS, DrivenClock(), installing=None, read_s=0.05)
    async with serving(SlackDoor(_no_portal, slack=slack)) as url:
        port = int(url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n")
        async with asyncio.timeout(ENOUGH_S):
            assert b" 400 " in await reader.readline()
        writer.close()
        await writer.wait_closed()
