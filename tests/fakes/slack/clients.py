"""Slack's own client against the fake, for the fake's tests and whoever needs one."""

from collections.abc import Awaitable

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.fakes.slack.app import FakeSlack


def client_of(slack: FakeSlack, token: str = "") -> AsyncWebClient:
    """A client with this token, else the bot's in T1; it repeats nothing by itself."""
    return AsyncWebClient(token=token or slack.bot_token, base_url=slack.api_url, retry_handlers=[])


async def error_of(call: Awaitable[object]) -> str:
    """The word that a call is refused with."""
    with pytest.raises(SlackApiError) as refused:
        await call
    return str(refused.value.response["error"])
