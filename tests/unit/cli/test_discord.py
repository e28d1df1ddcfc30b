"""`housestyle discord`, and what the doctor says of Discord: against a Discord on loopback."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from bot.chat.discord_chat.commands import payloads
from bot.chat.discord_chat.permissions import EVERYTHING, WANTED, invitation, permissions_in
from bot.chat.discord_chat.surfaces import PERMISSIONS
from bot.chats import discord_options
from bot.cli.checkups_discord import application_lines, discord, gateway_lines
from bot.cli.discord import app_of, told
from bot.cli.discord_asking import Asking
from bot.cli.exits import ExitCode
from bot.cli.findings import Line, State
from bot.settings import Settings, load_settings
from tests.fakes.command_line import Housestyle
from tests.fakes.discord.access import USUAL, allow
from tests.fakes.discord.app import APP_ID, FakeDiscord
from tests.fakes.discord.state import Guild, Overwrite

KIT = """
[brand]
id = "acme"
name = "Acme"
version = "1"
owner = "@brand"

[generation]
model = "demo"
aspects = {{ "1:1" = [64, 64] }}

[[channels]]
name = "#drafts"
audience = "working"
platform = "discord"
id = "{channel}"
"""


class Place:
    """A Discord with one server that the app is in, and a kit that names a channel of it."""

    def __init__(self, fake: FakeDiscord, folder: Path) -> None:
        self.fake = fake
        world = fake.world
        self.owner = world.add_user("olivia").id
        self.guild: Guild = world.add_guild("Acme HQ", permissions=USUAL, owner=self.owner)
        world.join(self.guild.id, APP_ID)
        self.channel = world.add_channel(self.guild.id, "drafts")
        self.folder = folder
        self.name_in_kit(self.channel.id)

    def name_in_kit(self, channel: str) -> None:
        """The kit's one channel."""
        brands = self.folder / "brands"
        brands.mkdir(exist_ok=True)
        (brands / "acme.toml").write_text(KIT.format(channel=channel))

    def settings(self, **given: str) -> Settings:
        """As an administrator would have them."""
        set_ = {
            "DISCORD_TOKEN": self.fake.token,
            "DISCORD_API_BASE_URL": self.fake.api_url,
            "DISCORD_GATEWAY_URL": self.fake.gateway_url,
            "BRANDS_DIR": str(self.folder / "brands"),
            **given,
        }
        environment = {f"HOUSESTYLE_{name}": value for name, value in set_.items() if value}
        return load_settings(
            folder=self.folder, environment={"HOME": str(self.folder), **environment}
        )

    async def said(self, **given: str) -> list[Line]:
        """What the doctor says."""
        return list(await discord(self.settings(**given)))

    async def wrong(self, **given: str) -> Line:
        """The one thing that is not in order."""
        (line,) = [line for line in await self.said(**given) if line.state is not State.OK]
        return line


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    """All in order."""
    async with FakeDiscord() as fake:
        place = Place(fake, tmp_path)
        options = discord_options(place.settings())
        assert options is not None
        async with Asking(options) as asking:
            await asking.put(f"/applications/{APP_ID}/commands", payloads())
        yield place
        assert fake.violations == []


async def test_all_in_order_says_where_the_app_is_and_what_it_may(place: Place) -> None:
    lines = await place.said()
    assert [line.says for line in lines] == [
        "connected as Housestyle, in Acme HQ",
        "may do all it needs in #drafts (Acme HQ)",
    ]


async def test_without_a_token_nothing_is_wrong(tmp_path: Path) -> None:
    settings = load_settings(folder=tmp_path, environment={"HOME": str(tmp_path)})
    (line,) = await discord(settings)
    assert (line.state, "docs/discord.md" in line.fix) == ("missing", True)


async def test_half_a_configuration_is_said_to_be_one(place: Place) -> None:
    line = await place.wrong(DISCORD_TOKEN="")
    assert line.state is State.PROBLEM
    assert "HOUSESTYLE_DISCORD_TOKEN" in line.fix


async def test_a_token_that_discord_does_not_know_is_not_shown(place: Place) -> None:
    line = await place.wrong(DISCORD_TOKEN="canary.token.x")
    assert line.state is State.PROBLEM
    assert "does not know discord.token" in line.says
    assert "Reset Token" in line.fix
    assert "canary" not in f"{line}"


async def test_a_discord_that_does_not_answer_is_said_to_be_away(place: Place) -> None:
    await place.fake.stop()
    line = await place.wrong()
    assert "does not answer" in line.says
    await place.fake.start()


async def test_each_lacking_permission_is_named_with_its_channel(place: Place) -> None:
    denied = PERMISSIONS["Attach Files"] | PERMISSIONS["Add Reactions"]
    place.channel.overwrites.append(Overwrite(id=place.guild.id, kind=0, deny=denied))
    line = await place.wrong()
    assert line.state is State.PROBLEM
    assert line.says == "in #drafts (Acme HQ) the app lacks Attach Files, Add Reactions"
    allow(place.channel, APP_ID, PERMISSIONS["Attach Files"])
    assert (await place.wrong()).says.endswith("lacks Add Reactions")


async def test_a_thread_s_rights_are_those_of_its_channel(place: Place) -> None:
    thread = place.fake.world.add_thread(place.channel.id, "spring")
    place.name_in_kit(thread.id)
    *_, noted, last = await place.said()
    assert last.state is State.OK
    assert noted.state is State.MISSING
    assert noted.says.endswith("counts as asked in its channel")
    assert place.channel.id in noted.fix
    denied = PERMISSIONS["Send Messages in Threads"]
    place.channel.overwrites.append(Overwrite(id=place.guild.id, kind=0, deny=denied))
    assert (await place.said())[-1].says.endswith("lacks Send Messages in Threads")


