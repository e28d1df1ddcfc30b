"""Discord is told the commands once, and again only when they are others."""

import logging

import pytest

from bot.chat.discord_chat.commands import digest, payloads
from bot.chat.discord_chat.surfaces import COMMANDS, MENUS
from bot.core.health import Condition
from bot.core.ports import SentFile
from tests.fakes.discord.app import FakeDiscord
from tests.fakes.discord.looking import pictured, posted
from tests.fakes.discord_deeds import on_health_page
from tests.fakes.discord_town import DRAFTS, DiscordTown, options_for, running
from tests.fakes.town import START
from tests.fakes.waiting import until

PUT = "PUT /applications/*/commands"


def told(discord: FakeDiscord) -> int:
    """How often Discord was told the commands."""
    return len(discord.calls(PUT))


async def older(discord: FakeDiscord, town: DiscordTown) -> None:
    """As a version left it that had other commands."""
    app = discord.world.app
    app.commands = [
        one | {"id": discord.world.new_id(), "application_id": app.id, "version": "1"}
        for one in payloads()[:3]
    ]
    app.commands[0]["description"] = "Make a picture"
    mark = SentFile(
        platform="discord",
        team=f"{discord.api_url}#{app.id}",
        key="commands",
        file=digest(app.commands),
        ready=True,
        at=START,
    )
    async with town.store.write() as tx:
        await tx.sent_files.put(mark)


async def test_restarts_replicas_and_shards_tell_the_commands_once(
    discord: FakeDiscord, discord_town: DiscordTown
) -> None:
    for shards in (1, 2, 1):
        options = options_for(discord, shards=shards)
        async with running(discord, discord_town, options=options, work=False):
            pass
    async with (
        running(discord, discord_town, work=False),
        running(discord, discord_town, work=False) as house,
    ):
        assert (await house.person("mia").command("queue")).acked
    assert told(discord) == 1
    assert {one["name"] for one in discord.world.app.commands} == {*COMMANDS, *MENUS}


async def test_a_version_with_other_commands_tells_them_once(
    discord: FakeDiscord, discord_town: DiscordTown
) -> None:
    await older(discord, discord_town)
    for _ in range(2):
        async with running(discord, discord_town, work=False):
            await until(lambda: digest(discord.world.app.commands) == digest(payloads()))
    assert told(discord) == 1


@pytest.mark.parametrize("kind", ["429", "cut", "html502"])
async def test_commands_that_did_not_arrive_are_told_again(
    discord: FakeDiscord, discord_town: DiscordTown, kind: str
) -> None:
    discord.troubles.add(PUT, kind, retry_after=0.05)
    async with running(discord, discord_town, work=False):
        pass
    assert digest(discord.world.app.commands) == digest(payloads())


async def test_where_commands_are_refused_the_house_says_so_and_goes_on(
    discord: FakeDiscord, discord_town: DiscordTown, caplog: pytest.LogCaptureFixture
) -> None:
    await older(discord, discord_town)
    discord.troubles.add(PUT, "refuse", status=403, code=50001, times=None)
    with caplog.at_level(logging.WARNING):
        async with running(discord, discord_town) as house:
            await until(lambda: "commands can't be set" in caplog.text)
            found = await on_health_page(house.house)
            assert found.condition is Condition.DEGRADED
            assert "Connected, but its commands could not be set" in found.says
            assert found.fix
            await house.person("mia").command("imagine", prompt="a red mug", channel=DRAFTS)
            await posted(discord, DRAFTS, pictured)
    assert told(discord) == 1, "a no is not asked again"
