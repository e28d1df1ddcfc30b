"""People in front of unmodified discord.py: forms, suggestions, menus, buttons, files, answers."""

import asyncio
from collections.abc import AsyncIterator

import discord
import pytest
import yarl
from discord import app_commands

from tests.fakes.discord.app import FakeDiscord
from tests.fakes.discord.interactions import ClientRefused
from tests.fakes.discord.looking import posted
from tests.fakes.discord.people import Person
from tests.fakes.discord_town import DRAFTS, USERS, founded
from tests.fakes.waiting import until

PICTURE = b"\x89PNG\r\n\x1a\n" + b"\0" * 8 + b"\0\0\0\x10\0\0\0\x10" + b"\0" * 8


class Words(discord.ui.Modal, title="Why?"):
    """A form with one field in a row, and one with a label above."""

    reason: discord.ui.TextInput["Words"] = discord.ui.TextInput(label="Reason", max_length=30)
    mood = discord.ui.Label(
        text="Mood", component=discord.ui.TextInput(custom_id="mood", required=False)
    )

    size = discord.ui.Label(
        text="Size",
        component=discord.ui.Select(
            custom_id="size",
            options=[
                discord.SelectOption(label="Small", value="s"),
                discord.SelectOption(label="Large", value="l", default=True),
            ],
        ),
    )

    async def on_submit(self, interaction: discord.Interaction) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        await interaction.edit_original_response(
            content=f"because {self.reason.value}, {self.size.component.values[0]}"
        )


class Press(discord.ui.View):
    """One button and one select."""

    @discord.ui.button(label="Why", custom_id="why")
    async def why(self, interaction: discord.Interaction, _: discord.ui.Button["Press"]) -> None:
        await interaction.response.send_modal(Words())

    @discord.ui.select(
        custom_id="pick",
        placeholder="More",
        options=[discord.SelectOption(label="Vary", value="v")],
    )
    async def pick(
        self, interaction: discord.Interaction, given: "discord.ui.Select[Press]"
    ) -> None:
        await interaction.response.send_message(f"picked {given.values[0]}", ephemeral=True)


def at_hand(client: discord.Client) -> app_commands.CommandTree[discord.Client]:
    """A bot that does one thing of each kind."""
    tree = app_commands.CommandTree(client)

    @tree.command(name="show", description="Shows a file")
    async def show(
        interaction: discord.Interaction, file: discord.Attachment, look: str = ""
    ) -> None:
        data = await file.read()
        await interaction.response.send_message(f"{file.filename} {len(data)} {look}")

    @show.autocomplete("look")
    async def looks(_: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=f"{typed}-look", value="1")]

    @tree.command(name="card", description="Puts buttons up")
    async def card(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("press", view=Press())

    @tree.context_menu(name="Details")
    async def details(interaction: discord.Interaction, message: discord.Message) -> None:
        await interaction.response.send_message(message.content, ephemeral=True)

    return tree


@pytest.fixture
async def fake(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeDiscord]:
    """A Discord, with such a bot at work in it."""
    async with founded() as made:
        monkeypatch.setattr(discord.http.Route, "BASE", made.api_url)
        monkeypatch.setattr(
            discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(made.gateway_url)
        )
        client = discord.Client(intents=discord.Intents(guilds=True))
        tree = at_hand(client)
        await client.login(made.token)
        await tree.sync()
        connected = asyncio.create_task(client.connect())
        await until(lambda: made.gateway.connected())
        yield made
        await client.close()
        await connected
        assert made.violations == []


@pytest.fixture
def mia(fake: FakeDiscord) -> Person:
    """Who does it all."""
    return fake.person(USERS["mia"])


async def test_a_file_goes_with_a_command_and_its_bytes_are_read(mia: Person) -> None:
    file = mia.attach(PICTURE, "mug.png")
    receipt = await mia.command("show", channel=DRAFTS, file=file, look="warm")
    assert (receipt.type, receipt.ephemeral) == (4, False)
    assert (await receipt.answer()).content == f"mug.png {len(PICTURE)} warm"


async def test_what_is_typed_is_completed(mia: Person) -> None:
    file = mia.attach(PICTURE)
    receipt = await mia.type("show", "look", "war", channel=DRAFTS, file=file)
    assert (receipt.type, receipt.choices) == (8, {"war-look": "1"})


async def test_a_button_opens_a_form_whose_answer_one_person_sees(
    fake: FakeDiscord, mia: Person
) -> None:
    await mia.command("card", channel=DRAFTS)
    card = await posted(fake, DRAFTS)
    asked = await mia.click(card, "Why")
    assert asked.modal is not None
    assert [field["label"] for field in asked.modal.fields().values()] == ["Reason", "Mood", "Size"]
    for wrong in ({}, {"reason": "x" * 31}, {"reason": "x", "colour": "red"}):
        with pytest.raises(ClientRefused):
            await mia.submit(asked.modal, **wrong)
    sent = await mia.submit(asked.modal, reason="too dark", mood="warm")
    assert (await sent.answer()).content == "because too dark, l"
    assert [m.content for m in mia.ephemerals()] == ["because too dark, l"]
    again = await mia.click(card, "Why")
    smaller = await mia.submit(again.modal, reason="too large", size="Small")
    assert (await smaller.answer()).content == "because too large, s"
    assert fake.messages(DRAFTS) == [card]
    picked = await mia.choose(card, "More", "Vary")
    assert (await picked.answer()).content == "picked v"


async def test_a_message_menu_reads_what_it_is_used_on(fake: FakeDiscord, mia: Person) -> None:
    said = fake.person(USERS["rob"]).say("a mug of mine", channel=DRAFTS)
    receipt = await mia.menu("Details", said)
    assert (await receipt.answer()).content == "a mug of mine"
