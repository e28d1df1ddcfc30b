"""docs/discord.md, followed to the letter: its commands are typed in a shell, beside a strict
Discord that lets the app in by the page's invitation and gives it no right beyond that.

Only what the page leaves to its reader is filled in: the token, and ids of channels and people.
The pictures are drawn; the page's own way takes the demo model.
"""

import re
from pathlib import Path

import pytest

from tests.fakes.discord import access
from tests.fakes.discord.app import FakeDiscord
from tests.fakes.discord.inviting import authorize
from tests.fakes.discord.looking import anywhere, button_of, buttons, pictured, posted
from tests.fakes.discord.people import Person
from tests.fakes.discord_town import DRAFTS, GUILD, SOCIAL, USERS
from tests.fakes.page_reader import STARTS_S, Page, Reader, put_channels
from tests.fakes.waiting import until

ACCOUNT, OTHER = "discord:106411111111111111", "discord:106422222222222222"
PAGE = Page("discord.md")
TITLE = "The first picture"
GUILDS, GUILD_MESSAGES, GUILD_MESSAGE_REACTIONS = 1 << 0, 1 << 9, 1 << 10


def reader_of(discord: FakeDiscord, folder: Path) -> Reader:
    reader = Reader(folder, **{"your-bot-token": discord.token})
    reader.environment["HOUSESTYLE_DISCORD_API_BASE_URL"] = discord.api_url
    reader.environment["HOUSESTYLE_DISCORD_GATEWAY_URL"] = discord.gateway_url
    return reader


def a_server_without_the_app(discord: FakeDiscord) -> None:
    """Everybody reads and types commands there; for anything more one needs a role."""
    world, guild = discord.world, discord.world.guilds[GUILD]
    guild.name = "Acme HQ"
    guild.roles[GUILD].permissions = access.VIEW_CHANNEL | access.USE_APPLICATION_COMMANDS
    world.leave(GUILD, world.app.id)


def permissions_of_the_page() -> set[str]:
    rows = re.findall(r"^\| ([A-Z][\w ]+?) \| ", PAGE.part("What it may do in your server"), re.M)
    return set(rows)


async def own_account(person: Person) -> str:
    """The account under which the house sees a stranger, as they read it after `/imagine`."""
    answer = await (await person.command("imagine", channel=DRAFTS)).answer()
    found = re.search(r"discord:\d+", answer.text)
    assert found, answer.text
    return found[0]


@pytest.mark.deep
@pytest.mark.parametrize("discord", [1], indirect=True, ids=["one shard, as on the page"])
async def test_the_first_picture_comes_by_the_pages_own_steps(
    discord: FakeDiscord, tmp_path: Path
) -> None:
    a_server_without_the_app(discord)
    folder, token, (invite,), start, vouch = PAGE.blocks(TITLE)
    reader = reader_of(discord, tmp_path)
    await reader.all([*folder, *token])
    address = (await reader.type(invite)).strip()
    assert authorize(discord.world, address, guild=GUILD) == permissions_of_the_page()
    ids = {"1064000000000000001": SOCIAL, "1064000000000000002": DRAFTS}
    put_channels(PAGE, reader, TITLE, ids)
    said = await reader.all(start)
    assert "connected as Housestyle, in Acme HQ" in said
    assert said.count("may do all it needs") == 2
    ida, mia = discord.person(USERS["ida"]), discord.person(USERS["mia"])
    async with reader.serving(start):
        await until(lambda: discord.gateway.connected() and discord.world.app.commands, STARTS_S)
        (session,) = discord.gateway.connected()
        assert session.intents == GUILDS | GUILD_MESSAGES | GUILD_MESSAGE_REACTIONS
        account = await own_account(ida)
        assert account == f"discord:{ida.id}"
        second = Reader(reader.folder)  # a second terminal: nothing of Discord is exported there
        assert (await second.type(vouch[0].replace(ACCOUNT, account))).startswith("Ida Brand is in")
        await posted(
            discord, ida.dm.id, lambda m: "Welcome, Ida Brand" in m.text, within_s=STARTS_S
        )

        _, _, words = PAGE.line_of(TITLE, "/imagine").partition("prompt: ")
        asked = await ida.command("imagine", prompt=words, channel=DRAFTS)
        assert "Queued" in (await asked.answer()).text
        card = await posted(discord, DRAFTS, pictured, within_s=STARTS_S)
        assert words in card.text
        assert discord.messages(DRAFTS) == [card]

        _, _, line = PAGE.line_of(TITLE, "/housestyle").partition("line: ")
        line = line.replace(OTHER, await own_account(mia))
        answer = await (await ida.command("housestyle", line=line, channel=DRAFTS)).answer()
        assert "Mia Lang is in" in answer.text
        label = "Send to approval for #social"
        assert f"*{label}*" in PAGE.part(TITLE)
        await ida.click(card, label)
        review = await anywhere(discord, lambda m: button_of(m, "do:approve:"), within_s=STARTS_S)
        assert review.channel == DRAFTS
        assert "Approve" in [str(button["label"]) for button in buttons(review)]
        await until(lambda: {r.name for r in review.reactions} == {"✅", "❌"})
        mia.react(review, "✅")
        post = await posted(discord, SOCIAL, within_s=STARTS_S)
        assert post.attachments
        await until(lambda: "Posted to #social" in review.text)
