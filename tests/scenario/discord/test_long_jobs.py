"""Jobs that outlast the quarter of an hour in which an interaction may be answered."""

import asyncio
from time import time

from tests.fakes.discord.app import FakeDiscord
from tests.fakes.discord.looking import pictured, posted
from tests.fakes.discord.state import TOKEN_S
from tests.fakes.discord_town import DRAFTS, DiscordTown, running
from tests.fakes.waiting import until


async def test_a_picture_that_takes_longer_than_its_token_lives_arrives_all_the_same(
    discord: FakeDiscord, discord_town: DiscordTown
) -> None:
    drawing = asyncio.Event()
    discord_town.renderer.before_picture = lambda _: drawing.wait()
    async with running(discord, discord_town) as house:
        mia = house.person("mia")
        asked = await mia.command("imagine", prompt="a red mug", channel=DRAFTS)
        alone = await mia.command("imagine", prompt="a teal mug", channel=DRAFTS, private=True)
        await asked.answer()
        await alone.answer()
        spent = [receipt.interaction.webhook_calls for receipt in (asked, alone)]
        discord.world.now = lambda: time() + TOKEN_S + 60
        drawing.set()
        await posted(discord, DRAFTS, pictured)
        await until(lambda: any(map(pictured, discord.messages(mia.dm.id))))
    assert [receipt.interaction.webhook_calls for receipt in (asked, alone)] == spent


async def test_an_answer_whose_token_has_died_comes_to_the_direct_line(
    discord: FakeDiscord, discord_town: DiscordTown
) -> None:
    async with running(discord, discord_town) as house:
        rob = house.person("rob")
        discord.troubles.add("PATCH /webhooks/*", "refuse", status=404, code=10015, times=None)
        receipt = await rob.command("queue", channel=DRAFTS)
        assert receipt.acked
        await until(lambda: discord.messages(rob.dm.id))
    assert discord.messages(DRAFTS) == []
