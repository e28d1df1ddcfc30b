"""The same scenarios with one shard and with two: a strict Discord, the real house behind it."""

from collections.abc import AsyncIterator

import pytest

from tests.fakes.discord.app import FakeDiscord
from tests.fakes.discord_town import (
    DiscordTown,
    Running,
    founded,
    make_discord_town,
    options_for,
    running,
)


@pytest.fixture
async def discord() -> AsyncIterator[FakeDiscord]:
    """A Discord that the house must never wrong; a test that does so on purpose forgives it."""
    async with founded(rates=10.0) as fake:  # at Discord's own pace an edit waits for seconds
        yield fake
        assert fake.violations == []


@pytest.fixture
async def discord_town() -> DiscordTown:
    """Mia, Rob, Ana and Ida, on memory."""
    return await make_discord_town()


@pytest.fixture(
    params=[
        pytest.param(1, id="one shard"),
        pytest.param(2, id="two shards", marks=pytest.mark.deep),
    ]
)
async def discord_house(
    request: pytest.FixtureRequest, discord: FakeDiscord, discord_town: DiscordTown
) -> AsyncIterator[Running]:
    """The house at work on that town."""
    options = options_for(discord, shards=request.param)
    async with running(discord, discord_town, options=options) as house:
        yield house
