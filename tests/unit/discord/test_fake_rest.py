"""Unmodified discord.py at the fake's REST API: what it does comes about, and nothing complains."""

import io
from collections.abc import AsyncIterator

import discord
import pytest

from tests.fakes.discord.access import CREATE_PUBLIC_THREADS, allow
from tests.fakes.discord.app import FakeDiscord
from tests.fakes.discord.clients import SMALL_PNG, logged_in
from tests.fakes.discord_town import DRAFTS, GUILD, USERS, founded

MIA = USERS["mia"]


class Card(discord.ui.LayoutView):
    """One of every part."""

    body: discord.ui.Container["Card"] = discord.ui.Container(
        discord.ui.TextDisplay("**a red mug**", id=5),
        discord.ui.MediaGallery(discord.MediaGalleryItem("attachment://a.png", description="mug")),
        discord.ui.Separator(),
        discord.ui.ActionRow(
            discord.ui.Button(label="Use", custom_id="do:use:1"),
            discord.ui.Button(label="Open", url="https://example.org/"),
        ),
        discord.ui.ActionRow(
            discord.ui.Select(
                custom_id="pick:1", options=[discord.SelectOption(label="Vary", value="do:vary:1")]
            )
        ),
        discord.ui.Section("small", accessory=discord.ui.Thumbnail("attachment://a.png")),
        discord.ui.File("attachment://a.png"),
        accent_colour=5,
        id=77,
    )


@pytest.fixture
async def fake(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeDiscord]:
    """A Discord without limits; in the end nothing may have been wrong."""
    async with founded(rates=0) as made:
        monkeypatch.setattr(discord.http.Route, "BASE", made.api_url)
        yield made
    assert made.violations == []


@pytest.fixture
async def client(fake: FakeDiscord) -> AsyncIterator[discord.Client]:
    """discord.py, logged in."""
    async with logged_in(fake) as made:
        yield made


def drafts_of(client: discord.Client) -> discord.PartialMessageable:
    """The working channel."""
    return client.get_partial_messageable(int(DRAFTS), guild_id=int(GUILD))


def picture() -> discord.File:
    """A small file."""
    return discord.File(io.BytesIO(SMALL_PNG), "a.png", description="a mug")


async def test_the_client_learns_who_it_is(client: discord.Client) -> None:
    assert client.user is not None
    assert client.user.bot
    assert client.application_id == client.user.id


async def test_a_text_pings_only_whom_it_may(client: discord.Client, fake: FakeDiscord) -> None:
    channel = drafts_of(client)
    text = f"<@{MIA}> and @everyone"
    silent = await channel.send(text, allowed_mentions=discord.AllowedMentions.none())
    only_mia = discord.AllowedMentions(everyone=False, users=[discord.Object(int(MIA))])
    loud = await channel.send(text, allowed_mentions=only_mia)
    assert (silent.mentions, silent.mention_everyone) == ([], False)
    assert [user.id for user in loud.mentions] == [int(MIA)]
    assert not loud.mention_everyone
    assert fake.messages(DRAFTS)[0].text == text


async def test_a_card_of_components_keeps_its_ids_and_shows_its_picture(
    client: discord.Client, fake: FakeDiscord
) -> None:
    sent = await drafts_of(client).send(view=Card(), files=[picture()])
    stands = fake.messages(DRAFTS)[0]
    assert [part["id"] for part in stands.parts() if part["type"] in (17, 10)][:2] == [77, 5]
    gallery = next(part for part in stands.parts() if part["type"] == 12)
    media = gallery["items"][0]["media"]
    assert (media["width"], media["height"]) == (16, 8)
    assert sent.attachments == []  # what components show stands nowhere else
    assert await client.http.get_from_cdn(media["url"]) == SMALL_PNG


async def test_an_edit_brings_its_picture_along_and_the_old_one_goes(
    client: discord.Client, fake: FakeDiscord
) -> None:
    sent = await drafts_of(client).send(view=Card(), files=[picture()])
    before = fake.messages(DRAFTS)[0].attachments
    await sent.edit(view=Card(), attachments=[picture()])
    stands = fake.messages(DRAFTS)[0]
    assert len(stands.attachments) == 1
    assert stands.attachments != before
    assert fake.world.attachments[before[0]].deleted
    assert len(stands.versions) == 1


