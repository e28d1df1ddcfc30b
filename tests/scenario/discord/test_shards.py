"""Two connections share the guilds: each thing is heard once, and one that breaks stops no other.

All scenarios of this folder run with two as well: `pytest -m deep tests/scenario/discord`.
"""

from collections.abc import AsyncIterator

import pytest

from bot.core.health import Condition, examine
from tests.fakes.chat_town import settled
from tests.fakes.discord.app import FakeDiscord
from tests.fakes.discord.looking import pictured
from tests.fakes.discord_deeds import drawn
from tests.fakes.discord_town import DRAFTS, DiscordTown, founded, running
from tests.fakes.waiting import until


@pytest.fixture
async def sharded() -> AsyncIterator[FakeDiscord]:
    """A Discord that recommends two."""
    async with founded(rates=10.0) as fake:
        fake.world.shards = 2
        yield fake
        assert fake.violations == []


async def test_each_connection_hears_its_own_and_all_is_done_once(
    sharded: FakeDiscord, discord_town: DiscordTown
) -> None:
    async with running(sharded, discord_town) as house:
        mia = house.person("mia")
        assert {s.shard for s in sharded.gateway.connected()} == {0, 1}
        assert (await mia.command("imagine", prompt="a mug for me")).acked
        assert (await mia.command("imagine", prompt="a mug for all", channel=DRAFTS)).acked
        for channel in (mia.dm.id, DRAFTS):
            await until(lambda c=channel: any(map(pictured, sharded.messages(c))))
        await settled(house.house)
        assert len(await discord_town.jobs()) == 2
        assert len(sharded.calls("POST /interactions/*/callback")) == 2


async def test_a_connection_that_is_down_is_told_and_the_other_one_goes_on(
    sharded: FakeDiscord, discord_town: DiscordTown
) -> None:
    gateway = sharded.gateway
    async with running(sharded, discord_town) as house:

        async def condition() -> Condition:
            found = (await examine(house.house, None)).findings
            return next(each.condition for each in found if each.name == "discord")

        (of_dms,) = [s for s in gateway.connected() if s.shard == 0]
        gateway.door.clear()
        assert of_dms.socket is not None
        await of_dms.socket.ws.close(code=4000)
        await until(lambda: len(gateway.connected()) == 1)
        await drawn(house)
        assert await condition() is Condition.DEGRADED
        gateway.door.set()
        await until(lambda: len(gateway.connected()) == 2)
        assert (await house.person("mia").command("queue")).acked
        assert await condition() is Condition.OK
