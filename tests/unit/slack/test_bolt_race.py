"""Bolt gives the answer that the listener returned: no moment lies between that and an error."""

import asyncio
import logging
from typing import Any

import pytest
from slack_bolt.async_app import AsyncApp
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.chat.slack_chat.incoming.bolt import Known, build_bolt
from bot.chat.slack_chat.incoming.heard import Heard
from bot.chat.slack_chat.incoming.intake import SlackIntake
from bot.chat.slack_chat.options import Mode, SlackOptions
from tests.fakes.slack.app import FakeSlack
from tests.fakes.slack_intake import taking
from tests.fakes.town import make_town
from tests.fakes.waiting import until
from tests.hostile.slack import CLICK, COMMAND, EVENT, SENT_OFF, SUGGESTION, Forms

SURFACES = {
    "command": COMMAND,
    "event": EVENT,
    "click": CLICK,
    "form": SENT_OFF,
    "options": SUGGESTION,
    "shortcut": {
        "type": "shortcut",
        "callback_id": "new_picture",
        "team": {"id": "T1"},
        "user": {"id": "U1"},
        "trigger_id": "1.1",
    },
    "message shortcut": {
        "type": "message_action",
        "callback_id": "use_as_reference",
        "team": {"id": "T1"},
        "user": {"id": "U1"},
        "trigger_id": "1.2",
        "message": {"ts": "1.1"},
    },
}
OPTIONS = SlackOptions(
    mode=Mode.HTTP, base_url="http://house.test", api_base_url="http://127.0.0.1:9/api/"
)


async def dispatch(bolt: AsyncApp, payload: dict[str, Any]) -> BoltResponse:
    """One delivery."""
    return await bolt.async_dispatch(AsyncBoltRequest(mode="socket_mode", body=dict(payload)))


@pytest.mark.parametrize("surface", SURFACES)
async def test_the_answer_of_every_surface_is_the_one_that_was_returned(surface: str) -> None:
    async def taken(body: dict[str, Any], context: AsyncBoltContext) -> BoltResponse:
        assert (context.team_id, context.authorize_result.team_id) == ("T1", "T1")
        return BoltResponse(status=200, body={"surface": surface})

    answer = await dispatch(build_bolt(OPTIONS, taken), SURFACES[surface])
    assert (answer.status, answer.body) == (200, f'{{"surface": "{surface}"}}')


@pytest.mark.parametrize("surface", SURFACES)
async def test_a_listener_that_raises_is_answered_at_once(
    surface: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def taken(body: dict[str, Any], context: AsyncBoltContext) -> BoltResponse:
        raise ZeroDivisionError

    async with asyncio.timeout(2.5):  # the race answers after three seconds
        answer = await dispatch(build_bolt(OPTIONS, taken), SURFACES[surface])
    assert answer.status == 500
    assert "bug" in caplog.text


async def test_an_expired_trigger_fails_long_after_the_answer_and_changes_nothing_of_it() -> None:
    """What makes Bolt answer 404 after three seconds: acknowledged, then views.open refused."""
    async with FakeSlack() as slack:
        client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url, retry_handlers=[])
        failed: list[Exception] = []

        async def live(heard: Heard) -> None:
            try:
                await client.views_open(trigger_id=heard.trigger, view={})
            except SlackApiError as exc:
                failed.append(exc)
                raise

        town = await make_town()
        intake = SlackIntake(town.house, forms=Forms(), work=live, live=live)
        answer = await dispatch(
            build_bolt(OPTIONS, intake.taken), COMMAND | {"text": "", "trigger_id": "0.dead"}
        )
        assert (answer.status, answer.body) == (200, "")
        await until(lambda: failed)
        await intake.finish(5)
        slack.world.violations.clear()


async def test_the_branch_of_bolt_that_has_the_race_is_never_reached() -> None:
    async with taking() as house:
        assert house.bolt.process_before_response
        assert not [listener for listener in house.bolt._async_listeners if listener.lazy_functions]


async def test_an_acknowledgement_asks_slack_nothing() -> None:
    async with FakeSlack() as slack, taking(api_url=slack.api_url) as house:
        house.desk.gate.clear()
        for payload in SURFACES.values():
            assert (await dispatch(house.bolt, payload)).status == 200
        assert slack.calls == []
        assert slack.response_calls == 0


async def test_what_nothing_listens_to_is_acknowledged_and_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with taking() as house:
        with caplog.at_level(logging.INFO):
            for payload in (
                {"type": "app_rate_limited", "team_id": "T1"},
                {"type": "dialog_submission", "callback_id": "x", "team": {"id": "T1"}},
                {"type": "view_closed", "view": {"id": "V", "type": "modal", "callback_id": "x"}},
                {"command": "/other", "team_id": "T1", "text": "the words"},
                {"type": "event_callback", "team_id": "T1", "event": {"type": "file_shared"}},
            ):
                assert (await dispatch(house.bolt, payload)).status == 200
        assert house.inbox.begun == []
    assert "app_rate_limited" in str([record.__dict__ for record in caplog.records])
    assert "the words" not in caplog.text


async def test_slack_s_own_check_of_the_address_is_answered() -> None:
    async with taking() as house:
        answer = await dispatch(house.bolt, {"type": "url_verification", "challenge": "abc"})
    assert answer.body == '{"challenge": "abc"}'


async def test_nothing_of_bolt_s_own_logging_shows_what_people_write(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    async with taking() as house:
        for payload in SURFACES.values():
            await dispatch(house.bolt, payload)
    libraries = [one for one in caplog.records if one.name.startswith("slack_")]
    assert libraries == []


async def test_what_the_environment_says_of_slack_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("BOT_TOKEN", "CLIENT_ID", "CLIENT_SECRET", "SIGNING_SECRET", "SCOPES"):
        monkeypatch.setenv(f"SLACK_{name}", "xoxb-from-the-environment")
    async with taking() as house:
        assert (await dispatch(house.bolt, COMMAND)).status == 200
        await until(lambda: house.desk.heard)
        assert house.bolt.client.token is None
    assert house.desk.heard[0].team == "T1"


async def test_whose_workspace_it_is_is_known_without_a_call() -> None:
    found = await Known()(
        context=AsyncBoltContext(), enterprise_id=None, team_id="T1", user_id=None
    )
    assert found
    assert (found.team_id, found.bot_token) == ("T1", None)