async def test_reactions_are_put_listed_and_taken_away(
    client: discord.Client, fake: FakeDiscord
) -> None:
    sent = await drafts_of(client).send("a review")
    await sent.add_reaction("✅")
    await sent.add_reaction("❌")
    fake.person(MIA).react(fake.messages(DRAFTS)[0], "✅")
    seen = await drafts_of(client).fetch_message(sent.id)
    assert [(str(r.emoji), r.count, r.me) for r in seen.reactions] == [
        ("✅", 2, True),
        ("❌", 1, True),
    ]
    assert {user.id async for user in seen.reactions[0].users()} == {
        int(MIA),
        client.user.id if client.user else 0,
    }
    assert client.user is not None
    await sent.remove_reaction("❌", client.user)
    assert [r.key for r in fake.messages(DRAFTS)[0].reactions] == ["✅"]


async def test_the_history_is_read_by_pages(client: discord.Client) -> None:
    channel = drafts_of(client)
    sent = [await channel.send(str(number)) for number in range(4)]
    ids = [message.id for message in sent]
    assert [m.id async for m in channel.history(limit=2)] == [ids[3], ids[2]]
    assert [m.id async for m in channel.history(after=sent[1])] == [ids[2], ids[3]]
    assert [m.id async for m in channel.history(before=sent[1])] == [ids[0]]


async def test_a_person_is_written_to_alone(client: discord.Client, fake: FakeDiscord) -> None:
    user = await client.fetch_user(int(MIA))
    await (await user.create_dm()).send("for you")
    await (await user.create_dm()).send("and more")
    assert [m.text for m in fake.person(MIA).dm.live()] == ["for you", "and more"]
    fake.world.users[MIA].takes_dms = False
    with pytest.raises(discord.Forbidden) as refused:
        await (await user.create_dm()).send("again")
    assert refused.value.code == 50007


async def test_guilds_members_and_channels_are_told(
    client: discord.Client, fake: FakeDiscord
) -> None:
    guild = await client.fetch_guild(int(GUILD))
    role = fake.world.add_role(GUILD, "approvers")
    fake.world.join(GUILD, MIA, role.id)
    found = await client.http.get_member(int(GUILD), int(MIA))
    assert (guild.name, found["roles"]) == ("Acme", [role.id])
    assert [c.name for c in await guild.fetch_channels()] == ["drafts", "social", "talk"]
    with pytest.raises(discord.NotFound):
        await client.http.get_member(int(GUILD), 12)


async def test_a_thread_opens_on_a_message_once(client: discord.Client, fake: FakeDiscord) -> None:
    allow(fake.world.channels[DRAFTS], fake.world.app.id, CREATE_PUBLIC_THREADS)
    sent = await drafts_of(client).send("a review")
    opened = await client.http.start_thread_with_message(
        int(DRAFTS), sent.id, name="words", auto_archive_duration=1440
    )
    thread = client.get_partial_messageable(int(opened["id"]), guild_id=int(GUILD))
    await thread.send("inside")
    assert [m.text for m in fake.messages(str(opened["id"]))] == ["inside"]
    with pytest.raises(discord.HTTPException) as refused:
        await client.http.start_thread_with_message(
            int(DRAFTS), sent.id, name="words", auto_archive_duration=1440
        )
    assert refused.value.code == 160004


async def test_a_deleted_message_is_gone(client: discord.Client) -> None:
    sent = await drafts_of(client).send("short")
    await sent.delete()
    with pytest.raises(discord.NotFound) as refused:
        await sent.edit(content="longer")
    assert refused.value.code == 10008


async def test_the_client_tries_again_after_a_limit_and_a_failure(
    client: discord.Client, fake: FakeDiscord
) -> None:
    fake.troubles.add("POST /channels/*/messages", "429", retry_after=0.01)
    fake.troubles.add("POST /channels/*/messages", "global", retry_after=0.01)
    await drafts_of(client).send("third time")
    calls = fake.calls("POST /channels/*/messages")
    assert [call.status for call in calls] == [429, 429, 200]
    assert len(fake.messages(DRAFTS)) == 1


async def test_a_response_lost_after_commit_leaves_one_message_by_its_nonce(
    client: discord.Client, fake: FakeDiscord
) -> None:
    fake.troubles.add("POST /channels/*/messages", "status", status=502, kept=True)
    await drafts_of(client).send("once")
    assert len(fake.calls("POST /channels/*/messages")) == 2
    assert len(fake.messages(DRAFTS)) == 1
