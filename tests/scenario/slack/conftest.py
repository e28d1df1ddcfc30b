"""Scenarios by HTTP, and the same by sockets in the deep tests: a strict Slack, the real house."""

from collections.abc import AsyncIterator

import pytest

from bot.chat.slack_chat.options import Mode
from tests.fakes.slack.app import FakeSlack
from tests.fakes.slack_town import Running, SlackTown, make_slack_town, running


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    """A Slack that the house must never wrong; a test that does so on purpose forgives it."""
    async with FakeSlack() as fake:
        yield fake
        assert fake.violations == []


@pytest.fixture
async def slack_town() -> SlackTown:
    """Mia, Ana, Ben and Ida, on memory."""
    return await make_slack_town()


@pytest.fixture(params=[Mode.HTTP, pytest.param(Mode.SOCKET, marks=pytest.mark.deep)])
async def slack_house(
    request: pytest.FixtureRequest, slack: FakeSlack, slack_town: SlackTown
) -> AsyncIterator[Running]:
    """The house at work on that town, reached by HTTP or, in the deep tests, by sockets."""
    async with running(slack, slack_town, mode=request.param) as house:
        yield house