async def test_a_forum_takes_no_messages(place: Place) -> None:
    place.channel.type = 15
    line = await place.wrong()
    assert (line.state, line.says) == (
        State.PROBLEM,
        "#drafts is a forum, where no message can be put",
    )


async def test_a_page_in_place_of_discord_s_answer_is_called_one(place: Place) -> None:
    place.fake.troubles.add("GET /applications/@me", "page", status=429)
    line = await place.wrong()
    assert "answers 429 with a page" in line.says


async def test_a_channel_that_it_can_t_see_or_that_is_gone_has_its_own_fix(place: Place) -> None:
    hidden = Overwrite(id=place.guild.id, kind=0, deny=PERMISSIONS["View Channels"])
    place.channel.overwrites.append(hidden)
    unseen = await place.wrong()
    assert unseen.says == "the app can't see #drafts"
    assert "housestyle discord invite" in unseen.fix
    place.name_in_kit("123456789012345678")
    assert (await place.wrong()).says == "#drafts is not in Discord any more"
    place.name_in_kit("drafts")
    line = await place.wrong()
    assert "Copy Channel ID" in line.fix


async def test_privileged_intents_that_nothing_needs_are_named(place: Place) -> None:
    place.fake.world.app.flags = 1 << 19 | 1 << 15
    line = await place.wrong()
    assert line.state is State.MISSING
    assert line.says.endswith("Server Members, Message Content")


async def test_no_server_and_one_that_is_only_listed_lead_to_the_invitation(place: Place) -> None:
    line = await place.wrong(DISCORD_GUILDS=f"{place.guild.id},999")
    assert line.says == "discord.guilds names servers that it is not in: 999"
    assert "--guild 999" in line.fix
    del place.guild.members[APP_ID]
    said = [line.fix for line in await place.said() if line.state is not State.OK]
    assert "housestyle discord invite" in said[0]


async def test_a_channel_in_a_server_that_is_left_out_is_told(place: Place) -> None:
    other = place.fake.world.add_guild("Other", permissions=USUAL, owner=place.owner)
    place.fake.world.join(other.id, APP_ID)
    line = await place.wrong(DISCORD_GUILDS=other.id)
    assert "discord.guilds leaves out" in line.says


async def test_few_connections_left_are_told(place: Place) -> None:
    place.fake.world.identifies_left = 3
    line = await place.wrong()
    assert line.says == "only 3 connections may be begun until Discord counts anew"


async def test_too_few_shards_are_told_with_the_number_that_discord_wants(place: Place) -> None:
    options = discord_options(place.settings())
    assert options is not None
    (line,) = gateway_lines({"shards": 3}, options)
    assert (line.state, line.fix) == (State.PROBLEM, "Set discord.shards = 3.")
    assert gateway_lines({"shards": 1}, options) == []


def test_what_keeps_commands_or_the_invitation_away_is_a_problem() -> None:
    elsewhere = {"flags": 0, "interactions_endpoint_url": "https://example.com/x"}
    (line,) = application_lines(elsewhere)
    assert (line.state, "Interactions Endpoint URL" in line.says) == (State.PROBLEM, True)
    (line,) = application_lines({"bot_require_code_grant": True})
    assert "nobody can invite" in line.says
    assert application_lines({"flags": 1 << 23, "interactions_endpoint_url": None}) == []


async def test_commands_that_discord_lacks_are_told_and_can_be_synced(place: Place) -> None:
    options = discord_options(place.settings())
    assert options is not None
    ours = payloads()
    place.fake.world.app.commands = []
    assert "commands --sync" in (await place.wrong()).fix
    assert await told(options, ours, sync=False) == "other"
    assert place.fake.world.app.commands == []
    assert await told(options, ours, sync=True) == "told"
    assert await told(options, ours, sync=True) == "same"
    assert await app_of(options) == APP_ID


def test_the_invitation_needs_no_token_where_the_application_is_named(
    housestyle: Housestyle,
) -> None:
    done = housestyle("discord", "invite", "--app", "42", "--guild", "7")
    assert done.code == ExitCode.OK
    asked = parse_qs(urlsplit(done.out.strip()).query)
    assert asked["scope"] == ["bot applications.commands"]
    assert asked["permissions"] == [str(WANTED)]
    assert asked["guild_id"] == ["7"]
    assert "Send Messages in Threads" in done.err


def test_without_a_token_it_says_what_to_set(housestyle: Housestyle) -> None:
    done = housestyle("discord", "invite")
    assert done.code == ExitCode.USAGE
    assert "HOUSESTYLE_DISCORD_TOKEN" in done.err


def test_the_invitation_asks_for_no_more_than_the_table() -> None:
    (permissions,) = parse_qs(urlsplit(invitation("42")).query)["permissions"]
    bits = int(permissions)
    assert bits == sum(PERMISSIONS.values())
    assert not bits & (1 << 3)  # Administrator
    assert not bits & (1 << 13)  # Manage Messages


def test_owners_and_administrators_may_do_everything() -> None:
    guild = json.loads('{"id": "1", "owner_id": "9", "roles": [{"id": "5", "permissions": "8"}]}')
    assert permissions_in(guild, {}, "9", ()) == EVERYTHING
    assert permissions_in(guild, {}, "8", ("5",)) == EVERYTHING
    assert permissions_in(guild, {}, "8", ()) == 0
