"""The same scenarios with one shard and with two: a strict Discord, the real house behind it."""

from collections.abc import AsyncIterator

import pytest

from tests.fakes.discord.app import FakeDiscord
from tests.fakes.discord_town import (
    DiscordTown,
    Running,
    founded,
    make_discord_town,
    running,
)


@pytest.fixture(
    params=[
        pytest.param(1, id="one shard"),
        pytest.param(2, id="two shards", marks=pytest.mark.deep),
    ]
)
async def discord(request: pytest.FixtureRequest) -> AsyncIterator[FakeDiscord]:
    """A Discord that the house must never wrong; a test that does so on purpose forgives it."""
    async with founded(rates=10.0) as fake:  # at Discord's own pace an edit waits for seconds
        fake.world.shards = request.param
        yield fake
        assert fake.violations == []


@pytest.fixture
async def discord_town() -> DiscordTown:
    """Mia, Rob, Ana and Ida, on memory."""
    return await make_discord_town()


@pytest.fixture
async def discord_house(discord: FakeDiscord, discord_town: DiscordTown) -> AsyncIterator[Running]:
    """The house at work on that town."""
    async with running(discord, discord_town) as house:
        yield house
